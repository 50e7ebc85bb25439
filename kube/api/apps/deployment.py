"""Deployment: rolls identical pods from one template to the next, by way of ReplicaSets (apps/v1).

https://kubernetes.io/docs/concepts/workloads/controllers/deployment/
"""

from collections.abc import Iterator

from kube.api import validation
from kube.api.apps.replicaset import replicated_template_errors
from kube.api.columns import AGE, plain, template_columns
from kube.api.core.pod_spec import set_template_defaults
from kube.api.core.pod_warnings import workload_warnings
from kube.api.defaults import fill
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import FieldError, forbidden, invalid, unsupported
from kube.api.types import Deployment, DeploymentSpec

STRATEGIES = ("Recreate", "RollingUpdate")


def set_defaults(tree: Tree) -> None:
    spec = tree.setdefault("spec", {})
    spec.setdefault("replicas", 1)
    strategy = spec.setdefault("strategy", {})
    fill(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", "25%")
        rolling.setdefault("maxSurge", "25%")
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("progressDeadlineSeconds", 600)
    set_template_defaults(spec.setdefault("template", {}))


def prepare(new: Tree, old: Tree | None) -> None:
    if old is None:
        new["status"] = {}


def validate(new: Deployment, old: Deployment | None) -> Iterator[FieldError]:
    spec = new.spec
    yield from validation.not_negative("spec.replicas", spec.replicas)
    yield from validation.workload_selector_errors(spec.selector, "deployment")
    yield from replicated_template_errors(spec.selector, spec.template)
    yield from _strategy(spec)
    yield from validation.not_negative("spec.minReadySeconds", spec.minReadySeconds)
    yield from validation.not_negative("spec.revisionHistoryLimit", spec.revisionHistoryLimit)
    yield from validation.not_negative("spec.progressDeadlineSeconds", spec.progressDeadlineSeconds)
    if spec.progressDeadlineSeconds is not None and spec.progressDeadlineSeconds <= (spec.minReadySeconds or 0):
        yield invalid("spec.progressDeadlineSeconds", spec.progressDeadlineSeconds, "must be greater than minReadySeconds")
    if old is not None:
        yield from validation.unchanged("spec.selector", spec.selector, old.spec.selector)


def _strategy(spec: DeploymentSpec) -> Iterator[FieldError]:
    strategy = spec.strategy
    rolling, at = strategy.rollingUpdate, "spec.strategy.rollingUpdate"
    if strategy.type == "Recreate":
        if rolling is not None:
            yield forbidden(at, "may not be specified when strategy `type` is 'Recreate'")
    elif strategy.type == "RollingUpdate":
        for field, value in (("maxUnavailable", rolling.maxUnavailable), ("maxSurge", rolling.maxSurge)):
            yield from validation.amount_or_percentage(f"{at}.{field}", value)
        if validation.is_zero(rolling.maxUnavailable) and validation.is_zero(rolling.maxSurge):
            yield invalid(f"{at}.maxUnavailable", rolling.maxUnavailable, "may not be 0 when `maxSurge` is 0")
        yield from validation.not_over_hundred(f"{at}.maxUnavailable", rolling.maxUnavailable)
    else:
        rolling = strategy.rollingUpdate
        surge = {"MaxUnavailable": rolling.maxUnavailable, "MaxSurge": rolling.maxSurge} if rolling is not None else None
        yield unsupported("spec.strategy", {"Type": strategy.type, "RollingUpdate": surge}, STRATEGIES)


def validate_status(new: Deployment, old: Deployment) -> Iterator[FieldError]:
    bounded = ("updatedReplicas", "readyReplicas", "availableReplicas")
    counts = ("observedGeneration", "replicas", *bounded, "unavailableReplicas", "terminatingReplicas", "collisionCount")
    yield from validation.count_errors(new.status, "status", counts, "replicas", bounded)
    yield from validation.available_errors(new.status, "status")
    yield from validation.not_decremented("status.collisionCount", new.status.collisionCount, old.status.collisionCount)


RESOURCE = Resource(
    view=Deployment,
    group="apps",
    version="v1",
    kind="Deployment",
    plural="deployments",
    short_names=("deploy",),
    categories=("all",),
    subresources=("scale", "status"),
    status_keeps=("labels",),
    generation_counts_annotations=True,
    set_defaults=set_defaults,
    prepare=prepare,
    validate=validate,
    warnings=workload_warnings,
    validate_status=validate_status,
    columns=(
        plain("Ready", lambda one: f"{one.status.readyReplicas or 0}/{one.spec.replicas or 0}"),
        plain("Up-to-date", lambda one: one.status.updatedReplicas or 0),
        plain("Available", lambda one: one.status.availableReplicas or 0),
        AGE,
        *template_columns(),
    ),
)
