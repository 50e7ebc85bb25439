"""NodeName: a pod that names its node goes nowhere else."""

import numpy as np

from scheduler.framework import Mask
from scheduler.pod_info import PodInfo
from scheduler.snapshot import Snapshot


class NodeName:
    name = "NodeName"
    mendable = False

    def filter(self, pod: PodInfo, nodes: Snapshot) -> Mask | None:
        if not pod.spec.nodeName:
            return None
        return np.fromiter((info.name == pod.spec.nodeName for info in nodes.infos), np.bool_, len(nodes))

    def reason(self, pod: PodInfo, nodes: Snapshot, index: int) -> tuple[str, ...]:
        return ("node(s) didn't match the requested node name",)
