"""PersistentVolume binder: brings claims and volumes together, and sees what becomes of a volume whose claim is gone.

Binding is four writes: the volume names the claim, the volume's phase, the claim names the volume, the claim's phase. Each is
made onto the form that was looked at, so two claims never get one volume: the second writer is refused and looks again. A
program that dies in between leaves a volume that names its claim; the next look goes on from there.
A key without a namespace is a volume's, the others are claims'. What the rules are: `claims.py`, `volumes.py`
and `recycling.py`.
https://kubernetes.io/docs/concepts/storage/persistent-volumes/#binding
"""

import asyncio
import shutil
from collections.abc import Iterable
from contextlib import suppress
from typing import TypeVar

from controller_manager.controller import Context, Controller, Watch
from controller_manager.controllers.persistentvolume import claims, recycling, volumes
from controller_manager.pod_state import terminal
from kube.api import volume_matching as matching
from kube.api.meta import Key, Tree, key_of
from kube.api.status import AlreadyExists, NotFound
from kube.api.types import PersistentVolume, PersistentVolumeClaim, Pod, StorageClass
from kube.api.views import view

V = TypeVar("V", PersistentVolume, PersistentVolumeClaim)

BY_CLASS, BY_REFERENCE = "volumes by class", "volumes by the claim that they name"
WAITING, BY_CLAIM = "waiting claims by class", "pods without a node by claim"
DEFAULT_CLASS = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")


