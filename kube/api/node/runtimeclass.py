"""RuntimeClass: a way of running containers that a pod can choose (node.k8s.io/v1).

https://kubernetes.io/docs/concepts/containers/runtime-class/
"""

from collections.abc import Iterator

from kube.api import names, validation
from kube.api.columns import AGE, plain
from kube.api.resource import Resource
from kube.api.status import FieldError
from kube.api.types import RuntimeClass


def validate(new: RuntimeClass, old: RuntimeClass | None) -> Iterator[FieldError]:
    yield from validation.named("handler", new.handler, names.label)
    if old is not None:
        yield from validation.unchanged("handler", new.handler, old.handler)


RESOURCE = Resource(
    view=RuntimeClass,
    group="node.k8s.io",
    version="v1",
    kind="RuntimeClass",
    plural="runtimeclasses",
    namespaced=False,
    has_generation=False,
    unconditional_update=False,
    validate=validate,
    columns=(plain("Handler", lambda one: one.handler), AGE),
)
