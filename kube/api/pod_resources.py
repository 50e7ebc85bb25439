"""What a pod asks of its node: the effective request that scheduler, kubelet and `describe node` count.

The containers together with the sidecars, or the greediest init container with the sidecars started before it, whichever is
more. What the pod itself says of CPU, memory and huge pages takes the place of that (KEP-2837). The overhead of its runtime class
is added. CPU in millicores, everything else in whole units (bytes, pieces).
https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers (KEP-753)
"""

from collections.abc import Mapping

from kube.api import quantity
from kube.api.types import Pod, PodSpec

Amounts = dict[str, int]


def is_of_pods(name: str) -> bool:
    """Whether a pod as a whole may ask for it."""
    return name in ("cpu", "memory") or name.startswith("hugepages-")


def amounts(resources: Mapping[str, str] | None) -> Amounts:
    """Quantities as integers: {"cpu": "0.5", "memory": "1Ki"} is {"cpu": 500, "memory": 1024}."""
    return {name: amount(name, text) for name, text in (resources or {}).items()}


def requests(pod: Pod) -> Amounts:
    """The pod's effective requests."""
    return _effective(pod, "requests")


def limits(pod: Pod) -> Amounts:
    """The pod's effective limits."""
    return _effective(pod, "limits")


def amount(name: str, text: str) -> int:
    """One quantity as an integer."""
    return quantity.milli(text) if name == "cpu" else quantity.value(text)


def text(name: str, amount: int) -> str:
    """And back, in canonical form."""
    return quantity.canonical(f"{amount}m" if name == "cpu" else str(amount))


def aggregated(spec: PodSpec, side: str) -> Amounts:
    """What the containers ask for together, or may have: without the overhead, and whatever the pod itself says."""
    together: Amounts = {}
    for container in spec.containers:
        _add(together, amounts(getattr(container.resources, side, None)))
    sidecars: Amounts = {}
    greediest: Amounts = {}
    for container in spec.initContainers or ():
        own = amounts(getattr(container.resources, side, None))
        if container.restartPolicy == "Always":
            _add(sidecars, own)
            _raise_to(greediest, sidecars)
        else:
            _raise_to(greediest, _sum(own, sidecars))
    _add(together, sidecars)
    _raise_to(together, greediest)
    return together


def _effective(pod: Pod, side: str) -> Amounts:
    together = aggregated(pod.spec, side)
    own = amounts(getattr(pod.spec.resources, side, None))
    together.update({name: value for name, value in own.items() if is_of_pods(name)})
    _add(together, amounts(pod.spec.overhead))
    return together


def _add(total: Amounts, more: Amounts) -> None:
    for name, amount in more.items():
        total[name] = total.get(name, 0) + amount


def _raise_to(total: Amounts, least: Amounts) -> None:
    for name, amount in least.items():
        total[name] = max(total.get(name, 0), amount)


def _sum(one: Amounts, other: Amounts) -> Amounts:
    total = dict(one)
    _add(total, other)
    return total
