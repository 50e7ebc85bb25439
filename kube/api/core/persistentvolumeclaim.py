"""PersistentVolumeClaim: a request for storage, bound to one PersistentVolume (v1).

Once made it stays as it is; when bound it may ask for more room, and for other volume attributes.
https://kubernetes.io/docs/concepts/storage/persistent-volumes/#persistentvolumeclaims
"""

from collections.abc import Iterator

from kube.api import quantity, storage_access
from kube.api.columns import AGE, UNSET, plain
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import FieldError, forbidden
from kube.api.types import PersistentVolumeClaim
from kube.api.views import tree_of

IMMUTABLE = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"


def set_defaults(tree: Tree) -> None:
    storage_access.set_claim_defaults(tree)


def prepare(new: Tree, old: Tree | None) -> None:
    if old is None:
        new["status"] = {"phase": "Pending"}


def validate(new: PersistentVolumeClaim, old: PersistentVolumeClaim | None) -> Iterator[FieldError]:
    yield from storage_access.claim_spec_errors(new.spec)
    if old is None:
        return
    bound = old.status.phase == "Bound"
    if _fixed(new, bound, not old.spec.volumeName) != _fixed(old, bound, not old.spec.volumeName):
        yield forbidden("spec", IMMUTABLE)
    before, after = _requested(old), _requested(new)
    if bound and quantity.parse(after) < quantity.parse(before):
        given = (old.status.capacity or {}).get("storage", "0")
        if quantity.parse(after) <= quantity.parse(given):
            yield forbidden("spec.resources.requests.storage", "field can not be less than status.capacity")


def _requested(claim: PersistentVolumeClaim) -> str:
    requests = claim.spec.resources.requests if claim.spec.resources else None
    return str((requests or {}).get("storage", "0"))


def _fixed(claim: PersistentVolumeClaim, bound: bool, unbound_name: bool) -> Tree:
    """The spec without what may change."""
    spec: Tree = tree_of(claim.spec)
    if unbound_name:
        spec.pop("volumeName", None)  # the binder sets it, once
    if bound:
        (spec.get("resources") or {}).get("requests", {}).pop("storage", None)
        spec.pop("volumeAttributesClassName", None)
    return spec


def phase(claim: PersistentVolumeClaim) -> str:
    return "Terminating" if claim.metadata.deletionTimestamp is not None else claim.status.phase


def capacity(claim: PersistentVolumeClaim) -> str:
    return (claim.status.capacity or {}).get("storage", "0") if claim.spec.volumeName else ""


def storage_class(claim: PersistentVolumeClaim) -> str:
    old_way = (claim.metadata.annotations or {}).get("volume.beta.kubernetes.io/storage-class")
    return old_way or claim.spec.storageClassName or ""


RESOURCE = Resource(
    view=PersistentVolumeClaim,
    group="",
    version="v1",
    kind="PersistentVolumeClaim",
    plural="persistentvolumeclaims",
    short_names=("pvc",),
    subresources=("status",),
    has_generation=False,
    set_defaults=set_defaults,
    prepare=prepare,
    validate=validate,
    columns=(
        plain("Status", phase),
        plain("Volume", lambda claim: claim.spec.volumeName or ""),
        plain("Capacity", capacity),
        plain("Access Modes", lambda claim: storage_access.short(claim.status.accessModes) if claim.spec.volumeName else ""),
        plain("StorageClass", storage_class),
        plain("VolumeAttributesClass", lambda claim: claim.spec.volumeAttributesClassName or UNSET),
        AGE,
        plain("VolumeMode", lambda claim: claim.spec.volumeMode or UNSET, wide=True),
    ),
)
