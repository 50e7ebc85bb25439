"""Claim growth: a claim's volume was made larger, and the file system on it has to follow; then the claim says so.

Whoever grows the volume itself (the driver's resizer) writes its new size into the PersistentVolume; what the claim's status says
is how much its pods have. https://kubernetes.io/docs/concepts/storage/persistent-volumes/#resizing-an-in-use-persistentvolumeclaim
KEP-284, KEP-556 · upstream pkg/volume/util/operationexecutor/node_expander.go
"""

from kube.api import quantity
from kube.api.meta import Key, Tree
from kube.api.status import ApiError
from kube.api.types import PersistentVolume, PersistentVolumeClaim, Pod
from kube.api.views import tree_of
from kube.client.rest import Client, Unreachable
from kube.component.logging import get_logger
from kubelet.pod_events import NORMAL, WARNING, PodEvents

log = get_logger("kubelet.volumes")

INFEASIBLE = "NodeResizeInfeasible"
DONE = "FileSystemResizePending"  # the condition that goes


class ClaimGrowth:
    """See `kubelet.volumes.volume.Growth`."""

    def __init__(self, client: Client, events: PodEvents, pod: Pod, claim: Key, volume: str) -> None:
        self._client = client
        self._events = events
        self._pod = pod
        self._key = claim
        self._volume = volume
        self._claim: PersistentVolumeClaim | None = None
        self._size = ""  # of the volume

    async def wanted(self) -> int:
        try:
            claim = self._claim = await self._client.get(PersistentVolumeClaim, *self._key)
            volume = await self._client.get(PersistentVolume, "", self._volume)
        except (ApiError, Unreachable) as error:
            log.warning("size of a claim not known", claim=self._key, reason=error)
            return 0
        self._size = str((volume.spec.capacity or {}).get("storage", "0"))
        return grown(claim, self._size)

    def failed(self, why: str) -> None:
        message = f'NodeExpandVolume.NodeExpandVolume failed for volume "{self._volume}" : {why}'
        self._events.event(self._pod, WARNING, "VolumeResizeFailed", message)

    async def done(self) -> None:
        assert self._claim is not None, "who says how far has asked for it"
        patch: Tree = {"status": status_of_grown(self._claim, self._size)}
        patch["metadata"] = {"resourceVersion": self._claim.metadata.resourceVersion}
        try:
            await self._client.patch(PersistentVolumeClaim, self._key, patch, subresource="status")
        except (ApiError, Unreachable) as error:
            log.warning("the claim does not say yet that it has grown", claim=self._key, reason=error)
            return
        message = f'MountVolume.NodeExpandVolume succeeded for volume "{self._volume}"'
        self._events.event(self._pod, NORMAL, "FileSystemResizeSuccessful", message)


def grown(claim: PersistentVolumeClaim, size: str) -> int:
    """How large the file system should be, in bytes; 0 where it is so large, or cannot be. Pure."""
    status = claim.status
    if status is None or not status.capacity or (status.allocatedResourceStatuses or {}).get("storage") == INFEASIBLE:
        return 0
    wanted = quantity.value(size)
    return wanted if wanted > quantity.value(status.capacity.get("storage", "0")) else 0


def status_of_grown(claim: PersistentVolumeClaim, size: str) -> Tree:
    """The patch of a claim whose file system has that size. Pure."""
    conditions = [tree_of(one) for one in claim.status.conditions or () if one.type != DONE]
    return {"capacity": {"storage": size}, "conditions": conditions or None, "allocatedResourceStatuses": {"storage": None}}
