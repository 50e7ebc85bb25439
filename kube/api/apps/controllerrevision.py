"""ControllerRevision: one immutable state of a StatefulSet or DaemonSet, to roll back to (apps/v1).

https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/controller-revision-v1/
"""

from collections.abc import Iterator

from kube.api import validation
from kube.api.columns import AGE, NONE, plain
from kube.api.meta import controller_of
from kube.api.resource import Column, Resource
from kube.api.status import FieldError, required
from kube.api.types import ControllerRevision


def validate(new: ControllerRevision, old: ControllerRevision | None) -> Iterator[FieldError]:
    if not new.data:
        yield required("data", "data is mandatory")
    yield from validation.not_negative("revision", new.revision)
    if old is not None and new.data != old.data:
        yield from validation.unchanged("data", new.data, old.data)


def controller(revision: ControllerRevision) -> str:
    """`statefulset.apps/web`."""
    owner = controller_of(revision.metadata)
    if owner is None:
        return NONE
    group = owner.apiVersion.rpartition("/")[0]
    return f"{owner.kind.lower()}{'.' if group else ''}{group}/{owner.name}"


RESOURCE = Resource(
    view=ControllerRevision,
    group="apps",
    version="v1",
    kind="ControllerRevision",
    plural="controllerrevisions",
    has_generation=False,
    validate=validate,
    columns=(
        plain("Controller", controller),
        Column("Revision", lambda one, now: one.revision),
        AGE,
    ),
)
