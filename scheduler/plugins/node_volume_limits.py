"""NodeVolumeLimits: a node takes no more volumes of a CSI driver than the driver says it can (CSINode, allocatable.count).

A volume counts once, however many pods on the node use it.
https://kubernetes.io/docs/concepts/storage/storage-limits/
"""

from collections.abc import Iterable

import numpy as np

from kube.api.meta import Key
from scheduler.framework import Mask
from scheduler.pod_info import PodInfo
from scheduler.snapshot import NodeInfo, Snapshot
from scheduler.storage import uses

Handle = tuple[str, str]  # driver, volume


class NodeVolumeLimits:
    name = "NodeVolumeLimits"
    mendable = True

    def filter(self, pod: PodInfo, nodes: Snapshot) -> Mask | None:
        wanted = set(_handles(pod, nodes))
        if not wanted:
            return None
        return np.fromiter((_room(wanted, info, nodes) for info in nodes.infos), np.bool_, len(nodes))

    def reason(self, pod: PodInfo, nodes: Snapshot, index: int) -> tuple[str, ...]:
        return ("node(s) exceed max volume count",)


def _handles(pod: PodInfo, nodes: Snapshot) -> Iterable[Handle]:
    """Of the CSI volumes that the pod's claims are bound to."""
    storage = nodes.storage
    for use in uses(pod):
        claim = storage.claims.get(use.claim)
        volume = storage.volume_of(claim) if claim is not None else None
        if volume is not None and volume.spec.csi is not None:
            yield volume.spec.csi.driver, volume.spec.csi.volumeHandle


def _room(wanted: set[Handle], info: NodeInfo, nodes: Snapshot) -> bool:
    there = nodes.storage.nodes.get(Key("", info.name))
    drivers = there.spec.drivers or () if there is not None else ()
    limits = {one.name: one.allocatable.count for one in drivers if one.allocatable is not None}
    bounded = {driver for driver, _ in wanted if limits.get(driver) is not None}
    if not bounded:
        return True
    used = {handle for other in info.pods.values() for handle in _handles(other, nodes)}
    return all(
        not any(one[0] == driver for one in wanted - used) or sum(one[0] == driver for one in wanted | used) <= limits[driver]
        for driver in bounded
    )
