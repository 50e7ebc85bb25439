"""Quality of service: how a pod is treated when its node runs short.

Guaranteed: every container has limits for CPU and memory, and requests equal to them. BestEffort: none asks for anything.
Burstable: the rest. https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/
"""

from kube.api import quantity
from kube.api.types import Container, Pod

COUNTED = ("cpu", "memory")


def qos_class(pod: Pod) -> str:
    containers = [*pod.spec.containers, *(pod.spec.initContainers or ())]
    if not any(_amounts(one, "requests") or _amounts(one, "limits") for one in containers):
        return "BestEffort"
    return "Guaranteed" if all(_guaranteed(one) for one in containers) else "Burstable"


def _guaranteed(container: Container) -> bool:
    limits, requests = _amounts(container, "limits"), _amounts(container, "requests")
    return set(limits) == set(COUNTED) and all(requests.get(name, limit) == limit for name, limit in limits.items())


def _amounts(container: Container, side: str) -> dict[str, object]:
    found = getattr(container.resources, side, None) or {}
    return {name: amount for name in COUNTED if name in found and (amount := quantity.parse(found[name])) != 0}
