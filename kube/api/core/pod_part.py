"""Parts of a running pod's spec that have doors of their own: ephemeralcontainers only adds, resize changes resources.

https://kubernetes.io/docs/concepts/workloads/pods/ephemeral-containers/ · KEP-1287
kubernetes pkg/apis/core/validation: ValidatePodEphemeralContainersUpdate, ValidatePodResize
"""

from collections.abc import Iterator, Mapping
from typing import Any

from kube.api import quantity
from kube.api.core.pod_validation import pod_errors
from kube.api.core.pod_validation.annotations import MIRROR
from kube.api.core.pod_validation.update import difference
from kube.api.meta import Tree
from kube.api.pod_qos import qos_class
from kube.api.status import FieldError, forbidden, invalid
from kube.api.types import Pod
from kube.api.views import tree_of

RESIZABLE = ("cpu", "memory")


def with_ephemeral_containers(new: Tree, old: Tree) -> Tree:
    """The old pod with the new one's ephemeral containers."""
    spec = {name: value for name, value in old["spec"].items() if name != "ephemeralContainers"}
    wanted = new["spec"].get("ephemeralContainers")
    return _with_spec(new, old, {**spec, "ephemeralContainers": wanted} if wanted else spec)


def with_resources(new: Tree, old: Tree) -> Tree:
    """The old pod with the new one's resources and resize policies of containers, by name."""
    spec = dict(old["spec"])
    for group in ("containers", "initContainers"):
        wanted = {one.get("name"): one for one in new["spec"].get(group) or ()}
        if group in spec:
            spec[group] = [{**one, **_resources(wanted.get(one["name"]) or {})} for one in spec[group]]
    return _with_spec(new, old, spec)


def _resources(container: Tree) -> Tree:
    return {name: container[name] for name in ("resources", "resizePolicy") if container.get(name) is not None}


def ephemeral_errors(new: Pod, old: Pod) -> Iterator[FieldError]:
    if MIRROR in (old.metadata.annotations or {}):
        yield forbidden("", "static pods do not support ephemeral containers")
        return
    yield from pod_errors(new.spec, new.metadata.annotations, new.metadata.name or "")
    kept = {one.name: tree_of(one) for one in new.spec.ephemeralContainers or ()}
    for before in old.spec.ephemeralContainers or ():
        was = tree_of(before)
        if before.name not in kept:
            yield forbidden("spec.ephemeralContainers", f'existing ephemeral containers "{before.name}" may not be removed\n')
        elif kept[before.name] != was:
            text = f'existing ephemeral containers "{before.name}" may not be changed\n{difference(was, kept[before.name])}'
            yield forbidden("spec.ephemeralContainers", text)


def resize_errors(new: Pod, old: Pod) -> Iterator[FieldError]:
    if MIRROR in (old.metadata.annotations or {}):
        yield forbidden("", "static pods cannot be resized")
        return
    if old.spec.os is not None and old.spec.os.name == "windows":
        yield forbidden("", "windows pods cannot be resized")
        return
    yield from pod_errors(new.spec, new.metadata.annotations, new.metadata.name or "")
    if qos_class(new) != qos_class(old):
        shown = new.status.qosClass or ""
        yield invalid("spec", shown, "Pod QOS Class may not change as a result of resizing")
    running = [one for one in old.status.containerStatuses or () if one.state and one.state.running]
    if running and running[0].resources is None:
        yield forbidden("spec", "Pod running on node without support for resize")
    for index, container in enumerate(new.spec.initContainers or ()):
        before = old.spec.initContainers[index]
        if container.restartPolicy == "Always":
            yield from _resized(container, before, f"spec.initContainers[{index}].resources")
            if _others(container.resources) != _others(before.resources):
                yield forbidden("spec", "only cpu and memory resources for sidecar containers are mutable")
        elif _amounts(container.resources) != _amounts(before.resources):
            yield forbidden("spec", "resources for non-sidecar init containers are immutable")
    for index, container in enumerate(new.spec.containers):
        before = old.spec.containers[index]
        yield from _resized(container, before, f"spec.containers[{index}].resources")
        if _others(container.resources) != _others(before.resources):
            yield forbidden("spec", "only cpu and memory resources are mutable")


def _resized(new: Any, old: Any, path: str) -> Iterator[FieldError]:
    now, before = _amounts(new.resources), _amounts(old.resources)
    for side in ("requests", "limits"):
        if before[side].keys() - now[side].keys():
            yield forbidden(f"{path}.{side}", f"resource {side} cannot be removed")


def _amounts(resources: Any) -> Mapping[str, dict[str, Any]]:
    """By side and name; what is no quantity counts as itself, and is told elsewhere."""
    return {
        side: {
            name: quantity.parse(amount) if quantity.is_valid(amount) else amount
            for name, amount in (getattr(resources, side, None) or {}).items()
        }
        for side in ("requests", "limits")
    }


def _others(resources: Any) -> Any:
    """What cannot be resized."""
    return {
        side: {name: amount for name, amount in amounts.items() if name not in RESIZABLE}
        for side, amounts in _amounts(resources).items()
    }


def _with_spec(new: Tree, old: Tree, spec: Tree) -> Tree:
    metadata = dict(old["metadata"])
    if "managedFields" in new["metadata"]:
        metadata["managedFields"] = new["metadata"]["managedFields"]
    return {**old, "metadata": metadata, "spec": spec}
