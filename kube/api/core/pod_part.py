"""Parts of a running pod's spec that have doors of their own: ephemeralcontainers only adds, resize changes resources.

https://kubernetes.io/docs/concepts/workloads/pods/ephemeral-containers/ · KEP-1287
kubernetes pkg/apis/core/validation: ValidatePodEphemeralContainersUpdate, ValidatePodResize
"""

from collections.abc import Iterator
from typing import Any

from kube.api import names, quantity
from kube.api.core.pod_validation import resource_errors
from kube.api.meta import Tree
from kube.api.pod_qos import qos_class
from kube.api.status import FieldError, duplicate, forbidden, invalid, missing, required
from kube.api.types import Pod
from kube.api.views import tree_of

NOT_EPHEMERAL = ("ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "resources")
RESIZABLE = {"cpu", "memory"}


def with_ephemeral_containers(new: Tree, old: Tree) -> Tree:
    """The old pod with the new one's ephemeral containers."""
    spec = {name: value for name, value in old["spec"].items() if name != "ephemeralContainers"}
    wanted = new["spec"].get("ephemeralContainers")
    return _with_spec(new, old, {**spec, "ephemeralContainers": wanted} if wanted else spec)


def with_resources(new: Tree, old: Tree) -> Tree:
    """The old pod with the new one's resources of containers, by name."""
    spec = dict(old["spec"])
    for group in ("containers", "initContainers"):
        wanted = {one.get("name"): one.get("resources") for one in new["spec"].get(group) or ()}
        if group in spec:
            spec[group] = [
                {**one, "resources": wanted[one["name"]]} if wanted.get(one["name"]) is not None else one for one in spec[group]
            ]
    return _with_spec(new, old, spec)


def ephemeral_errors(new: Pod, old: Pod) -> Iterator[FieldError]:
    containers = [one.name for one in (*new.spec.containers, *(new.spec.initContainers or ()))]
    seen = set(containers)
    for index, container in enumerate(new.spec.ephemeralContainers or ()):
        at = f"spec.ephemeralContainers[{index}]"
        if not container.name:
            yield required(f"{at}.name")
        for complaint in names.label(container.name) if container.name else ():
            yield invalid(f"{at}.name", container.name, complaint)
        if container.name in seen:
            yield duplicate(f"{at}.name", container.name)
        seen.add(container.name)
        if not container.image:
            yield required(f"{at}.image")
        if container.targetContainerName and container.targetContainerName not in containers:
            yield missing(f"{at}.targetContainerName", container.targetContainerName)
        for field in NOT_EPHEMERAL:
            if tree_of(getattr(container, field)):
                yield forbidden(f"{at}.{field}", "cannot be set for an Ephemeral Container")
    kept = {one.name: tree_of(one) for one in new.spec.ephemeralContainers or ()}
    for before in old.spec.ephemeralContainers or ():
        if before.name not in kept:
            yield forbidden("spec.ephemeralContainers", f'existing ephemeral containers "{before.name}" may not be removed\n')
        elif kept[before.name] != tree_of(before):
            yield forbidden("spec.ephemeralContainers", f'existing ephemeral containers "{before.name}" may not be changed\n')


def resize_errors(new: Pod, old: Pod) -> Iterator[FieldError]:
    for field in ("containers", "initContainers"):
        former = {one.name: one for one in getattr(old.spec, field) or ()}
        for index, container in enumerate(getattr(new.spec, field) or ()):
            at = f"spec.{field}[{index}].resources"
            yield from resource_errors(container.resources, at)
            for side in ("limits", "requests"):
                now, before = _amounts(container.resources, side), _amounts(former[container.name].resources, side)
                changed = {name for name in {*now, *before} if now.get(name) != before.get(name)}
                if not changed <= RESIZABLE:
                    yield forbidden("spec", "only cpu and memory resources are mutable")
                if before.keys() & RESIZABLE - now.keys():
                    yield forbidden(f"{at}.{side}", f"resource {side} cannot be removed")
    if qos_class(new) != qos_class(old):
        yield invalid("status.qosClass", qos_class(new), "Pod QOS Class may not change as a result of resizing")


def _amounts(resources: Any, side: str) -> dict[str, Any]:
    """By name; what is no quantity counts as itself, and is told elsewhere."""
    found = getattr(resources, side, None) or {}
    return {name: quantity.parse(amount) if quantity.is_valid(amount) else amount for name, amount in found.items()}


def _with_spec(new: Tree, old: Tree, spec: Tree) -> Tree:
    metadata = dict(old["metadata"])
    if "managedFields" in new["metadata"]:
        metadata["managedFields"] = new["metadata"]["managedFields"]
    return {**old, "metadata": metadata, "spec": spec}
