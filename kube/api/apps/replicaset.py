"""ReplicaSet: keeps a stated number of identical pods running (apps/v1).

https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/
"""

from collections.abc import Iterator
from typing import Any

from kube.api import validation
from kube.api.columns import AGE, number, template_columns
from kube.api.core.pod_spec import set_template_defaults
from kube.api.core.pod_validation import always_restarted_errors, template_errors
from kube.api.core.pod_warnings import workload_warnings
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import FieldError
from kube.api.types import ReplicaSet


def set_defaults(tree: Tree) -> None:
    spec = tree.setdefault("spec", {})
    spec.setdefault("replicas", 1)
    set_template_defaults(spec.setdefault("template", {}))


def prepare(new: Tree, old: Tree | None) -> None:
    if old is None:
        new["status"] = {"replicas": 0}


def replicated_template_errors(selector: Any, template: Any) -> Iterator[FieldError]:
    """Of the template of a ReplicaSet, or of a Deployment, which makes them."""
    yield from validation.matching_errors(selector, template, broken="invalid label selector")
    yield from template_errors(template, "spec.template")
    yield from always_restarted_errors(template.spec, "spec.template.spec", "ReplicaSet")


def validate(new: ReplicaSet, old: ReplicaSet | None) -> Iterator[FieldError]:
    spec = new.spec
    yield from validation.not_negative("spec.replicas", spec.replicas)
    yield from validation.not_negative("spec.minReadySeconds", spec.minReadySeconds)
    yield from validation.workload_selector_errors(spec.selector, "deployment")  # upstream's word
    yield from replicated_template_errors(spec.selector, spec.template)
    if old is not None:
        yield from validation.unchanged("spec.selector", spec.selector, old.spec.selector)


def validate_status(new: ReplicaSet, old: ReplicaSet) -> Iterator[FieldError]:
    bounded = ("fullyLabeledReplicas", "readyReplicas", "availableReplicas")
    counts = ("replicas", *bounded, "terminatingReplicas", "observedGeneration")
    yield from validation.count_errors(new.status, "status", counts, "replicas", bounded)
    yield from validation.available_errors(new.status, "status")


RESOURCE = Resource(
    view=ReplicaSet,
    group="apps",
    version="v1",
    kind="ReplicaSet",
    plural="replicasets",
    short_names=("rs",),
    categories=("all",),
    subresources=("scale", "status"),
    set_defaults=set_defaults,
    prepare=prepare,
    validate=validate,
    warnings=workload_warnings,
    validate_status=validate_status,
    columns=(
        number("Desired", lambda one: one.spec.replicas),
        number("Current", lambda one: one.status.replicas),
        number("Ready", lambda one: one.status.readyReplicas),
        AGE,
        *template_columns(),
    ),
    field_selectors={"status.replicas": lambda tree: str((tree.get("status") or {}).get("replicas", 0))},
)
