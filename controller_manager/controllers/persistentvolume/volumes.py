"""Volumes: what to do about one PersistentVolume, from how it and the claim that it names stand. Pure.

Available until a claim takes it, Bound while that claim is there, Released after; what then happens is the reclaim policy's
matter, and Failed tells that it could not be done. Nothing but its owner's hand makes a retained volume available again.
https://kubernetes.io/docs/concepts/storage/persistent-volumes/#reclaiming
kubernetes pkg/controller/volume/persistentvolume/pv_controller.go syncVolume
"""

import re
from dataclasses import dataclass

from kube.api import volume_matching as matching
from kube.api.types import PersistentVolume, PersistentVolumeClaim

DELETABLE_HOST_PATH = re.compile(r"/tmp/.+")  # a hostPath volume's directory is removed nowhere else: it is for development


@dataclass(frozen=True)
class Phase:
    name: str
    message: str = ""


@dataclass(frozen=True)
class Unbind:
    """The claim it names is bound to another volume: let go of it, and be available."""


@dataclass(frozen=True)
class Release:
    """The claim is gone."""


@dataclass(frozen=True)
class Leave:
    """Nothing to do here: the claim's turn."""

    mismatch: str = ""  # told as an event


Decision = Phase | Unbind | Release | Leave


def decide(volume: PersistentVolume, claim: PersistentVolumeClaim | None) -> Decision:
    """`claim`: the one that claimRef names, by uid too; None where it is not there (any more)."""
    wanted = volume.spec.claimRef
    if wanted is None or not wanted.uid:
        return Phase("Available")
    if claim is None:
        return Release()
    if not claim.spec.volumeName:
        if (volume.spec.volumeMode or "Filesystem") != (claim.spec.volumeMode or "Filesystem"):
            return Leave(_mode_mismatch(claim))
        return Leave()
    if claim.spec.volumeName == volume.metadata.name:
        return Phase("Bound")
    if matching.annotation(volume, matching.PROVISIONED_BY) and volume.spec.persistentVolumeReclaimPolicy == "Delete":
        return Release()
    return Unbind()


def _mode_mismatch(claim: PersistentVolumeClaim) -> str:
    name = f"{claim.metadata.namespace}/{claim.metadata.name}"
    return f'Cannot bind PersistentVolume to requested PersistentVolumeClaim "{name}" due to incompatible volumeMode'


@dataclass(frozen=True)
class Remove:
    """Delete the volume, and the directory that it shows, if there is one."""

    directory: str = ""


@dataclass(frozen=True)
class Scrub:
    """Empty the volume, and make it available again."""


@dataclass(frozen=True)
class Fail:
    reason: str
    message: str


def reclaim(volume: PersistentVolume) -> Remove | Scrub | Fail | None:
    """What the policy says about a released volume; None: nothing to be done here."""
    name = volume.metadata.name
    match volume.spec.persistentVolumeReclaimPolicy:
        case "Delete":
            provisioner = matching.annotation(volume, matching.PROVISIONED_BY)
            if provisioner and not provisioner.startswith("kubernetes.io/"):
                return None  # who made it removes it
            if volume.spec.hostPath is None:
                message = f'error getting deleter volume plugin for volume "{name}": no deletable volume plugin matched'
                return None if volume.spec.csi is not None else Fail("VolumeFailedDelete", message)
            path = volume.spec.hostPath.path
            if not DELETABLE_HOST_PATH.fullmatch(path) or ".." in path.split("/"):
                return Fail("VolumeFailedDelete", f"host_path deleter only supports /tmp/.+ but received provided {path}")
            return Remove(path)
        case "Recycle":
            if volume.spec.hostPath is not None or volume.spec.nfs is not None:
                return Scrub()
            return Fail("VolumeFailedRecycle", "No recycler plugin found for the volume!")
    return None
