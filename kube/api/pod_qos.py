"""Quality of service: how a pod is treated when its node runs short.

Guaranteed: every container has limits for CPU and memory, and requests equal to them. BestEffort: none asks for anything.
Burstable: the rest. Where the pod itself has requests or limits, these decide alone (KEP-2837).
https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/
"""

from kube.api import quantity
from kube.api.types import Container, Pod, PodSpec

COUNTED = ("cpu", "memory")


def qos_class(pod: Pod) -> str:
    asking: list[Container | PodSpec] = [*pod.spec.containers, *(pod.spec.initContainers or ())]
    if _asks(pod.spec):
        asking = [pod.spec]
    if not any(map(_asks, asking)):
        return "BestEffort"
    return "Guaranteed" if all(_guaranteed(one) for one in asking) else "Burstable"


def _asks(one: Container | PodSpec) -> bool:
    return bool(_amounts(one, "requests") or _amounts(one, "limits"))


def _guaranteed(one: Container | PodSpec) -> bool:
    limits, requests = _amounts(one, "limits"), _amounts(one, "requests")
    return set(limits) == set(COUNTED) and all(requests.get(name, limit) == limit for name, limit in limits.items())


def _amounts(one: Container | PodSpec, side: str) -> dict[str, object]:
    found = getattr(one.resources, side, None) or {}
    return {name: amount for name in COUNTED if name in found and (amount := quantity.parse(found[name])) != 0}
