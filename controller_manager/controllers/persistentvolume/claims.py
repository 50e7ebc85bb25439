"""Claims: what to do about one PersistentVolumeClaim, from how it, its volume and its class stand. Pure.

A claim is pending until both sides name each other; it is lost where a volume that it was bound to is gone or somebody else's.
https://kubernetes.io/docs/concepts/storage/persistent-volumes/#lifecycle-of-a-volume-and-claim
kubernetes pkg/controller/volume/persistentvolume/pv_controller.go syncClaim
"""

from collections.abc import Iterable
from dataclasses import dataclass

from kube.api import volume_matching as matching
from kube.api.types import PersistentVolume, PersistentVolumeClaim, StorageClass

NO_VOLUME_NO_CLASS = "no persistent volumes available for this claim and no storage class is set"
NO_CONSUMER = "waiting for first consumer to be created before binding"
EXTERNAL = (
    "Waiting for a volume to be created either by the external provisioner '{}' or manually by the system administrator. "
    "If volume creation is delayed, please verify that the provisioner is running and correctly registered."
)
LOST_VOLUME = "Bound claim has lost its PersistentVolume. Data on the volume is lost!"
LOST_REFERENCE = "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!"
MISBOUND = "Two claims are bound to the same volume, this one is bound incorrectly"


@dataclass(frozen=True)
class Told:
    """An event."""

    type: str
    reason: str
    message: str


@dataclass(frozen=True)
class Bind:
    volume: PersistentVolume


@dataclass(frozen=True)
class Wait:
    """Stay pending; `provisioner` is an external one that is asked, by annotations."""

    why: Told | None = None
    provisioner: str = ""


@dataclass(frozen=True)
class Lose:
    why: Told


Decision = Bind | Wait | Lose


def decide(
    claim: PersistentVolumeClaim,
    named: PersistentVolume | None,
    candidates: Iterable[PersistentVolume],
    storage_class: StorageClass | None,
    pod: str = "",
) -> Decision:
    """`named`: the volume of spec.volumeName, if it is there; `pod`: one that uses the claim and has no node yet."""
    if matching.annotation(claim, matching.BIND_COMPLETED):
        return _bound_once(claim, named)
    if claim.spec.volumeName:
        return _asked_for(claim, named)
    delayed = matching.waits_for_consumer(storage_class)
    found = matching.best_match(claim, candidates, delayed=delayed)
    if found is not None:
        return Bind(found)
    if delayed and not matching.annotation(claim, matching.SELECTED_NODE):
        if pod:
            return Wait(Told("Normal", "WaitForPodScheduled", f"waiting for pod {pod} to be scheduled"))
        return Wait(Told("Normal", "WaitForFirstConsumer", NO_CONSUMER))
    return _provision(matching.class_of(claim), storage_class)


def _bound_once(claim: PersistentVolumeClaim, named: PersistentVolume | None) -> Decision:
    if not claim.spec.volumeName:
        return Lose(Told("Warning", "ClaimLost", LOST_REFERENCE))
    if named is None:
        return Lose(Told("Warning", "ClaimLost", LOST_VOLUME))
    wanted = named.spec.claimRef
    if wanted is None or wanted.uid == claim.metadata.uid:
        return Bind(named)
    return Lose(Told("Warning", "ClaimMisbound", MISBOUND))


def _asked_for(claim: PersistentVolumeClaim, named: PersistentVolume | None) -> Decision:
    """The claim names its volume: by hand, or a binding was cut short."""
    if named is None:
        return Wait()
    if matching.is_for(named, claim):
        return Bind(named)
    if named.spec.claimRef is not None:
        message = f'volume "{named.metadata.name}" already bound to a different claim.'
        return Wait(Told("Warning", "FailedBinding", message))
    why = matching.mismatch(named, claim)
    if why:
        return Wait(Told("Warning", "VolumeMismatch", f'Cannot bind to requested volume "{named.metadata.name}": {why}'))
    return Bind(named)


def _provision(name: str, storage_class: StorageClass | None) -> Wait:
    """Nothing here makes volumes: a provisioner outside may."""
    if not name:
        return Wait(Told("Normal", "FailedBinding", NO_VOLUME_NO_CLASS))
    if storage_class is None:
        return Wait(Told("Warning", "ProvisioningFailed", f'storageclass.storage.k8s.io "{name}" not found'))
    provisioner = storage_class.provisioner
    if provisioner.startswith("kubernetes.io/"):
        return Wait(Told("Warning", "ProvisioningFailed", f"no volume plugin matched name: {provisioner}"))
    return Wait(Told("Normal", "ExternalProvisioning", EXTERNAL.format(provisioner)), provisioner)
