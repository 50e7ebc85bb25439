"""PriorityClass: how much a pod matters when room is short (scheduling.k8s.io/v1).

Names that begin with `system-` are the system's own two, whose values are above what users may choose.
https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/
"""

from collections.abc import Iterator

from kube.api.columns import AGE, plain
from kube.api.meta import Tree
from kube.api.resource import Column, Resource
from kube.api.status import FieldError, forbidden, unsupported
from kube.api.types import PriorityClass

HIGHEST_OF_USERS = 1_000_000_000
SYSTEM = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
POLICIES = ("Never", "PreemptLowerPriority")


def set_defaults(tree: Tree) -> None:
    tree.setdefault("value", 0)
    tree.setdefault("preemptionPolicy", "PreemptLowerPriority")


def validate(new: PriorityClass, old: PriorityClass | None) -> Iterator[FieldError]:
    name = new.metadata.name or ""
    if name.startswith("system-"):
        if SYSTEM.get(name) != new.value:
            text = "priority class names with 'system-' prefix are reserved for system use only. error: "
            yield forbidden("metadata.name", f"{text}{name} is not a known system priority class")
    elif new.value > HIGHEST_OF_USERS:
        text = f"maximum allowed value of a user defined priority is {HIGHEST_OF_USERS}"
        yield forbidden("value", text)
    if new.preemptionPolicy not in POLICIES:
        yield unsupported("preemptionPolicy", new.preemptionPolicy, POLICIES)
    if old is None:
        return
    if new.value != old.value:
        yield forbidden("value", "may not be changed in an update.")
    if new.preemptionPolicy != old.preemptionPolicy:
        yield FieldError("preemptionPolicy", "FieldValueInvalid", f'Invalid value: "{new.preemptionPolicy}": field is immutable')


RESOURCE = Resource(
    view=PriorityClass,
    group="scheduling.k8s.io",
    version="v1",
    kind="PriorityClass",
    plural="priorityclasses",
    namespaced=False,
    short_names=("pc",),
    set_defaults=set_defaults,
    validate=validate,
    columns=(
        Column("Value", lambda one, now: one.value, type="integer"),
        plain("Global-Default", lambda one: bool(one.globalDefault), type="boolean"),
        AGE,
        plain("PreemptionPolicy", lambda one: one.preemptionPolicy or ""),
    ),
)
