"""ReplicaSet: keeps a stated number of identical pods running (apps/v1).

https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/
"""

from collections.abc import Iterator

from kube.api import validation
from kube.api.columns import AGE, number, template_columns
from kube.api.core.pod_spec import set_template_defaults
from kube.api.core.pod_validation import pod_spec_errors
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import FieldError, required, unsupported
from kube.api.types import ReplicaSet


def set_defaults(tree: Tree) -> None:
    spec = tree.setdefault("spec", {})
    spec.setdefault("replicas", 1)
    if spec.get("template") is not None:
        set_template_defaults(spec["template"])


def prepare(new: Tree, old: Tree | None) -> None:
    if old is None:
        new["status"] = {"replicas": 0}


def validate(new: ReplicaSet, old: ReplicaSet | None) -> Iterator[FieldError]:
    spec = new.spec
    yield from validation.not_negative("spec.replicas", spec.replicas)
    yield from validation.not_negative("spec.minReadySeconds", spec.minReadySeconds)
    if spec.template is None or spec.template.spec is None:
        yield required("spec.template")
        return
    yield from validation.workload_selector_errors(spec.selector, spec.template, "deployment")  # upstream's word
    yield from validation.template_metadata_errors(spec.template, "spec.template")
    yield from pod_spec_errors(spec.template.spec, "spec.template.spec")
    if spec.template.spec.restartPolicy != "Always":
        yield unsupported("spec.template.spec.restartPolicy", spec.template.spec.restartPolicy, ("Always",))
    if old is not None:
        yield from validation.unchanged("spec.selector", spec.selector, old.spec.selector)


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
    columns=(
        number("Desired", lambda one: one.spec.replicas),
        number("Current", lambda one: one.status.replicas),
        number("Ready", lambda one: one.status.readyReplicas),
        AGE,
        *template_columns(),
    ),
    field_selectors={"status.replicas": lambda tree: str((tree.get("status") or {}).get("replicas", 0))},
)
