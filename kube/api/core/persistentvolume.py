"""PersistentVolume: a piece of storage that outlives pods (v1).

https://kubernetes.io/docs/concepts/storage/persistent-volumes/
"""

from collections.abc import Iterator

from kube.api import storage_access
from kube.api.columns import AGE, UNSET, plain
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import FieldError, forbidden, invalid, required, unsupported
from kube.api.types import PersistentVolume
from kube.api.views import tree_of
from kube.api.volume_source import set_source_defaults

POLICIES = ("Delete", "Recycle", "Retain")
# Fields of the spec that are no source of storage.
NO_SOURCE = (
    "capacity", "accessModes", "claimRef", "persistentVolumeReclaimPolicy", "storageClassName", "mountOptions", "volumeMode",
    "nodeAffinity", "volumeAttributesClassName",
)  # fmt: skip


def set_defaults(tree: Tree) -> None:
    spec = tree.setdefault("spec", {})
    spec.setdefault("persistentVolumeReclaimPolicy", "Retain")
    spec.setdefault("volumeMode", "Filesystem")
    set_source_defaults(spec)


def prepare(new: Tree, old: Tree | None) -> None:
    if old is None:
        new["status"] = {"phase": "Pending"}


def validate(new: PersistentVolume, old: PersistentVolume | None) -> Iterator[FieldError]:
    spec = new.spec
    yield from storage_access.access_mode_errors(spec.accessModes, "spec.accessModes")
    yield from storage_access.storage_errors(spec.capacity, "spec.capacity")
    sources = sorted(_source(new))
    if not sources:
        yield required("spec", "must specify a volume type")
    for extra in sources[1:]:
        yield forbidden(f"spec.{extra}", "may not specify more than 1 volume type")
    if spec.local is not None and spec.nodeAffinity is None:
        yield required("spec.nodeAffinity", "Local volume requires node affinity")
    if spec.hostPath is not None and ".." in (spec.hostPath.path or "").split("/"):
        yield invalid("spec.hostPath.path", spec.hostPath.path, "must not contain '..'")
    if spec.persistentVolumeReclaimPolicy not in POLICIES:
        yield unsupported("spec.persistentVolumeReclaimPolicy", spec.persistentVolumeReclaimPolicy or "", POLICIES)
    if spec.volumeMode not in storage_access.VOLUME_MODES:
        yield unsupported("spec.volumeMode", spec.volumeMode or "", storage_access.VOLUME_MODES)
    if old is None:
        return
    if _source(new) != _source(old):
        yield forbidden("spec.persistentvolumesource", "spec.persistentvolumesource is immutable after creation")
    if spec.volumeMode != old.spec.volumeMode:
        yield invalid("volumeMode", spec.volumeMode, "field is immutable")


def _source(volume: PersistentVolume) -> Tree:
    return {name: value for name, value in tree_of(volume.spec).items() if name not in NO_SOURCE}


def claim(volume: PersistentVolume) -> str:
    reference = volume.spec.claimRef
    return f"{reference.namespace}/{reference.name}" if reference is not None else ""


def phase(volume: PersistentVolume) -> str:
    return "Terminating" if volume.metadata.deletionTimestamp is not None else volume.status.phase


RESOURCE = Resource(
    view=PersistentVolume,
    group="",
    version="v1",
    kind="PersistentVolume",
    plural="persistentvolumes",
    namespaced=False,
    short_names=("pv",),
    subresources=("status",),
    has_generation=False,
    set_defaults=set_defaults,
    prepare=prepare,
    validate=validate,
    columns=(
        plain("Capacity", lambda volume: (volume.spec.capacity or {}).get("storage", "0")),
        plain("Access Modes", lambda volume: storage_access.short(volume.spec.accessModes)),
        plain("Reclaim Policy", lambda volume: volume.spec.persistentVolumeReclaimPolicy or ""),
        plain("Status", phase),
        plain("Claim", claim),
        plain("StorageClass", lambda volume: volume.spec.storageClassName or ""),
        plain("VolumeAttributesClass", lambda volume: volume.spec.volumeAttributesClassName or UNSET),
        plain("Reason", lambda volume: volume.status.reason or ""),
        AGE,
        plain("VolumeMode", lambda volume: volume.spec.volumeMode or UNSET, wide=True),
    ),
)
