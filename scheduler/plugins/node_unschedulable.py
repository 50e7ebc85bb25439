"""NodeUnschedulable: cordoned nodes take no pods, save those that tolerate node.kubernetes.io/unschedulable.

https://kubernetes.io/docs/concepts/nodes/node/#manual-node-administration
"""

import numpy as np

from kube.api.toleration import tolerates
from kube.api.types import Pod, Taint
from scheduler.framework import Mask, everywhere
from scheduler.snapshot import Snapshot

CORDONED = Taint(key="node.kubernetes.io/unschedulable", effect="NoSchedule")


class NodeUnschedulable:
    name = "NodeUnschedulable"

    def filter(self, pod: Pod, nodes: Snapshot) -> Mask:
        if any(tolerates(toleration, CORDONED) for toleration in pod.spec.tolerations or ()):
            return everywhere(nodes)
        return np.fromiter((not info.node.spec.unschedulable for info in nodes.infos), np.bool_, len(nodes))

    def reason(self, pod: Pod, nodes: Snapshot, index: int) -> tuple[str, ...]:
        return ("node(s) were unschedulable",)
