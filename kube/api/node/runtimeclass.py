"""RuntimeClass: a way of running containers that a pod can choose (node.k8s.io/v1).

https://kubernetes.io/docs/concepts/containers/runtime-class/
"""

from collections.abc import Iterator, Sequence

from kube.api import names, validation
from kube.api.columns import AGE, plain
from kube.api.core.pod_validation.resources import resource_errors
from kube.api.core.pod_validation.scheduling import toleration_errors
from kube.api.metadata import label_errors
from kube.api.resource import Resource
from kube.api.status import FieldError, duplicate
from kube.api.types import ResourceRequirements, RuntimeClass, Toleration


def validate(new: RuntimeClass, old: RuntimeClass | None) -> Iterator[FieldError]:
    yield from validation.complain("handler", new.handler or "", names.label)
    if new.overhead is not None:
        yield from resource_errors(ResourceRequirements(limits=new.overhead.podFixed), "overhead")
    if new.scheduling is not None:
        yield from label_errors(new.scheduling.nodeSelector, "scheduling.nodeSelector")
        yield from _tolerations(new.scheduling.tolerations or (), "scheduling.tolerations")
    if old is not None:
        yield from validation.unchanged("handler", new.handler, old.handler)


def _tolerations(tolerations: Sequence[Toleration], path: str) -> Iterator[FieldError]:
    yield from toleration_errors(tolerations, f"{path}.tolerations")  # upstream's path
    for index, one in enumerate(tolerations):
        if one in tolerations[:index]:
            fields = ("Key", "Operator", "Value", "Effect")
            shown = {name: getattr(one, name.lower()) or "" for name in fields} | {"TolerationSeconds": one.tolerationSeconds}
            yield duplicate(f"{path}[{index}]", shown)


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
