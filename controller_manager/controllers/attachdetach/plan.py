"""Plan: on which nodes a volume is attached, from where pods use it; and when a node may lose one. Pure.

A volume for one node alone waits until the node before has let go of it. A node that says it has a volume mounted keeps it: data
may still be on their way. Only a node that is not ready for six minutes on end loses it by force, or one of which somebody who
looked says that it is down (the taint out-of-service).
https://kubernetes.io/docs/concepts/cluster-administration/node-shutdown/#storage-force-detach-on-timeout
kubernetes pkg/controller/volume/attachdetach/reconciler
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kube.api.types import Node, PersistentVolume, Pod, VolumeAttachment

ONE_NODE = frozenset(("ReadWriteOnce", "ReadWriteOncePod"))
OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"
UNMOUNT_SECONDS = 360.0  # what a node that is not ready gets


@dataclass(frozen=True)
class Plan:
    attach: tuple[str, ...] = ()  # nodes
    detach: tuple[VolumeAttachment, ...] = ()
    refused: tuple[str, ...] = ()  # nodes that wait until another has let go


def plan(volume: PersistentVolume, users: Mapping[str, Sequence[Pod]], attachments: Iterable[VolumeAttachment]) -> Plan:
    """`users`: the pods that use the volume, by node."""
    there = {one.spec.nodeName: one for one in attachments}
    detach = tuple(one for node, one in there.items() if node not in users and one.metadata.deletionTimestamp is None)
    missing = sorted(node for node in users if node not in there)
    if not set(volume.spec.accessModes or ()) <= ONE_NODE:
        return Plan(tuple(missing), detach)
    free = 0 if there else 1
    return Plan(tuple(missing[:free]), detach, tuple(missing[free:]))


def may_lose(node: Node | None, volume: str, waited: float, *, by_force: bool) -> bool:
    """`volume`: its name in the node's status; `waited`: seconds since no pod there uses it; `by_force`: whether time may do."""
    if node is not None and volume not in (node.status.volumesInUse or ()):
        return True
    if node is not None and any(taint.key == OUT_OF_SERVICE for taint in node.spec.taints or ()):
        return True
    return by_force and waited >= UNMOUNT_SECONDS and not _ready(node)


def _ready(node: Node | None) -> bool:
    """A node that is not there says nothing: it may still write."""
    conditions = (node.status.conditions or ()) if node is not None else ()
    return any(one.type == "Ready" and one.status == "True" for one in conditions)


def attached(one: VolumeAttachment) -> bool:
    return one.metadata.deletionTimestamp is None and one.status is not None and bool(one.status.attached)


def multi_attach(volume: PersistentVolume, users: Mapping[str, Sequence[Pod]], node: str) -> str:
    """What a pod on a node that has to wait is told."""
    others = sorted(pod.metadata.name or "" for where, pods in users.items() if where != node for pod in pods)
    why = "Volume is already exclusively attached to one node and can't be attached to another"
    if others:
        why = f"Volume is already used by pod(s) {', '.join(others)}"
    return f'Multi-Attach error for volume "{volume.metadata.name}" {why}'