class PersistentVolumeBinder(Controller[Key]):
    name = "persistentvolume-binder-controller"
    component = "persistentvolume-controller"
    reconciles = PersistentVolumeClaim

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.cache(PersistentVolume).add_index(BY_CLASS, lambda volume: [matching.class_of(volume)])
        self.cache(PersistentVolume).add_index(BY_REFERENCE, _named_claim)
        self.cache(PersistentVolumeClaim).add_index(WAITING, _waiting)
        self.cache(Pod).add_index(BY_CLAIM, _claims_of_waiting_pod)

    @property
    def workers(self) -> int:
        """One: whoever comes first gets the smallest volume that fits."""
        return 1

    def extra(self) -> tuple[Watch, ...]:
        return (
            Watch(PersistentVolumeClaim, lambda claim: [Key("", claim.spec.volumeName)] if claim.spec.volumeName else []),
            Watch(PersistentVolume, self._of_volume),
            Watch(StorageClass, self._of_class),
            Watch(Pod, lambda pod: [_split(one) for one in _claims_of_waiting_pod(pod)]),
            Watch(Pod, recycling.volumes_of),
        )

    def _of_volume(self, volume: PersistentVolume) -> Iterable[Key]:
        """The volume, the claim that it names, and if it is free those that wait for one like it."""
        yield key_of(volume)
        if volume.spec.claimRef is not None:
            yield Key(volume.spec.claimRef.namespace or "", volume.spec.claimRef.name or "")
        elif volume.status is not None and volume.status.phase == "Available":
            yield from map(key_of, self.cache(PersistentVolumeClaim).by_index(WAITING, matching.class_of(volume)))

    def _of_class(self, storage_class: StorageClass) -> Iterable[Key]:
        waiting = self.cache(PersistentVolumeClaim)
        yield from map(key_of, waiting.by_index(WAITING, storage_class.metadata.name))
        if _is_default(storage_class):
            yield from map(key_of, waiting.by_index(WAITING, ""))

    async def reconcile(self, key: Key) -> None:
        if not key.namespace:
            await self._volume(key)
            return
        claim = self.cache(PersistentVolumeClaim).get(key)
        if claim is not None:
            await self._claim(claim)

    # --- claims ------------------------------------------------------------------------------------------------------

    async def _claim(self, claim: PersistentVolumeClaim) -> None:
        if claim.metadata.deletionTimestamp is not None and not claim.spec.volumeName:
            return
        if await self._given_default_class(claim):
            return  # the change brings it here again
        candidates = self.cache(PersistentVolume)
        storage_class = self.cache(StorageClass).get(Key("", matching.class_of(claim)))
        name = claim.spec.volumeName
        named = candidates.get(Key("", name)) if name else None
        if name and named is None and matching.annotation(claim, matching.BIND_COMPLETED):
            named = await self._asked_server(name)  # losing data is not said on a cache's word
        decision = claims.decide(claim, named, self._candidates(claim), storage_class, self._waiting_pod(claim))
        match decision:
            case claims.Bind(volume):
                await self._bind(claim, volume)
            case claims.Wait(why, provisioner):
                if provisioner:
                    claim = await self._ask_provisioner(claim, provisioner)
                if why is not None:
                    self.recorder.event(claim, why.type, why.reason, why.message)
                await self._set_claim_phase(claim, "Pending")
            case claims.Lose(why):
                if claim.status is None or claim.status.phase != "Lost":
                    self.recorder.event(claim, why.type, why.reason, why.message)
                    await self._set_claim_phase(claim, "Lost")

    def _candidates(self, claim: PersistentVolumeClaim) -> Iterable[PersistentVolume]:
        """Of its class, and those that name it, of whatever class."""
        every = self.cache(PersistentVolume)
        yield from every.by_index(BY_CLASS, matching.class_of(claim))
        yield from every.by_index(BY_REFERENCE, f"{claim.metadata.namespace}/{claim.metadata.name}")

    def _waiting_pod(self, claim: PersistentVolumeClaim) -> str:
        found = self.cache(Pod).by_index(BY_CLAIM, f"{claim.metadata.namespace}/{claim.metadata.name}")
        return str(found[0].metadata.name) if found else ""

    async def _asked_server(self, name: str) -> PersistentVolume | None:
        try:
            return await self.client.get(PersistentVolume, "", name)
        except NotFound:
            return None

    async def _given_default_class(self, claim: PersistentVolumeClaim) -> bool:
        """A claim made before there was a default class gets it once there is one (KEP-3333)."""
        if claim.spec.storageClassName is not None or claim.spec.volumeName or matching.annotation(claim, matching.OLD_CLASS):
            return False
        defaults = [one for one in self.cache(StorageClass) if _is_default(one)]
        if not defaults:
            return False
        newest = sorted(sorted(defaults, key=lambda one: one.metadata.name), key=lambda one: one.metadata.creationTimestamp)
        same_age = [one for one in newest if one.metadata.creationTimestamp == newest[-1].metadata.creationTimestamp]
        await self._patch(claim, {"spec": {"storageClassName": same_age[0].metadata.name}})
        return True

    async def _ask_provisioner(self, claim: PersistentVolumeClaim, provisioner: str) -> PersistentVolumeClaim:
        wanted = {matching.PROVISIONER: provisioner, matching.OLD_PROVISIONER: provisioner}
        if wanted.items() <= (claim.metadata.annotations or {}).items():
            return claim
        return await self._patch(claim, {"metadata": {"annotations": wanted}})

    async def _bind(self, claim: PersistentVolumeClaim, volume: PersistentVolume) -> None:
        """Each write, where it is missing."""
        volume = await self._name_claim(volume, claim)
        volume = await self._set_volume_phase(volume, "Bound")
        patch: Tree = {"metadata": {"annotations": {matching.BIND_COMPLETED: "yes"}}}
        if not claim.spec.volumeName:
            patch["spec"] = {"volumeName": volume.metadata.name}
            patch["metadata"]["annotations"][matching.BOUND_BY_CONTROLLER] = "yes"
        if not matching.fully_bound(claim):
            claim = await self._patch(claim, patch)
        first = claim.status is None or claim.status.phase != "Bound"
        status: Tree = {"phase": "Bound", "accessModes": list(volume.spec.accessModes or ())}
        if first or not claim.status.capacity:
            status["capacity"] = dict(volume.spec.capacity or {})  # later it grows by who makes the file system larger
        attributes_class = volume.spec.volumeAttributesClassName
        if attributes_class and first:
            status["currentVolumeAttributesClassName"] = attributes_class
        if any(getattr(claim.status, field, None) != value for field, value in status.items()):
            await self._patch(claim, {"status": status}, subresource="status")

    async def _name_claim(self, volume: PersistentVolume, claim: PersistentVolumeClaim) -> PersistentVolume:
        if volume.spec.claimRef is not None and volume.spec.claimRef.uid == claim.metadata.uid:
            return volume
        patch: Tree = {"spec": {"claimRef": matching.reference_to(claim)}}
        if volume.spec.claimRef is None:
            patch["metadata"] = {"annotations": {matching.BOUND_BY_CONTROLLER: "yes"}}
        return await self._patch(volume, patch)

    async def _set_claim_phase(self, claim: PersistentVolumeClaim, phase: str) -> None:
        if claim.status is None or claim.status.phase != phase:
            cleared = {"accessModes": None, "capacity": None} if phase == "Pending" else {}
            await self._patch(claim, {"status": {"phase": phase, **cleared}}, subresource="status")

    # --- volumes -----------------------------------------------------------------------------------------------------

    async def _volume(self, key: Key) -> None:
        volume = self.cache(PersistentVolume).get(key)
        if volume is None:
            return
        decision = volumes.decide(volume, await self._claim_of(volume))
        match decision:
            case volumes.Phase(name):
                await self._set_volume_phase(volume, name)
            case volumes.Unbind():
                await self._unbind(volume)
            case volumes.Release():
                if volume.status is None or volume.status.phase not in ("Released", "Failed"):
                    volume = await self._set_volume_phase(volume, "Released")
                if volume.status.phase == "Released":
                    await self._reclaim(volume)
            case volumes.Leave(mismatch):
                if mismatch:
                    self.recorder.event(volume, "Warning", "VolumeMismatch", mismatch)

    async def _claim_of(self, volume: PersistentVolume) -> PersistentVolumeClaim | None:
        """Of the uid that the volume names. The server is asked before a claim counts as gone."""
        wanted = volume.spec.claimRef
        if wanted is None or not wanted.uid:
            return None
        key = Key(wanted.namespace or "", wanted.name or "")
        found = self.cache(PersistentVolumeClaim).get(key)
        if found is None or found.metadata.uid != wanted.uid:
            try:
                found = await self.client.get(PersistentVolumeClaim, *key)
            except NotFound:
                return None
        return found if found.metadata.uid == wanted.uid else None

    async def _unbind(self, volume: PersistentVolume) -> None:
        """What the controller wrote goes; what a person wrote stays, without the uid."""
        patch: Tree = {"spec": {"claimRef": {"uid": None, "resourceVersion": None}}}
        if matching.annotation(volume, matching.BOUND_BY_CONTROLLER):
            patch = {"spec": {"claimRef": None}, "metadata": {"annotations": {matching.BOUND_BY_CONTROLLER: None}}}
        await self._set_volume_phase(await self._patch(volume, patch), "Available")

    async def _reclaim(self, volume: PersistentVolume) -> None:
        match volumes.reclaim(volume):
            case volumes.Fail(reason, message):
                self.recorder.event(volume, "Warning", reason, message)
                await self._set_volume_phase(volume, "Failed", message)
            case volumes.Scrub():
                await self._scrub(volume)
            case volumes.Remove(directory):
                if directory:
                    await asyncio.to_thread(shutil.rmtree, directory, True)
                await self.client.delete(PersistentVolume, key_of(volume), uid=volume.metadata.uid)

    async def _scrub(self, volume: PersistentVolume) -> None:
        """By a pod; its end brings the volume here again. Data of whoever has the volume next are not touched: the server is asked
        before a pod begins, and each pod's end counts once."""
        key = recycling.pod_key(volume)
        pod = self.cache(Pod).get(key)
        match recycling.outcome(pod):
            case recycling.Begin():
                fresh = await self.client.get(PersistentVolume, *key_of(volume))
                if fresh.metadata.resourceVersion != volume.metadata.resourceVersion:
                    raise NotFound(f"volume {volume.metadata.name} has changed")  # the cache is behind: the next look tells
                with suppress(AlreadyExists):
                    await self.client.create(Pod, recycling.pod_tree(volume, recycling.template_of(volume, self.config)))
            case recycling.Done(uid):
                await self.client.delete(Pod, key, uid=uid, grace_seconds=0)
                self.recorder.event(volume, "Normal", "VolumeRecycled", "Volume recycled")
                await self._unbind(volume)
            case recycling.Failed(uid, why):
                await self.client.delete(Pod, key, uid=uid, grace_seconds=0)
                message = f"Recycle failed: {why}"
                self.recorder.event(volume, "Warning", "VolumeFailedRecycle", message)
                await self._set_volume_phase(volume, "Failed", message)

    async def _set_volume_phase(self, volume: PersistentVolume, phase: str, message: str = "") -> PersistentVolume:
        if volume.status is not None and volume.status.phase == phase:
            return volume
        return await self._patch(volume, {"status": {"phase": phase, "message": message or None}}, subresource="status")

    async def _patch(self, obj: V, patch: Tree, *, subresource: str = "") -> V:
        """Onto the form that was looked at; returns the new one."""
        head = {"uid": obj.metadata.uid, "resourceVersion": obj.metadata.resourceVersion}
        body = {**patch, "metadata": {**patch.get("metadata", {}), **head}}
        return view(type(obj), await self.client.patch(type(obj), key_of(obj), body, subresource=subresource))


def _named_claim(volume: PersistentVolume) -> Iterable[str]:
    wanted = volume.spec.claimRef
    return () if wanted is None else (f"{wanted.namespace}/{wanted.name}",)


def _waiting(claim: PersistentVolumeClaim) -> Iterable[str]:
    return () if matching.fully_bound(claim) else (matching.class_of(claim),)


def _claims_of_waiting_pod(pod: Pod) -> list[str]:
    """`namespace/name` of the claims of a pod that has no node."""
    if pod.spec.nodeName or terminal(pod):
        return []
    return [
        f"{pod.metadata.namespace}/{volume.persistentVolumeClaim.claimName}"
        for volume in pod.spec.volumes or ()
        if volume.persistentVolumeClaim is not None
    ]


def _split(name: str) -> Key:
    namespace, _, claim = name.partition("/")
    return Key(namespace, claim)


def _is_default(storage_class: StorageClass) -> bool:
    return any((storage_class.metadata.annotations or {}).get(mark) == "true" for mark in DEFAULT_CLASS)
