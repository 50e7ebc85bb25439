"""NodeUnschedulable: cordoned nodes take no pods, save those that tolerate node.kubernetes.io/unschedulable.

https://kubernetes.io/docs/concepts/nodes/node/#manual-node-administration
"""

import numpy as np

from kube.api.toleration import tolerates
from kube.api.types import Taint
from scheduler.framework import Mask
from scheduler.pod_info import PodInfo
from scheduler.snapshot import Snapshot

CORDONED = Taint(key="node.kubernetes.io/unschedulable", effect="NoSchedule")


class NodeUnschedulable:
    name = "NodeUnschedulable"
    mendable = False

    def filter(self, pod: PodInfo, nodes: Snapshot) -> Mask | None:
        if any(tolerates(toleration, CORDONED) for toleration in pod.spec.tolerations or ()):
            return None
        return nodes.remembered("not cordoned", lambda: _not_cordoned(nodes))

    def reason(self, pod: PodInfo, nodes: Snapshot, index: int) -> tuple[str, ...]:
        return ("node(s) were unschedulable",)


def _not_cordoned(nodes: Snapshot) -> Mask:
    return np.fromiter((not info.node.spec.unschedulable for info in nodes.infos), np.bool_, len(nodes))
