"""DaemonSet: one pod on each node that fits (apps/v1).

https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/
"""

from collections.abc import Iterator

from kube.api import validation
from kube.api.columns import AGE, map_text, number, plain, template_columns
from kube.api.core.pod_spec import set_template_defaults
from kube.api.core.pod_validation import pod_spec_errors
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import FieldError, forbidden, invalid, required, unsupported
from kube.api.types import DaemonSet, DaemonSetSpec

STRATEGIES = ("OnDelete", "RollingUpdate")


def set_defaults(tree: Tree) -> None:
    spec = tree.setdefault("spec", {})
    strategy = spec.setdefault("updateStrategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
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


def validate(new: DaemonSet, old: DaemonSet | None) -> Iterator[FieldError]:
    spec = new.spec
    yield from validation.workload_selector_errors(spec.selector, spec.template, "daemonset")
    yield from validation.template_metadata_errors(spec.template, "spec.template")
    yield from pod_spec_errors(spec.template.spec, "spec.template.spec")
    if spec.template.spec.restartPolicy != "Always":
        yield unsupported("spec.template.spec.restartPolicy", spec.template.spec.restartPolicy, ("Always",))
    if spec.template.spec.activeDeadlineSeconds is not None:
        text = "activeDeadlineSeconds in DaemonSet is not Supported"
        yield forbidden("spec.template.spec.activeDeadlineSeconds", text)
    yield from validation.not_negative("spec.minReadySeconds", spec.minReadySeconds)
    yield from validation.not_negative("spec.revisionHistoryLimit", spec.revisionHistoryLimit)
    yield from _strategy(spec)
    if old is not None:
        yield from validation.unchanged("spec.selector", spec.selector, old.spec.selector)


def _strategy(spec: DaemonSetSpec) -> Iterator[FieldError]:
    strategy, at = spec.updateStrategy, "spec.updateStrategy"
    if strategy.type not in STRATEGIES:
        yield unsupported(f"{at}.type", strategy.type, STRATEGIES)
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
    validate=validate,
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
