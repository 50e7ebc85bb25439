"""VolumeAttachment: a volume is to be, or is, attached to a node (storage.k8s.io/v1).

https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/volume-attachment-v1/
"""

from collections.abc import Iterator

from kube.api import names, validation
from kube.api.columns import AGE, plain
from kube.api.core.volume_sources import driver_name_errors
from kube.api.meta import Tree
from kube.api.resource import OWN_METADATA, Column, Resource
from kube.api.status import FieldError, forbidden, required
from kube.api.types import VolumeAttachment

ONE_SOURCE = "must specify exactly one of inlineVolumeSpec and persistentVolumeName"


def prepare(new: Tree, old: Tree | None) -> None:
    if old is None:
        new["status"] = {"attached": False}


def validate(new: VolumeAttachment, old: VolumeAttachment | None) -> Iterator[FieldError]:
    if not new.spec.attacher:
        yield required("spec.attacher")
    source = new.spec.source
    name, within = (source.persistentVolumeName, source.inlineVolumeSpec) if source is not None else (None, None)
    if name is None and within is None:
        yield required("spec.source", ONE_SOURCE)
    elif name is not None and within is not None:
        yield forbidden("spec.source", ONE_SOURCE)
    elif name == "":
        yield required("spec.source.persistentVolumeName", "must specify non empty persistentVolumeName")
    yield from validation.complain("spec.nodeName", new.spec.nodeName or "", names.subdomain)
    if old is not None:
        yield from validation.unchanged("spec", new.spec, old.spec)
        return
    yield from driver_name_errors(new.spec.attacher, "spec.attacher")
    if name is not None:
        yield from validation.complain("spec.source.persistentVolumeName", name, names.subdomain)


RESOURCE = Resource(
    view=VolumeAttachment,
    group="storage.k8s.io",
    version="v1",
    kind="VolumeAttachment",
    plural="volumeattachments",
    namespaced=False,
    subresources=("status",),
    status_keeps=OWN_METADATA,
    has_generation=False,
    unconditional_update=False,
    prepare=prepare,
    validate=validate,
    columns=(
        Column("Attacher", lambda one, now: one.spec.attacher, format="name"),
        plain("PV", lambda one: one.spec.source.persistentVolumeName or ""),
        plain("Node", lambda one: one.spec.nodeName),
        plain("Attached", lambda one: bool(one.status and one.status.attached), type="boolean"),
        AGE,
    ),
)
