"""PodTemplate: a pod to be made later (v1).

https://kubernetes.io/docs/concepts/workloads/pods/#pod-templates
"""

from collections.abc import Iterator

from kube.api.columns import container_images, container_names, map_text, plain
from kube.api.core.pod_spec import set_template_defaults
from kube.api.core.pod_validation import template_errors
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import FieldError
from kube.api.types import PodTemplate


def set_defaults(tree: Tree) -> None:
    set_template_defaults(tree.setdefault("template", {}))


def validate(new: PodTemplate, old: PodTemplate | None) -> Iterator[FieldError]:
    yield from template_errors(new.template, "template")


RESOURCE = Resource(
    view=PodTemplate,
    group="",
    version="v1",
    kind="PodTemplate",
    plural="podtemplates",
    set_defaults=set_defaults,
    validate=validate,
    columns=(
        plain("Containers", lambda one: container_names(one.template.spec.containers)),
        plain("Images", lambda one: container_images(one.template.spec.containers)),
        plain("Pod Labels", lambda one: map_text(one.template.metadata.labels if one.template.metadata else None)),
    ),
)
