"""Volume binder: writes down which volumes a pod's claims get, and waits until they are bound, before the pod is.

A volume is given by naming the claim in it, a provisioner is asked by naming the node in the claim; the controller manager does the
rest. If it does not come about in ten minutes, the pod is decided anew.
https://kubernetes.io/docs/concepts/storage/storage-classes/#volume-binding-mode · upstream volumebinding/binder.go BindPodVolumes
"""

import asyncio

from kube.api import volume_matching as matching
from kube.api.meta import Tree, key_of
from kube.api.types import PersistentVolume, PersistentVolumeClaim
from kube.client.informer import Informer
from kube.client.rest import Client
from scheduler.storage import Choice, Storage

BIND_SECONDS = 600.0


class VolumesNotBound(Exception):
    """What was chosen did not come about, for this reason."""


class VolumeBinder:
    def __init__(self, client: Client, storage: Storage, claims: Informer[PersistentVolumeClaim]) -> None:
        self._client = client
        self._storage = storage
        self._changed = asyncio.Event()
        claims.on_change(lambda old, new: self._changed.set())

    async def bind(self, choice: Choice) -> None:
        """Raises VolumesNotBound, ApiError or Unreachable."""
        try:
            for claim, volume in choice.bind:
                await self._give(volume, claim)
            for claim in choice.provision:
                if not matching.annotation(claim, matching.SELECTED_NODE):
                    await self._ask(claim, choice.node)
            async with asyncio.timeout(BIND_SECONDS):
                await self._all_bound(choice)
        except TimeoutError:
            raise VolumesNotBound("context deadline exceeded") from None
        finally:
            self._storage.forget(choice)

    async def _give(self, volume: PersistentVolume, claim: PersistentVolumeClaim) -> None:
        head: Tree = {"uid": volume.metadata.uid, "resourceVersion": volume.metadata.resourceVersion}
        if volume.spec.claimRef is None:
            head["annotations"] = {matching.BOUND_BY_CONTROLLER: "yes"}
        await self._client.patch(
            PersistentVolume, key_of(volume), {"metadata": head, "spec": {"claimRef": matching.reference_to(claim)}}
        )

    async def _ask(self, claim: PersistentVolumeClaim, node: str) -> None:
        head = {"uid": claim.metadata.uid, "resourceVersion": claim.metadata.resourceVersion}
        patch = {"metadata": {**head, "annotations": {matching.SELECTED_NODE: node}}}
        await self._client.patch(PersistentVolumeClaim, key_of(claim), patch)

    async def _all_bound(self, choice: Choice) -> None:
        """An unwritten claim is older than what was just written: only a newer form can say that it was refused."""
        while True:
            self._changed.clear()
            if all(self._bound(claim, choice.node) for claim in choice.claims):
                return
            await self._changed.wait()

    def _bound(self, claim: PersistentVolumeClaim, node: str) -> bool:
        now = self._storage.claims.get(key_of(claim))
        if now is None or now.metadata.uid != claim.metadata.uid:
            raise VolumesNotBound(f'persistentvolumeclaim "{claim.metadata.name}" not found')
        if matching.fully_bound(now):
            return True
        asked_before = matching.annotation(claim, matching.SELECTED_NODE) == node
        if asked_before and not matching.annotation(now, matching.SELECTED_NODE):
            raise VolumesNotBound("provisioning failed for PVC " + repr(claim.metadata.name))  # its provisioner wants another node
        return False
