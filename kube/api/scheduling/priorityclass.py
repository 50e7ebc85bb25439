"""PriorityClass: how much a pod matters when room is short (scheduling.k8s.io/v1).

Names that begin with `system-` are the system's own two, whose values are above what users may choose.
https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/
"""

from collections.abc import Iterator

from kube.api import validation
from kube.api.columns import AGE, plain
from kube.api.meta import Tree
from kube.api.resource import Column, Resource
from kube.api.status import FieldError, forbidden, required, unsupported
from kube.api.types import PriorityClass

HIGHEST_OF_USERS = 1_000_000_000
SYSTEM = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
POLICIES = ("PreemptLowerPriority", "Never")


def set_defaults(tree: Tree) -> None:
    tree.setdefault("value", 0)
    tree.setdefault("preemptionPolicy", "PreemptLowerPriority")


def validate(new: PriorityClass, old: PriorityClass | None) -> Iterator[FieldError]:
    if old is not None:
        if new.value != old.value:
            yield forbidden("Value", "may not be changed in an update.")  # upstream's path
        yield from validation.unchanged("preemptionPolicy", new.preemptionPolicy, old.preemptionPolicy)
        return
    name = new.metadata.name or ""
    if name.startswith("system-"):
        if complaint := _system_complaint(new, name):
            text = "priority class names with 'system-' prefix are reserved for system use only. error: "
            yield forbidden("metadata.name", text + complaint)
    elif new.value > HIGHEST_OF_USERS:
        yield forbidden("value", f"maximum allowed value of a user defined priority is {HIGHEST_OF_USERS}")
    if not new.preemptionPolicy:
        yield required("preemptionPolicy")
    elif new.preemptionPolicy not in POLICIES:
        yield unsupported("preemptionPolicy", new.preemptionPolicy, POLICIES)


def _system_complaint(one: PriorityClass, name: str) -> str:
    if name not in SYSTEM:
        return f"{name} is not a known system priority class"
    if one.value != SYSTEM[name]:
        return f"value of {name} PriorityClass must be {SYSTEM[name]}"
    return f"globalDefault of {name} PriorityClass must be false" if one.globalDefault else ""


RESOURCE = Resource(
    view=PriorityClass,
    group="scheduling.k8s.io",
    version="v1",
    kind="PriorityClass",
    plural="priorityclasses",
    namespaced=False,
    short_names=("pc",),
    generation_stays=True,
    set_defaults=set_defaults,
    validate=validate,
    columns=(
        Column("Value", lambda one, now: one.value, type="integer"),
        plain("Global-Default", lambda one: bool(one.globalDefault), type="boolean"),
        AGE,
        plain("PreemptionPolicy", lambda one: one.preemptionPolicy or ""),
    ),
)
