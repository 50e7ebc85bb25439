"""Volume matching: which PersistentVolume may serve a claim, and which of those is the best. Pure.

A volume that names the claim (`claimRef`) comes before all others; else the smallest that is large enough, of the same class and
volume mode, with all the access modes asked for, with the labels that the selector wants, and reachable from the node. The
controller manager binds claims without a node; the scheduler those whose class waits for the first consumer, with one.
https://kubernetes.io/docs/concepts/storage/persistent-volumes/#binding
kubernetes staging/src/k8s.io/component-helpers/storage/volume/pv_helpers.go
"""

from collections.abc import Container, Iterable

from kube.api import labels, node_affinity, quantity
from kube.api.meta import Tree
from kube.api.types import Node, PersistentVolume, PersistentVolumeClaim, StorageClass

BIND_COMPLETED = "pv.kubernetes.io/bind-completed"  # on a claim: both sides were written once
BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"  # on either: nobody else chose the other side
PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
SELECTED_NODE = "volume.kubernetes.io/selected-node"
PROVISIONER, OLD_PROVISIONER = "volume.kubernetes.io/storage-provisioner", "volume.beta.kubernetes.io/storage-provisioner"
OLD_CLASS = "volume.beta.kubernetes.io/storage-class"
NO_PROVISIONER = "kubernetes.io/no-provisioner"  # of a class whose volumes are made by hand
WAIT_FOR_FIRST_CONSUMER = "WaitForFirstConsumer"


def annotation(obj: PersistentVolume | PersistentVolumeClaim, name: str) -> str:
    return str((obj.metadata.annotations or {}).get(name, ""))


def class_of(obj: PersistentVolume | PersistentVolumeClaim) -> str:
    """The storage class's name; empty: none. The annotation is what the field was once, and still wins."""
    return annotation(obj, OLD_CLASS) or obj.spec.storageClassName or ""


def waits_for_consumer(storage_class: StorageClass | None) -> bool:
    return storage_class is not None and storage_class.volumeBindingMode == WAIT_FOR_FIRST_CONSUMER


def is_for(volume: PersistentVolume, claim: PersistentVolumeClaim) -> bool:
    """Whether the volume names this very claim; by name alone, if the uid is left to be filled in."""
    wanted = volume.spec.claimRef
    if wanted is None or (wanted.namespace, wanted.name) != (claim.metadata.namespace, claim.metadata.name):
        return False
    return not wanted.uid or wanted.uid == claim.metadata.uid


def reference_to(claim: PersistentVolumeClaim) -> Tree:
    """What a volume's claimRef says of the claim."""
    meta = claim.metadata
    return {
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": meta.namespace, "name": meta.name, "uid": meta.uid,
        "resourceVersion": meta.resourceVersion,
    }  # fmt: skip


def fully_bound(claim: PersistentVolumeClaim) -> bool:
    return bool(claim.spec.volumeName) and bool(annotation(claim, BIND_COMPLETED))


def requested(claim: PersistentVolumeClaim) -> int:
    """Bytes."""
    return quantity.value(((claim.spec.resources.requests if claim.spec.resources else None) or {}).get("storage", "0"))


def size(volume: PersistentVolume) -> int:
    """Bytes."""
    return quantity.value((volume.spec.capacity or {}).get("storage", "0"))


def reachable(volume: PersistentVolume, node: Node) -> bool:
    """Whether the volume's node affinity allows the node."""
    affinity = volume.spec.nodeAffinity
    return affinity is None or affinity.required is None or node_affinity.selects(affinity.required, node)


def best_match(
    claim: PersistentVolumeClaim,
    volumes: Iterable[PersistentVolume],
    node: Node | None = None,
    *,
    delayed: bool = False,
    taken: Container[str] = (),
) -> PersistentVolume | None:
    """The volume to bind, or None. `taken`: names of volumes chosen already; `delayed`: without a node only one that names
    the claim will do."""
    best: PersistentVolume | None = None
    for volume in volumes:
        if volume.metadata.name in taken or not _could_serve(volume, claim):
            continue
        if is_for(volume, claim):
            return volume if node is None or reachable(volume, node) else None
        if (node is None and delayed) or not _free_and_fits(volume, claim):
            continue
        if (node is None or reachable(volume, node)) and (best is None or _order(volume) < _order(best)):
            best = volume
    return best


def mismatch(volume: PersistentVolume, claim: PersistentVolumeClaim) -> str:
    """Why a volume that the claim asks for by name cannot serve it; empty where it can."""
    if size(volume) < requested(claim):
        return "requested PV is too small"
    if class_of(volume) != class_of(claim):
        return "storageClassName does not match"
    if _mode(volume) != _mode(claim):
        return "incompatible volumeMode"
    if not set(claim.spec.accessModes or ()) <= set(volume.spec.accessModes or ()):
        return "incompatible accessMode"
    return ""


def _could_serve(volume: PersistentVolume, claim: PersistentVolumeClaim) -> bool:
    """What holds even for a volume that was set aside for the claim."""
    if volume.spec.claimRef is not None and not is_for(volume, claim):
        return False
    if volume.metadata.deletionTimestamp is not None or size(volume) < requested(claim) or _mode(volume) != _mode(claim):
        return False
    return (volume.spec.volumeAttributesClassName or "") == (claim.spec.volumeAttributesClassName or "")


def _free_and_fits(volume: PersistentVolume, claim: PersistentVolumeClaim) -> bool:
    if volume.status is None or volume.status.phase != "Available" or class_of(volume) != class_of(claim):
        return False
    if not set(claim.spec.accessModes or ()) <= set(volume.spec.accessModes or ()):
        return False
    return claim.spec.selector is None or labels.from_label_selector(claim.spec.selector).matches(volume.metadata.labels)


def _order(volume: PersistentVolume) -> tuple[int, int, str]:
    """The smallest, then the one that can do least besides, then by name."""
    return size(volume), len(volume.spec.accessModes or ()), volume.metadata.name


def _mode(obj: PersistentVolume | PersistentVolumeClaim) -> str:
    return obj.spec.volumeMode or "Filesystem"
