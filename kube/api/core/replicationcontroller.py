"""ReplicationController: keeps a stated number of identical pods running; what ReplicaSets replaced (v1).

https://kubernetes.io/docs/concepts/workloads/controllers/replicationcontroller/
"""

from collections.abc import Iterator

from kube.api import labels, validation
from kube.api.columns import AGE, number, template_columns
from kube.api.core.pod_spec import set_template_defaults
from kube.api.core.pod_validation import always_restarted_errors, template_errors
from kube.api.core.pod_warnings import workload_warnings
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import NIL, FieldError, invalid, required
from kube.api.types import ReplicationController


def set_defaults(tree: Tree) -> None:
    """Labels and selector are the template's, where they are not given."""
    spec = tree.setdefault("spec", {})
    spec.setdefault("replicas", 1)
    if spec.get("template") is None:
        return
    set_template_defaults(spec["template"])
    found = spec["template"]["metadata"].get("labels")
    if found:
        if not spec.get("selector"):
            spec["selector"] = dict(found)
        if not tree.setdefault("metadata", {}).get("labels"):
            tree["metadata"]["labels"] = dict(found)


def prepare(new: Tree, old: Tree | None) -> None:
    if old is None:
        new["status"] = {"replicas": 0}


def validate(new: ReplicationController, old: ReplicationController | None) -> Iterator[FieldError]:
    spec = new.spec
    yield from validation.not_negative("spec.minReadySeconds", spec.minReadySeconds)
    if not spec.selector:
        yield required("spec.selector")
    yield from validation.not_negative("spec.replicas", spec.replicas)
    if spec.template is None:
        yield required("spec.template")
        return
    found = spec.template.metadata.labels if spec.template.metadata else None
    if spec.selector and not labels.from_map(spec.selector).matches(found):
        shown = NIL if found is None else found
        yield invalid("spec.template.metadata.labels", shown, "`selector` does not match template `labels`")
    yield from template_errors(spec.template, "spec.template")
    yield from always_restarted_errors(spec.template.spec, "spec.template.spec", "ReplicationController")


def validate_status(new: ReplicationController, old: ReplicationController) -> Iterator[FieldError]:
    bounded = ("fullyLabeledReplicas", "readyReplicas", "availableReplicas")
    counts = ("replicas", *bounded, "observedGeneration")
    yield from validation.count_errors(new.status, "status", counts, "replicas", bounded)
    yield from validation.available_errors(new.status, "status")


RESOURCE = Resource(
    view=ReplicationController,
    group="",
    version="v1",
    kind="ReplicationController",
    plural="replicationcontrollers",
    short_names=("rc",),
    categories=("all",),
    subresources=("scale", "status"),
    set_defaults=set_defaults,
    prepare=prepare,
    validate=validate,
    warnings=workload_warnings,
    validate_status=validate_status,
    columns=(
        number("Desired", lambda rc: rc.spec.replicas),
        number("Current", lambda rc: rc.status.replicas),
        number("Ready", lambda rc: rc.status.readyReplicas),
        AGE,
        *template_columns(),
    ),
    deletes_dependents="Orphan",
    field_selectors={"status.replicas": lambda tree: str((tree.get("status") or {}).get("replicas", 0))},
)
