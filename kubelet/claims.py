"""Claims: from a pod's volume that names a claim to the PersistentVolume that the claim is bound to.

A node may read a claim and its volume while a pod here names it, and may not watch them: they are asked for when the pod starts,
and remembered until it is gone. Upstream: pkg/kubelet/volumemanager/populator
"""

from typing import Protocol

from kube.api.meta import Key, controlled_by
from kube.api.status import ApiError
from kube.api.types import PersistentVolume, PersistentVolumeClaim, Pod, Volume
from kube.client.rest import Client, Unreachable
from kubelet.claim_growth import ClaimGrowth
from kubelet.pod_events import PodEvents
from kubelet.volumes.volume import ClaimNotReady, Growth


class Claims(Protocol):
    async def volume_of(self, pod: Pod, volume: Volume) -> PersistentVolume:
        """Raises ClaimNotReady."""

    def known(self, pod: Pod, volume: Volume) -> PersistentVolume | None:
        """As `volume_of` said."""

    def growth(self, pod: Pod, volume: Volume, persistent: PersistentVolume) -> Growth | None: ...

    def forget(self, uid: str) -> None:
        """The pod is gone."""


class NoClaims:
    """For a kubelet without an API server."""

    async def volume_of(self, pod: Pod, volume: Volume) -> PersistentVolume:
        raise ClaimNotReady(_problem(pod, claim_name(pod, volume), "this kubelet has no API server"))

    def known(self, pod: Pod, volume: Volume) -> PersistentVolume | None:
        return None

    def growth(self, pod: Pod, volume: Volume, persistent: PersistentVolume) -> Growth | None:
        return None

    def forget(self, uid: str) -> None:
        """Nothing was remembered."""


class AskedClaims:
    """See `Claims`."""

    def __init__(self, client: Client, events: PodEvents) -> None:
        self._client = client
        self._events = events
        self._known: dict[str, dict[str, PersistentVolume]] = {}  # by the pod's uid and the volume's name

    async def volume_of(self, pod: Pod, volume: Volume) -> PersistentVolume:
        known = self._known.setdefault(pod.metadata.uid, {})
        if volume.name not in known:
            known[volume.name] = await self._asked(pod, volume)
        return known[volume.name]

    async def _asked(self, pod: Pod, volume: Volume) -> PersistentVolume:
        name = claim_name(pod, volume)
        try:
            claim = await self._client.get(PersistentVolumeClaim, pod.metadata.namespace, name)
        except (ApiError, Unreachable) as error:
            raise ClaimNotReady(_problem(pod, name, f"failed to fetch PVC from API server: {error}")) from error
        why = unready(pod, volume, claim)
        if why:
            raise ClaimNotReady(_problem(pod, name, why))
        try:
            found = await self._client.get(PersistentVolume, "", claim.spec.volumeName)
        except (ApiError, Unreachable) as error:
            message = f"failed to fetch PV {claim.spec.volumeName} from API server: {error}"
            raise ClaimNotReady(_problem(pod, name, message)) from error
        if found.spec.claimRef is None or found.spec.claimRef.uid != claim.metadata.uid:
            raise ClaimNotReady(_problem(pod, name, f"PV {found.metadata.name} is not bound to this claim"))
        return found

    def known(self, pod: Pod, volume: Volume) -> PersistentVolume | None:
        return self._known.get(pod.metadata.uid, {}).get(volume.name)

    def growth(self, pod: Pod, volume: Volume, persistent: PersistentVolume) -> Growth | None:
        claim = Key(pod.metadata.namespace or "", claim_name(pod, volume))
        return ClaimGrowth(self._client, self._events, pod, claim, persistent.metadata.name or "")

    def forget(self, uid: str) -> None:
        self._known.pop(uid, None)


def names_claim(volume: Volume) -> bool:
    return volume.persistentVolumeClaim is not None or volume.ephemeral is not None


def claim_name(pod: Pod, volume: Volume) -> str:
    if volume.persistentVolumeClaim is not None:
        return str(volume.persistentVolumeClaim.claimName)
    return f"{pod.metadata.name}-{volume.name}"


def unready(pod: Pod, volume: Volume, claim: PersistentVolumeClaim) -> str:
    """Why the claim cannot be used; empty where it can. Pure."""
    if volume.ephemeral is not None and not controlled_by(claim.metadata, pod.metadata.uid or ""):
        return f"PVC {claim.metadata.namespace}/{claim.metadata.name} was not created for pod {pod.metadata.name}"
    if claim.metadata.deletionTimestamp is not None:
        return "PVC is being deleted"
    if claim.status is None or claim.status.phase != "Bound" or not claim.spec.volumeName:
        return "PVC is not bound"
    return ""


def _problem(pod: Pod, name: str, why: str) -> str:
    return f"error processing PVC {pod.metadata.namespace}/{name}: {why}"
