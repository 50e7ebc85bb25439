"""Protection of claims and volumes: a claim in use by a pod, and a bound volume, stay although they were deleted.

A pod uses a claim from when it has a node until it has ended. The finalizers come from the API server's admission.
https://kubernetes.io/docs/concepts/storage/persistent-volumes/#storage-object-in-use-protection
kubernetes pkg/controller/volume/pvcprotection, pvprotection
"""

from typing import Any

from controller_manager.controller import Context, Controller, Watch
from controller_manager.pod_claims import claims_of
from controller_manager.pod_state import terminal
from kube.api.meta import Key, key_of
from kube.api.types import PersistentVolume, PersistentVolumeClaim, Pod

CLAIM_FINALIZER, VOLUME_FINALIZER = "kubernetes.io/pvc-protection", "kubernetes.io/pv-protection"
BY_CLAIM = "pods by claim"


class ClaimProtectionController(Controller[Key]):
    name = "persistentvolumeclaim-protection-controller"
    reconciles = PersistentVolumeClaim

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.cache(Pod).add_index(BY_CLAIM, lambda pod: [f"{key.namespace}/{key.name}" for key in claims_of(pod)])

    def extra(self) -> tuple[Watch, ...]:
        return (Watch(Pod, claims_of),)

    async def reconcile(self, key: Key) -> None:
        claim = self.cache(PersistentVolumeClaim).get(key)
        if claim is None or not _waits(claim, CLAIM_FINALIZER):
            return
        users = self.cache(Pod).by_index(BY_CLAIM, f"{key.namespace}/{key.name}")
        if any(map(_runs, users)):
            return
        newest = await self.client.list(Pod, key.namespace)  # the cache may not know the newest user yet
        if not any(_runs(pod) and key in claims_of(pod) for pod in newest):
            await _release(self, PersistentVolumeClaim, claim, CLAIM_FINALIZER)


class VolumeProtectionController(Controller[Key]):
    name = "persistentvolume-protection-controller"
    reconciles = PersistentVolume

    async def reconcile(self, key: Key) -> None:
        volume = self.cache(PersistentVolume).get(key)
        if volume is None or not _waits(volume, VOLUME_FINALIZER):
            return
        if volume.status is None or volume.status.phase != "Bound":
            await _release(self, PersistentVolume, volume, VOLUME_FINALIZER)


def _runs(pod: Pod) -> bool:
    return bool(pod.spec.nodeName) and not terminal(pod)


def _waits(obj: Any, finalizer: str) -> bool:
    return obj.metadata.deletionTimestamp is not None and finalizer in (obj.metadata.finalizers or ())


async def _release(controller: Controller[Key], kind: type[Any], obj: Any, finalizer: str) -> None:
    left = [one for one in obj.metadata.finalizers if one != finalizer]
    patch = {"metadata": {"uid": obj.metadata.uid, "resourceVersion": obj.metadata.resourceVersion, "finalizers": left}}
    await controller.client.patch(kind, key_of(obj), patch)
