"""NodePorts: two pods on a node cannot have the same host port.

0.0.0.0 overlaps every address; different protocols and different addresses do not clash.
https://kubernetes.io/docs/concepts/configuration/overview/#services
"""

import numpy as np

from kube.api.types import Pod
from scheduler.framework import Mask, everywhere
from scheduler.snapshot import NodeInfo, Port, Snapshot, host_ports

ALL_ADDRESSES = "0.0.0.0"


class NodePorts:
    name = "NodePorts"

    def filter(self, pod: Pod, nodes: Snapshot) -> Mask:
        wanted = tuple(host_ports(pod))
        if not wanted:
            return everywhere(nodes)
        return np.fromiter((_free(wanted, info) for info in nodes.infos), np.bool_, len(nodes))

    def reason(self, pod: Pod, nodes: Snapshot, index: int) -> tuple[str, ...]:
        return ("node(s) didn't have free ports for the requested pod ports",)


def _free(wanted: tuple[Port, ...], info: NodeInfo) -> bool:
    return not any(clash(one, other) for taken in info.ports.values() for other in taken for one in wanted)


def clash(one: Port, other: Port) -> bool:
    if one[0] != other[0] or one[2] != other[2]:
        return False
    return one[1] == other[1] or ALL_ADDRESSES in (one[1], other[1])
