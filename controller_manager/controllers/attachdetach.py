"""Attach and detach: a CSI volume has a VolumeAttachment for each node where a pod uses it, as long as one does.

Who attaches really is the driver's attacher outside; drivers that need no attaching have none. A volume for one node alone waits
until the node before has let go of it. https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/
volume-attachment-v1/ · kubernetes pkg/controller/volume/attachdetach
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from controller_manager.controller import Context, Controller, Watch
from controller_manager.pod_claims import claims_of
from controller_manager.pod_state import terminal
from kube.api.attachment_name import attachment_name
from kube.api.meta import Key, Tree, key_of
from kube.api.status import AlreadyExists, NotFound
from kube.api.types import CSIDriver, PersistentVolume, PersistentVolumeClaim, Pod, VolumeAttachment

BY_CLAIM, BY_VOLUME = "pods by claim", "attachments by volume"
ONE_NODE = frozenset(("ReadWriteOnce", "ReadWriteOncePod"))


@dataclass(frozen=True)
class Plan:
    attach: tuple[str, ...] = ()  # nodes
    detach: tuple[VolumeAttachment, ...] = ()
    refused: tuple[str, ...] = ()  # nodes that wait until another has let go


def plan(volume: PersistentVolume, users: Mapping[str, Sequence[Pod]], attachments: Iterable[VolumeAttachment]) -> Plan:
    """`users`: the pods that use the volume, by node. Pure."""
    there = {one.spec.nodeName: one for one in attachments}
    detach = tuple(one for node, one in there.items() if node not in users and one.metadata.deletionTimestamp is None)
    missing = sorted(node for node in users if node not in there)
    if not set(volume.spec.accessModes or ()) <= ONE_NODE:
        return Plan(tuple(missing), detach)
    free = 0 if there else 1
    return Plan(tuple(missing[:free]), detach, tuple(missing[free:]))


class AttachDetachController(Controller[Key]):
    name = "persistentvolume-attach-detach-controller"
    component = "attachdetach-controller"
    reconciles = PersistentVolume
    reads = (PersistentVolumeClaim, CSIDriver)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.cache(Pod).add_index(BY_CLAIM, lambda pod: [f"{key.namespace}/{key.name}" for key in claims_of(pod)])
        self.cache(VolumeAttachment).add_index(BY_VOLUME, lambda one: [one.spec.source.persistentVolumeName or ""])

    def extra(self) -> tuple[Watch, ...]:
        return (
            Watch(Pod, self._of_pod),
            Watch(PersistentVolumeClaim, lambda claim: [Key("", claim.spec.volumeName)] if claim.spec.volumeName else []),
            Watch(VolumeAttachment, lambda one: [Key("", one.spec.source.persistentVolumeName or "")]),
        )

    def _of_pod(self, pod: Pod) -> Iterable[Key]:
        for key in claims_of(pod) if pod.spec.nodeName else ():
            claim = self.cache(PersistentVolumeClaim).get(key)
            if claim is not None and claim.spec.volumeName:
                yield Key("", claim.spec.volumeName)

    async def reconcile(self, key: Key) -> None:
        volume = self.cache(PersistentVolume).get(key)
        if volume is None or volume.spec.csi is None or not self._wants_attaching(volume.spec.csi.driver):
            return
        users = self._users(volume)
        attachments = self.cache(VolumeAttachment).by_index(BY_VOLUME, key.name)
        planned = plan(volume, users, attachments)
        self._tell(volume, users, attachments, planned)
        for node in planned.attach:
            await self._attach(volume, node)
        for one in planned.detach:
            await self.client.delete(VolumeAttachment, key_of(one), uid=one.metadata.uid)

    def _wants_attaching(self, driver: str) -> bool:
        told = self.cache(CSIDriver).get(Key("", driver))
        return told is None or told.spec.attachRequired is not False

    def _users(self, volume: PersistentVolume) -> dict[str, list[Pod]]:
        """A pod uses it until it has ended, or is gone: its node lets go of volumes before it says so."""
        claim = volume.spec.claimRef
        if claim is None:
            return {}
        users: dict[str, list[Pod]] = {}
        for pod in self.cache(Pod).by_index(BY_CLAIM, f"{claim.namespace}/{claim.name}"):
            if pod.spec.nodeName and not terminal(pod):
                users.setdefault(pod.spec.nodeName, []).append(pod)
        return users

    def _tell(
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
                why = "Volume is already exclusively attached to one node and can't be attached to another"
                self.recorder.event(pod, "Warning", "FailedAttachVolume", f'Multi-Attach error for volume "{name}" {why}')

    async def _attach(self, volume: PersistentVolume, node: str) -> None:
        csi = volume.spec.csi
        assert csi is not None, "other volumes are not attached"
        spec: Tree = {"attacher": csi.driver, "nodeName": node, "source": {"persistentVolumeName": volume.metadata.name}}
        name = attachment_name(csi.volumeHandle, csi.driver, node)
        try:
            await self.client.create(VolumeAttachment, {"metadata": {"name": name}, "spec": spec})
        except AlreadyExists as error:  # the cache is behind: the next look tells
            raise NotFound(error.message) from error
