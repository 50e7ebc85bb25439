"""PersistentVolume: a piece of storage that outlives pods (v1).

https://kubernetes.io/docs/concepts/storage/persistent-volumes/
"""

import posixpath
from collections.abc import Iterator

from kube.api import names, quantity, storage_access
from kube.api.columns import AGE, UNSET, plain
from kube.api.core.pod_validation.scheduling import node_selector_errors
from kube.api.core.pod_validation.update import difference
from kube.api.core.pod_warnings import volume_source_warnings
from kube.api.core.volume_sources import EXTRA_PATHS, OF_VOLUME, RULE_PATHS
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import NIL, FieldError, forbidden, invalid, required, unsupported
from kube.api.types import PersistentVolume, PersistentVolumeSpec, VolumeNodeAffinity
from kube.api.validation import complain
from kube.api.views import tree_of
from kube.api.volume_source import set_source_defaults

POLICIES = ("Delete", "Recycle", "Retain")
IMMUTABLE = "spec.persistentvolumesource is immutable after creation"
# Labels of nodes that have newer names, which a volume may change over to.
NEWER_LABELS = {
    "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
    "beta.kubernetes.io/os": "kubernetes.io/os",
    "beta.kubernetes.io/arch": "kubernetes.io/arch",
    "beta.kubernetes.io/instance-type": "node.kubernetes.io/instance-type",
}


def set_defaults(tree: Tree) -> None:
    spec = tree.setdefault("spec", {})
    spec.setdefault("persistentVolumeReclaimPolicy", "Retain")
    spec.setdefault("volumeMode", "Filesystem")
    set_source_defaults(spec)
    set_status_defaults(tree)


def set_status_defaults(tree: Tree) -> None:
    status = tree.setdefault("status", {})
    status["phase"] = status.get("phase") or "Pending"


def prepare(new: Tree, old: Tree | None) -> None:
    if old is None:
        new["status"] = {"phase": "Pending"}


def validate(new: PersistentVolume, old: PersistentVolume | None) -> Iterator[FieldError]:
    spec = new.spec
    yield from storage_access.access_mode_errors(spec.accessModes, "spec.accessModes")
    yield from _capacity(spec.capacity or {})
    if spec.persistentVolumeReclaimPolicy and spec.persistentVolumeReclaimPolicy not in POLICIES:
        yield unsupported("spec.persistentVolumeReclaimPolicy", spec.persistentVolumeReclaimPolicy, POLICIES)
    if spec.nodeAffinity is not None:
        if spec.nodeAffinity.required is None:
            yield required("spec.nodeAffinity.required", "must specify required node constraints")
        else:
            yield from node_selector_errors(spec.nodeAffinity.required, "spec.nodeAffinity.required")
    yield from _sources(spec, new.metadata.name or "")
    if spec.hostPath is not None and spec.persistentVolumeReclaimPolicy == "Recycle" and _is_root(spec.hostPath.path or ""):
        yield forbidden("spec.persistentVolumeReclaimPolicy", "may not be 'recycle' for a hostPath mount of '/'")
    if spec.storageClassName:
        yield from complain("spec.storageClassName", spec.storageClassName, names.subdomain)
    if spec.volumeMode is not None and spec.volumeMode not in storage_access.VOLUME_MODES:
        yield unsupported("spec.volumeMode", spec.volumeMode, storage_access.VOLUME_MODES)
    yield from _attributes_class(spec)
    if old is not None:
        yield from _changed(spec, old.spec)


def _capacity(capacity: dict[str, str]) -> Iterator[FieldError]:
    if not capacity:
        yield required("spec.capacity")
    if set(capacity) != {"storage"}:
        yield unsupported("spec.capacity", capacity or NIL, ("storage",))
    for name, amount in capacity.items():
        if quantity.value(amount) < 0:
            yield invalid(f"spec.capacity[{name}]", quantity.value(amount), "must be a valid resource quantity")
        if quantity.parse(amount) <= 0:
            yield invalid(f"spec.capacity[{name}]", amount, storage_access.MORE_THAN_ZERO)


