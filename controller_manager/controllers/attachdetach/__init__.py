"""Attach and detach: a CSI volume has a VolumeAttachment for each node where a pod uses it, as long as one does.

Who attaches really is the driver's attacher outside; drivers that need no attaching have none. What the rules are: `plan.py`.

A node's status says both sides of it: `volumesAttached` is written here, `volumesInUse` by the kubelet. No volume is taken away
from under a pod that comes back meanwhile, because each side writes before it looks: here the volume leaves `volumesAttached`,
then `volumesInUse` is read, then it is detached; a kubelet says that it uses a volume, then looks whether it is attached.
A key below NODE is a node's, the others are volumes'.
https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/volume-attachment-v1/
kubernetes pkg/controller/volume/attachdetach
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from controller_manager.controller import Context, Controller, Watch
from controller_manager.controllers.attachdetach.plan import UNMOUNT_SECONDS, Plan, attached, may_lose, multi_attach, plan
from controller_manager.pod_claims import claims_of
from controller_manager.pod_state import terminal
from kube.api.attachment_name import attachment_name, volume_name
from kube.api.meta import Key, Tree, key_of
from kube.api.status import AlreadyExists, NotFound
from kube.api.types import CSIDriver, Node, PersistentVolume, PersistentVolumeClaim, Pod, VolumeAttachment
from kube.api.views import view

BY_CLAIM, BY_VOLUME, BY_NODE = "pods by claim", "attachments by volume", "attachments by node"
NODE = "node"


class AttachDetachController(Controller[Key]):
    name = "persistentvolume-attach-detach-controller"
    component = "attachdetach-controller"
    reconciles = PersistentVolume
    reads = (PersistentVolumeClaim, CSIDriver)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._unused: dict[str, float] = {}  # by an attachment's uid: since when no pod uses it
        self._leaving: set[str] = set()  # uids of attachments that are being taken away
        self._writing: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)  # by node: its list has one writer
        self.cache(Pod).add_index(BY_CLAIM, lambda pod: [f"{key.namespace}/{key.name}" for key in claims_of(pod)])
        self.cache(VolumeAttachment).add_index(BY_VOLUME, lambda one: [one.spec.source.persistentVolumeName or ""])
        self.cache(VolumeAttachment).add_index(BY_NODE, lambda one: [one.spec.nodeName])
        context.informers.of(VolumeAttachment).on_change(self._attachment_changed)

    def extra(self) -> tuple[Watch, ...]:
        return (
            Watch(Pod, self._of_pod),
            Watch(PersistentVolumeClaim, lambda claim: [Key("", claim.spec.volumeName)] if claim.spec.volumeName else []),
            Watch(VolumeAttachment, lambda one: [_volume_key(one), Key(NODE, one.spec.nodeName)]),
            Watch(Node, self._of_node),
        )

    def _of_pod(self, pod: Pod) -> Iterable[Key]:
        for key in claims_of(pod) if pod.spec.nodeName else ():
            claim = self.cache(PersistentVolumeClaim).get(key)
            if claim is not None and claim.spec.volumeName:
                yield Key("", claim.spec.volumeName)

    def _of_node(self, node: Node) -> Iterable[Key]:
        """A heartbeat: what waits for the node to let go is looked at, and what its status says."""
        yield Key(NODE, node.metadata.name)
        for one in self.cache(VolumeAttachment).by_index(BY_NODE, node.metadata.name):
            if one.metadata.uid in self._unused:
                yield _volume_key(one)

    def _attachment_changed(self, old: VolumeAttachment | None, new: VolumeAttachment | None) -> None:
        if old is not None and new is None:
            self._unused.pop(old.metadata.uid, None)
            self._leaving.discard(old.metadata.uid)
        volume = self.cache(PersistentVolume).get(_volume_key(new)) if new is not None else None
        if old is None or new is None or volume is None or attached(old) or not attached(new):
            return
        for pod in self._users(volume).get(new.spec.nodeName, ()):
            message = f'AttachVolume.Attach succeeded for volume "{volume.metadata.name}"'
            self.recorder.event(pod, "Normal", "SuccessfulAttachVolume", message)

    async def reconcile(self, key: Key) -> float | None:
        if key.namespace == NODE:
            async with self._writing[key.name]:
                await self._tell_node(key.name)
            return None
        volume = self.cache(PersistentVolume).get(key)
        if volume is None or volume.spec.csi is None or not self._wants_attaching(volume.spec.csi.driver):
            return None
        users = self._users(volume)
        attachments = self.cache(VolumeAttachment).by_index(BY_VOLUME, key.name)
        planned = plan(volume, users, attachments)
        self._tell_pods(volume, users, attachments, planned)
        for one in attachments:
            if one not in planned.detach:
                await self._keep(one)
        for node in planned.attach:
            await self._attach(volume, node)
        again = [await self._detach(volume, one) for one in planned.detach]
        return min((seconds for seconds in again if seconds is not None), default=None)

    def _wants_attaching(self, driver: str) -> bool:
        told = self.cache(CSIDriver).get(Key("", driver))
        return told is None or told.spec.attachRequired is not False

    def _users(self, volume: PersistentVolume) -> dict[str, list[Pod]]:
        """A pod uses it until it has ended, or is gone."""
        claim = volume.spec.claimRef
        if claim is None:
            return {}
        users: dict[str, list[Pod]] = {}
        for pod in self.cache(Pod).by_index(BY_CLAIM, f"{claim.namespace}/{claim.name}"):
            if pod.spec.nodeName and not terminal(pod):
                users.setdefault(pod.spec.nodeName, []).append(pod)
        return users

    def _tell_pods(
        self, volume: PersistentVolume, users: Mapping[str, Sequence[Pod]], attachments: Iterable[VolumeAttachment], planned: Plan
    ) -> None:
        name = volume.metadata.name
        for one in attachments:
            failed = one.status.attachError.message if one.status is not None and one.status.attachError is not None else ""
            for pod in users.get(one.spec.nodeName, ()) if failed else ():
                message = f'AttachVolume.Attach failed for volume "{name}" : {failed}'
                self.recorder.event(pod, "Warning", "FailedAttachVolume", message)
        for node in planned.refused:
            for pod in users[node]:
                self.recorder.event(pod, "Warning", "FailedAttachVolume", multi_attach(volume, users, node))

    async def _attach(self, volume: PersistentVolume, node: str) -> None:
        csi = volume.spec.csi
        assert csi is not None, "other volumes are not attached"
        spec: Tree = {"attacher": csi.driver, "nodeName": node, "source": {"persistentVolumeName": volume.metadata.name}}
        name = attachment_name(csi.volumeHandle, csi.driver, node)
        try:
            await self.client.create(VolumeAttachment, {"metadata": {"name": name}, "spec": spec})
        except AlreadyExists as error:  # the cache is behind: the next look tells
            raise NotFound(error.message) from error

    # --- taking away -------------------------------------------------------------------------------------------------

    async def _keep(self, one: VolumeAttachment) -> None:
        """Pods use it (again)."""
        self._unused.pop(one.metadata.uid, None)
        if one.metadata.uid in self._leaving and one.metadata.deletionTimestamp is None:
            await self._taken_back(one)

    async def _detach(self, volume: PersistentVolume, one: VolumeAttachment) -> float | None:
        """Where its node has let go of it; else returns when to look again, if time alone changes something."""
        node, name, now = one.spec.nodeName, _name_of(volume), self.clock.monotonic()
        waited = now - self._unused.setdefault(one.metadata.uid, now)
        by_force = not self.config.disable_force_detach_on_timeout
        if not may_lose(self.cache(Node).get(Key("", node)), name, waited, by_force=by_force):
            return max(0.0, UNMOUNT_SECONDS - waited) if by_force and waited < UNMOUNT_SECONDS else None
        async with self._writing[node]:
            self._leaving.add(one.metadata.uid)
            told = await self._tell_node(node, anyway=True)
        if not may_lose(told, name, waited, by_force=by_force):
            await self._taken_back(one)
            return None
        await self.client.delete(VolumeAttachment, key_of(one), uid=one.metadata.uid)
        return None

    async def _taken_back(self, one: VolumeAttachment) -> None:
        async with self._writing[one.spec.nodeName]:
            self._leaving.discard(one.metadata.uid)
            await self._tell_node(one.spec.nodeName)

    async def _tell_node(self, name: str, *, anyway: bool = False) -> Node | None:
        """Write what is attached to the node into its status, where it says anything else; returns the node as it stands then."""
        node = self.cache(Node).get(Key("", name))
        if node is None:
            return None
        wanted = [{"name": one, "devicePath": ""} for one in self._attached(name)]
        told = [{"name": one.name, "devicePath": one.devicePath} for one in node.status.volumesAttached or ()]
        if told == wanted and not anyway:
            return node
        try:
            return view(Node, await self.client.patch_status(Node, key_of(node), {"volumesAttached": wanted or None}))
        except NotFound:
            return None

    def _attached(self, node: str) -> list[str]:
        """By the names that node statuses have for volumes."""
        volumes = self.cache(PersistentVolume)
        found = set()
        for one in self.cache(VolumeAttachment).by_index(BY_NODE, node):
            volume = volumes.get(_volume_key(one))
            if volume is not None and volume.spec.csi is not None and attached(one) and one.metadata.uid not in self._leaving:
                found.add(_name_of(volume))
        return sorted(found)


def _volume_key(one: VolumeAttachment) -> Key:
    return Key("", one.spec.source.persistentVolumeName or "")


def _name_of(volume: PersistentVolume) -> str:
    assert volume.spec.csi is not None, "other volumes are not attached"
    return volume_name(volume.spec.csi.driver, volume.spec.csi.volumeHandle)
