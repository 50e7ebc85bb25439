"""Choice: which devices a pod's containers get, of those that are free. Pure.

Containers are served in their order, as far as devices go. What an init container had, the containers after it get first: it has
ended when they begin; a sidecar keeps what it has. https://kubernetes.io/docs/concepts/workloads/pods/init-containers/
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from kube.api import quantity
from kube.api.types import Container, Pod
from kubelet.pod_state import is_sidecar


class Slot(NamedTuple):
    """A resource of a container."""

    container: str
    resource: str


class Lacking(Exception):
    """There are too few, in upstream's words."""


def chosen(pod: Pod, free: Mapping[str, Sequence[str]], held: Collection[Slot] = ()) -> dict[Slot, tuple[str, ...]]:
    """What each container gets, of the resources that `free` names; `held`: the slots that have their devices already.
    Raises Lacking.
    """
    left = {resource: list(ids) for resource, ids in free.items()}
    passed_on: dict[str, list[str]] = {resource: [] for resource in free}
    found: dict[Slot, tuple[str, ...]] = {}
    for container, ordinary_init in _in_order(pod):
        for resource, count in wanted(container, free):
            slot = Slot(container.name, resource)
            if slot in held:
                continue
            again, fresh = passed_on[resource][:count], left[resource][: max(0, count - len(passed_on[resource]))]
            if len(again) + len(fresh) < count:
                raise Lacking(_too_few(resource, count, len(again) + len(fresh)))
            found[slot] = (*again, *fresh)
            left[resource] = left[resource][len(fresh) :]
            passed_on[resource] = [*passed_on[resource], *fresh] if ordinary_init else passed_on[resource][len(again) :]
    return found


def wanted(container: Container, resources: Collection[str]) -> Iterator[tuple[str, int]]:
    limits = (container.resources.limits if container.resources is not None else None) or {}
    for name, amount in limits.items():
        if name in resources and (count := quantity.value(amount)):
            yield name, count


def _in_order(pod: Pod) -> Iterator[tuple[Container, bool]]:
    for container in pod.spec.initContainers or ():
        yield container, not is_sidecar(container)
    for container in pod.spec.containers:
        yield container, False


def _too_few(resource: str, requested: int, available: int) -> str:
    return f"requested number of devices unavailable for {resource}. Requested: {requested}, Available: {available}"