def _sources(spec: PersistentVolumeSpec, name: str) -> Iterator[FieldError]:
    sources = [one for one in OF_VOLUME if getattr(spec, one) is not None]
    if not sources:
        yield required("spec", "must specify a volume type")
    for place, source in enumerate(sources):
        if place and source != "flexVolume":  # upstream does not look whether there is another
            yield forbidden(f"spec.{EXTRA_PATHS.get(source, source)}", "may not specify more than 1 volume type")
            continue
        yield from OF_VOLUME[source](getattr(spec, source), f"spec.{RULE_PATHS.get(source, source)}")
        if source == "local" and spec.nodeAffinity is None:
            yield required("spec.nodeAffinity", "Local volume requires node affinity")
        if source == "iscsi" and spec.iscsi.initiatorName is not None and len(f"{name}:{spec.iscsi.targetPortal}") > 64:
            text = "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if "
            yield invalid("spec.iscsi.targetportal", spec.iscsi.targetPortal, f"{text}iscsi.initiatorName is specified.")


def _is_root(path: str) -> bool:
    return posixpath.normpath(path) in ("/", "//")


def _attributes_class(spec: PersistentVolumeSpec) -> Iterator[FieldError]:
    name, path = spec.volumeAttributesClassName, "spec.volumeAttributesClassName"
    if name is None:
        return
    if not name:
        yield required(path, "an empty string is disallowed")
    else:
        yield from complain(path, name, names.subdomain)
    if spec.csi is None:
        yield required("spec.csi", "has to be specified when using volumeAttributesClassName")


def _changed(new: PersistentVolumeSpec, old: PersistentVolumeSpec) -> Iterator[FieldError]:
    before, after = _source(old), _source(new)
    if "controllerExpandSecretRef" not in (before.get("csi") or {}):
        (after.get("csi") or {}).pop("controllerExpandSecretRef", None)
    if after != before:
        yield forbidden("spec.persistentvolumesource", f"{IMMUTABLE}\n{difference(before, after)}")
    if new.volumeMode != old.volumeMode:
        yield invalid("volumeMode", new.volumeMode, "field is immutable")
    if old.nodeAffinity is not None and tree_of(new.nodeAffinity) not in (tree_of(old.nodeAffinity), _renamed(old.nodeAffinity)):
        text = "field is immutable, except for updating from beta label to GA"
        yield invalid("nodeAffinity", tree_of(new.nodeAffinity), text)
    if old.volumeAttributesClassName is not None and new.volumeAttributesClassName is None:
        yield forbidden("spec.volumeAttributesClassName", "update from non-nil value to nil is forbidden")


def _source(spec: PersistentVolumeSpec) -> Tree:
    return {name: value for name, value in tree_of(spec).items() if name in OF_VOLUME}


def _renamed(affinity: VolumeNodeAffinity) -> Tree:
    """With every beta label under its newer name."""
    tree: Tree = tree_of(affinity)
    for term in (tree.get("required") or {}).get("nodeSelectorTerms") or ():
        for expression in term.get("matchExpressions") or ():
            expression["key"] = NEWER_LABELS.get(expression["key"], expression["key"])
    return tree


def warnings(new: PersistentVolume, old: PersistentVolume | None) -> Iterator[str]:
    yield from volume_source_warnings(new.spec, "spec")
    if new.spec.persistentVolumeReclaimPolicy == "Recycle":
        yield (
            "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is "
            "to use dynamic provisioning."
        )
    for key, instead in (
        ("storage-class", 'since v1.8; use "storageClassName"'),
        ("mount-options", 'since v1.31; use "mountOptions"'),
    ):
        annotation = f"volume.beta.kubernetes.io/{key}"
        if annotation in (new.metadata.annotations or {}):
            yield f"metadata.annotations[{annotation}]: deprecated {instead} attribute instead"


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
    set_status_defaults=set_status_defaults,
    prepare=prepare,
    validate=validate,
    warnings=warnings,
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
