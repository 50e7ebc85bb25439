"""NodeName: a pod that names its node goes nowhere else."""

import numpy as np

from kube.api.types import Pod
from scheduler.framework import Mask, everywhere
from scheduler.snapshot import Snapshot


class NodeName:
    name = "NodeName"

    def filter(self, pod: Pod, nodes: Snapshot) -> Mask:
        if not pod.spec.nodeName:
            return everywhere(nodes)
        return np.fromiter((info.name == pod.spec.nodeName for info in nodes.infos), np.bool_, len(nodes))

    def reason(self, pod: Pod, nodes: Snapshot, index: int) -> tuple[str, ...]:
        return ("node(s) didn't match the requested node name",)
