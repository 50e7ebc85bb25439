"""VolumeBinding: bound volumes must be reachable from the node, and for claims that wait a volume must be found there.

A pod whose claims are not there, or are bound without it in time (Immediate), fits nowhere until that has happened.
https://kubernetes.io/docs/concepts/storage/persistent-volumes/#node-affinity
"""

import numpy as np

from scheduler.framework import Mask
from scheduler.pod_info import PodInfo
from scheduler.snapshot import Snapshot
from scheduler.storage import uses


class VolumeBinding:
    name = "VolumeBinding"
    mendable = False

    def refusal(self, pod: PodInfo, nodes: Snapshot) -> str:
        return nodes.storage.wanted(pod).problem if any(uses(pod)) else ""

    def filter(self, pod: PodInfo, nodes: Snapshot) -> Mask | None:
        if not any(uses(pod)):
            return None
        storage, wanted = nodes.storage, nodes.storage.wanted(pod)
        if wanted.problem:
            return np.zeros(len(nodes), np.bool_)
        return np.fromiter((not storage.refusal(wanted, info.node) for info in nodes.infos), np.bool_, len(nodes))

    def reason(self, pod: PodInfo, nodes: Snapshot, index: int) -> tuple[str, ...]:
        return nodes.storage.refusal(nodes.storage.wanted(pod), nodes.infos[index].node)
