"""VolumeAttachment: a volume is to be, or is, attached to a node (storage.k8s.io/v1).

https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/volume-attachment-v1/
"""

from collections.abc import Iterator

from kube.api import validation
from kube.api.columns import AGE, plain
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import FieldError, required
from kube.api.types import VolumeAttachment


def prepare(new: Tree, old: Tree | None) -> None:
    if old is None:
        new["status"] = {"attached": False}


def validate(new: VolumeAttachment, old: VolumeAttachment | None) -> Iterator[FieldError]:
    for field in ("attacher", "nodeName"):
        if not getattr(new.spec, field):
            yield required(f"spec.{field}")
    source = new.spec.source
    if source is None or (not source.persistentVolumeName and source.inlineVolumeSpec is None):
        yield required("spec.source", "must specify exactly one of inlineVolumeSpec and persistentVolumeName")
    if old is not None:
        yield from validation.unchanged("spec", new.spec, old.spec)


RESOURCE = Resource(
    view=VolumeAttachment,
    group="storage.k8s.io",
    version="v1",
    kind="VolumeAttachment",
    plural="volumeattachments",
    namespaced=False,
    subresources=("status",),
    has_generation=False,
    unconditional_update=False,
    prepare=prepare,
    validate=validate,
    columns=(
        plain("Attacher", lambda one: one.spec.attacher),
        plain("PV", lambda one: one.spec.source.persistentVolumeName or ""),
        plain("Node", lambda one: one.spec.nodeName),
        plain("Attached", lambda one: bool(one.status and one.status.attached), type="boolean"),
        AGE,
    ),
)
