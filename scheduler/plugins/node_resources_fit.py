"""NodeResourcesFit: the node has room for what the pod asks; emptier nodes are better (LeastAllocated).

https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#how-pods-with-resource-requests-are-scheduled
"""

import numpy as np

from scheduler.framework import MAX_SCORE, Mask, Scores
from scheduler.pod_info import PodInfo
from scheduler.snapshot import LEAST_CPU_MILLIS, LEAST_MEMORY_BYTES, Snapshot


class NodeResourcesFit:
    name = "NodeResourcesFit"
    mendable = True

    def filter(self, pod: PodInfo, nodes: Snapshot) -> Mask | None:
        mask = nodes.requested("pods") < nodes.allocatable("pods")
        for resource, amount in _asked(pod).items():
            mask &= nodes.requested(resource) + amount <= nodes.allocatable(resource)
        return mask

    def reason(self, pod: PodInfo, nodes: Snapshot, index: int) -> tuple[str, ...]:
        short = [
            f"Insufficient {resource}"
            for resource, amount in _asked(pod).items()
            if nodes.requested(resource)[index] + amount > nodes.allocatable(resource)[index]
        ]
        full = nodes.requested("pods")[index] >= nodes.allocatable("pods")[index]
        return ("Too many pods", *short) if full else tuple(short)

    def score(self, pod: PodInfo, nodes: Snapshot, feasible: Mask) -> Scores | None:
        """The mean of the free shares of CPU and memory, after this pod."""
        return MAX_SCORE - (used_share(pod, nodes, "cpu") + used_share(pod, nodes, "memory")) * (MAX_SCORE / 2)


def used_share(pod: PodInfo, nodes: Snapshot, resource: str) -> Scores:
    """How full each node would be with this pod, 0 to 1, as scores count it (a pod without requests is not free)."""
    least = LEAST_CPU_MILLIS if resource == "cpu" else LEAST_MEMORY_BYTES
    amount = pod.asked.get(resource) or least
    room = np.maximum(nodes.allocatable(resource), 1)
    return np.minimum((nodes.assumed(resource) + amount) / room, 1.0)


def _asked(pod: PodInfo) -> dict[str, int]:
    """Asking for nothing of a resource fits everywhere."""
    return {resource: amount for resource, amount in pod.asked.items() if amount > 0}
