"""PersistentVolumeClaim: a request for storage, bound to one PersistentVolume (v1).

Once made it stays as it is; when bound it may ask for more room, and for other volume attributes.
https://kubernetes.io/docs/concepts/storage/persistent-volumes/#persistentvolumeclaims
"""

from collections.abc import Iterator

from kube.api import names, quantity, storage_access
from kube.api.columns import AGE, UNSET, plain
from kube.api.core.pod_validation.update import difference
from kube.api.core.resource_names import is_native
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import FieldError, forbidden, invalid, unsupported
from kube.api.types import PersistentVolumeClaim
from kube.api.validation import complain
from kube.api.views import tree_of

CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"
RESIZING = (
    "ControllerResizeInProgress", "ControllerResizeInfeasible", "NodeResizeInProgress", "NodeResizeInfeasible",
    "NodeResizePending",
)  # fmt: skip
IMMUTABLE = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"


def set_defaults(tree: Tree) -> None:
    storage_access.set_claim_defaults(tree)
    set_status_defaults(tree)


def set_status_defaults(tree: Tree) -> None:
    status = tree.setdefault("status", {})
    status["phase"] = status.get("phase") or "Pending"


def prepare(new: Tree, old: Tree | None) -> None:
    if old is None:
        new["status"] = {"phase": "Pending"}


def validate(new: PersistentVolumeClaim, old: PersistentVolumeClaim | None) -> Iterator[FieldError]:
    yield from storage_access.claim_spec_errors(new.spec)
    if old is None:
        return
    after, before = _fixed(new, old), _fixed(old, old)
    if after != before:
        yield forbidden("spec", f"{IMMUTABLE}\n{difference(before, after)}")
    asked, had, given = _requested(new), _requested(old), (old.status.capacity or {}).get("storage", "0")
    if quantity.parse(asked) < quantity.parse(had) and quantity.parse(asked) <= quantity.parse(given):
        yield forbidden("spec.resources.requests.storage", "field can not be less than status.capacity")
    if new.spec.volumeMode != old.spec.volumeMode:
        yield invalid("volumeMode", new.spec.volumeMode, "field is immutable")
    if old.spec.volumeAttributesClassName is not None:
        path, name = "spec.volumeAttributesClassName", new.spec.volumeAttributesClassName
        if name is None:
            yield forbidden(path, "update from non-nil value to nil is forbidden")
        elif not name and old.spec.volumeAttributesClassName:
            yield forbidden(path, "update from non-nil value to an empty string is forbidden")


def validate_status(new: PersistentVolumeClaim, old: PersistentVolumeClaim) -> Iterator[FieldError]:
    for name, amount in (new.status.capacity or {}).items():
        if quantity.value(amount) < 0:
            yield invalid(f"status.capacity[{name}]", quantity.value(amount), "must be a valid resource quantity")
    for name, word in (new.status.allocatedResourceStatuses or {}).items():
        yield from _resource_name(name, "status.allocatedResourceStatus")
        if word not in RESIZING:
            yield unsupported("status.allocatedResourceStatus", name, RESIZING)
    for name, amount in (new.status.allocatedResources or {}).items():
        yield from _resource_name(name, "status.allocatedResources")
        if quantity.value(amount) < 0:
            yield invalid(f"status.allocatedResources[{name}]", quantity.value(amount), "must be a valid resource quantity")


def _resource_name(name: str, path: str) -> Iterator[FieldError]:
    complaints = list(complain(path, name, names.qualified))
    yield from complaints
    if not complaints and is_native(name) and name != "storage":
        yield unsupported(path, name, ("storage",))


def _requested(claim: PersistentVolumeClaim) -> str:
    requests = claim.spec.resources.requests if claim.spec.resources else None
    return str((requests or {}).get("storage", "0"))


def _fixed(claim: PersistentVolumeClaim, old: PersistentVolumeClaim) -> Tree:
    """The spec without what may change, given what was there."""
    spec: Tree = tree_of(claim.spec)
    if not old.spec.volumeName:
        spec.pop("volumeName", None)  # the binder sets it, once
    if old.spec.storageClassName is None and claim.spec.storageClassName is not None:
        annotated = (old.metadata.annotations or {}).get(CLASS_ANNOTATION)
        if annotated in (None, claim.spec.storageClassName):
            spec.pop("storageClassName", None)  # a class may be chosen later
    if old.status.phase == "Bound":
        (spec.get("resources") or {}).get("requests", {}).pop("storage", None)
        spec.pop("volumeAttributesClassName", None)
    return spec


def warnings(new: PersistentVolumeClaim, old: PersistentVolumeClaim | None) -> Iterator[str]:
    if CLASS_ANNOTATION in (new.metadata.annotations or {}):
        yield f'metadata.annotations[{CLASS_ANNOTATION}]: deprecated since v1.8; use "storageClassName" attribute instead'
    asked = quantity.parse(_requested(new))
    if asked != asked.to_integral_value():
        shown = quantity.canonical(_requested(new))
        yield f'spec.resources.requests[storage]: fractional byte value "{shown}" is invalid, must be an integer'


def phase(claim: PersistentVolumeClaim) -> str:
    return "Terminating" if claim.metadata.deletionTimestamp is not None else claim.status.phase


def capacity(claim: PersistentVolumeClaim) -> str:
    return (claim.status.capacity or {}).get("storage", "0") if claim.spec.volumeName else ""


def storage_class(claim: PersistentVolumeClaim) -> str:
    old_way = (claim.metadata.annotations or {}).get(CLASS_ANNOTATION)
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
    set_status_defaults=set_status_defaults,
    prepare=prepare,
    validate=validate,
    warnings=warnings,
    validate_status=validate_status,
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
