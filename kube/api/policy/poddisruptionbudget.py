"""PodDisruptionBudget: how many pods of a set may be down by choice at once (policy/v1).

https://kubernetes.io/docs/tasks/run-application/configure-pdb/
"""

from collections.abc import Iterator

from kube.api import names, validation
from kube.api.columns import AGE, number, plain
from kube.api.conditions import condition_errors
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import FieldError, invalid, unsupported
from kube.api.types import PodDisruptionBudget
from kube.api.views import tree_of

POLICIES = ("AlwaysAllow", "IfHealthyBudget")
MISSING = "N/A"
COUNTS = ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")


def set_defaults(tree: Tree) -> None:
    tree.setdefault("spec", {})


def prepare(new: Tree, old: Tree | None) -> None:
    if old is None:
        new["status"] = {"disruptionsAllowed": 0, "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0}


def validate(new: PodDisruptionBudget, old: PodDisruptionBudget | None) -> Iterator[FieldError]:
    spec = new.spec
    if spec is None:
        return
    if spec.minAvailable is not None and spec.maxUnavailable is not None:
        shown = {
            "MinAvailable": spec.minAvailable,
            "Selector": tree_of(spec.selector),
            "MaxUnavailable": spec.maxUnavailable,
            "UnhealthyPodEvictionPolicy": spec.unhealthyPodEvictionPolicy,
        }
        yield invalid("spec", shown, "minAvailable and maxUnavailable cannot be both set")
    for field in ("minAvailable", "maxUnavailable"):
        value = getattr(spec, field)
        yield from validation.amount_or_percentage(f"spec.{field}", value)
        yield from validation.not_over_hundred(f"spec.{field}", value)
    yield from validation.selector_errors(spec.selector, "spec.selector")
    if spec.unhealthyPodEvictionPolicy is not None and spec.unhealthyPodEvictionPolicy not in POLICIES:
        yield unsupported("spec.unhealthyPodEvictionPolicy", spec.unhealthyPodEvictionPolicy, POLICIES)


def validate_status(new: PodDisruptionBudget, old: PodDisruptionBudget) -> Iterator[FieldError]:
    yield from condition_errors(new.status.conditions or (), "status.conditions")
    yield from validation.count_errors(new.status, "status", COUNTS)


def _shown(value: int | str | None) -> str:
    return MISSING if value is None else str(value)


RESOURCE = Resource(
    view=PodDisruptionBudget,
    group="policy",
    version="v1",
    kind="PodDisruptionBudget",
    plural="poddisruptionbudgets",
    short_names=("pdb",),
    subresources=("status",),
    unconditional_update=False,
    set_defaults=set_defaults,
    prepare=prepare,
    validate=validate,
    validate_status=validate_status,
    validate_name=names.path_segment,
    columns=(
        plain("Min Available", lambda budget: _shown(budget.spec.minAvailable)),
        plain("Max Unavailable", lambda budget: _shown(budget.spec.maxUnavailable)),
        number("Allowed Disruptions", lambda budget: budget.status.disruptionsAllowed),
        AGE,
    ),
)
