"""NodePorts: two pods on a node cannot have the same host port.

0.0.0.0 overlaps every address; different protocols and different addresses do not clash.
https://kubernetes.io/docs/concepts/configuration/overview/#services
"""

import numpy as np

from scheduler.framework import Mask
from scheduler.pod_info import PodInfo, Port
from scheduler.snapshot import NodeInfo, Snapshot

ALL_ADDRESSES = "0.0.0.0"


class NodePorts:
    name = "NodePorts"
    mendable = True

    def filter(self, pod: PodInfo, nodes: Snapshot) -> Mask | None:
        wanted = pod.ports
        if not wanted:
            return None
        return np.fromiter((_free(wanted, info) for info in nodes.infos), np.bool_, len(nodes))

    def reason(self, pod: PodInfo, nodes: Snapshot, index: int) -> tuple[str, ...]:
        return ("node(s) didn't have free ports for the requested pod ports",)


def _free(wanted: tuple[Port, ...], info: NodeInfo) -> bool:
    return not any(clash(one, other) for taken in info.ports.values() for other in taken for one in wanted)


def clash(one: Port, other: Port) -> bool:
    if one[0] != other[0] or one[2] != other[2]:
        return False
    return one[1] == other[1] or ALL_ADDRESSES in (one[1], other[1])
