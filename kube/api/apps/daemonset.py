"""DaemonSet: one pod on each node that fits (apps/v1).

https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/
"""

from collections.abc import Iterator

from kube.api import validation
from kube.api.columns import AGE, map_text, number, plain, template_columns
from kube.api.core.pod_spec import set_template_defaults
from kube.api.core.pod_validation import always_restarted_errors, template_errors
from kube.api.core.pod_warnings import template_warnings
from kube.api.defaults import fill
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import FieldError, invalid, required, unsupported
from kube.api.types import DaemonSet, DaemonSetSpec
from kube.api.views import tree_of

STRATEGIES = ("OnDelete", "RollingUpdate")
TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"


def set_defaults(tree: Tree) -> None:
    spec = tree.setdefault("spec", {})
    strategy = spec.setdefault("updateStrategy", {})
    fill(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", 1)
        rolling.setdefault("maxSurge", 0)
    spec.setdefault("revisionHistoryLimit", 10)
    set_template_defaults(spec.setdefault("template", {}))


def prepare(new: Tree, old: Tree | None) -> None:
    if old is None:
        new["status"] = {
            "currentNumberScheduled": 0,
            "numberMisscheduled": 0,
            "desiredNumberScheduled": 0,
            "numberReady": 0,
        }
    annotations = new["metadata"].get("annotations") or {}
    new["metadata"]["annotations"] = {**annotations, TEMPLATE_GENERATION: str(_template_generation(new, old))}


def prepare_status(new: Tree, old: Tree) -> None:
    if said := _said_generation(old):
        new["metadata"].setdefault("annotations", {})[TEMPLATE_GENERATION] = str(said)


def _template_generation(new: Tree, old: Tree | None) -> int:
    """How many templates there have been, which older clients read off an annotation; a new one may begin where it says."""
    if old is None:
        return max(_said_generation(new), 1)
    before = _said_generation(old)
    return before if new["spec"].get("template") == old["spec"].get("template") else before + 1


def _said_generation(tree: Tree) -> int:
    text = (tree["metadata"].get("annotations") or {}).get(TEMPLATE_GENERATION, "")
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() else 0


def validate(new: DaemonSet, old: DaemonSet | None) -> Iterator[FieldError]:
    spec = new.spec
    yield from validation.selector_errors(spec.selector, "spec.selector")
    yield from validation.matching_errors(spec.selector, spec.template)
    if spec.selector is not None and not spec.selector.matchLabels and not spec.selector.matchExpressions:
        yield invalid("spec.selector", tree_of(spec.selector), "empty selector is invalid for daemonset")
    yield from template_errors(spec.template, "spec.template")
    yield from always_restarted_errors(spec.template.spec, "spec.template.spec", "DaemonSet")
    yield from validation.not_negative("spec.minReadySeconds", spec.minReadySeconds)
    yield from _strategy(spec)
    yield from validation.not_negative("spec.revisionHistoryLimit", spec.revisionHistoryLimit)
    if old is not None:
        yield from validation.unchanged("spec.selector", spec.selector, old.spec.selector)


def validate_status(new: DaemonSet, old: DaemonSet) -> Iterator[FieldError]:
    counts = (
        "currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady", "observedGeneration",
        "updatedNumberScheduled", "numberAvailable", "numberUnavailable",
    )  # fmt: skip
    yield from validation.count_errors(new.status, "status", counts)
    yield from validation.not_decremented("status.collisionCount", new.status.collisionCount, old.status.collisionCount)


def _strategy(spec: DaemonSetSpec) -> Iterator[FieldError]:
    strategy, at = spec.updateStrategy, "spec.updateStrategy"
    if strategy.type not in STRATEGIES:
        rolling = strategy.rollingUpdate
        surge = {"MaxUnavailable": rolling.maxUnavailable, "MaxSurge": rolling.maxSurge} if rolling is not None else None
        yield unsupported(at, {"Type": strategy.type, "RollingUpdate": surge}, ("RollingUpdate", "OnDelete"))
        return
    rolling = strategy.rollingUpdate
    if strategy.type != "RollingUpdate":
        return
    for field, value in (("maxUnavailable", rolling.maxUnavailable), ("maxSurge", rolling.maxSurge)):
        yield from validation.amount_or_percentage(f"{at}.rollingUpdate.{field}", value)
        yield from validation.not_over_hundred(f"{at}.rollingUpdate.{field}", value)
    has_surge, has_unavailable = not validation.is_zero(rolling.maxSurge), not validation.is_zero(rolling.maxUnavailable)
    if has_surge and has_unavailable:
        yield invalid(f"{at}.rollingUpdate.maxSurge", rolling.maxSurge, "may not be set when maxUnavailable is non-zero")
    elif not has_surge and not has_unavailable:
        yield required(f"{at}.rollingUpdate.maxUnavailable", "cannot be 0 when maxSurge is 0")


RESOURCE = Resource(
    view=DaemonSet,
    group="apps",
    version="v1",
    kind="DaemonSet",
    plural="daemonsets",
    short_names=("ds",),
    categories=("all",),
    subresources=("status",),
    set_defaults=set_defaults,
    prepare=prepare,
    prepare_status=prepare_status,
    validate=validate,
    warnings=template_warnings,
    validate_status=validate_status,
    columns=(
        number("Desired", lambda one: one.status.desiredNumberScheduled),
        number("Current", lambda one: one.status.currentNumberScheduled),
        number("Ready", lambda one: one.status.numberReady),
        number("Up-to-date", lambda one: one.status.updatedNumberScheduled),
        number("Available", lambda one: one.status.numberAvailable),
        plain("Node Selector", lambda one: map_text(one.spec.template.spec.nodeSelector)),
        AGE,
        *template_columns(),
    ),
)
