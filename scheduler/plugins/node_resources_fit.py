"""NodeResourcesFit: the node has room for what the pod asks; emptier nodes are better (LeastAllocated).

https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#how-pods-with-resource-requests-are-scheduled
"""

import numpy as np

from kube.api import pod_resources
from kube.api.types import Pod
from scheduler.framework import MAX_SCORE, Mask, Scores, everywhere
from scheduler.snapshot import LEAST_CPU_MILLIS, LEAST_MEMORY_BYTES, Snapshot


class NodeResourcesFit:
    name = "NodeResourcesFit"
    weight = 1.0

    def filter(self, pod: Pod, nodes: Snapshot) -> Mask:
        mask = everywhere(nodes)
        for resource, amount in _asked(pod).items():
            mask &= nodes.requested(resource) + amount <= nodes.allocatable(resource)
        return mask

    def reason(self, pod: Pod, nodes: Snapshot, index: int) -> tuple[str, ...]:
        short = [
            resource
            for resource, amount in _asked(pod).items()
            if nodes.requested(resource)[index] + amount > nodes.allocatable(resource)[index]
        ]
        return tuple("Too many pods" if resource == "pods" else f"Insufficient {resource}" for resource in short)

    def score(self, pod: Pod, nodes: Snapshot, feasible: Mask) -> Scores | None:
        """The mean of the free shares of CPU and memory, after this pod."""
        return (
            MAX_SCORE - MAX_SCORE * used_share(pod, nodes, "cpu") + MAX_SCORE - MAX_SCORE * used_share(pod, nodes, "memory")
        ) / 2


def used_share(pod: Pod, nodes: Snapshot, resource: str) -> Scores:
    """How full each node would be with this pod, 0 to 1, as scores count it (a pod without requests is not free)."""
    least = LEAST_CPU_MILLIS if resource == "cpu" else LEAST_MEMORY_BYTES
    amount = pod_resources.requests(pod).get(resource) or least
    room = np.maximum(nodes.allocatable(resource), 1)
    return np.minimum((nodes.assumed(resource) + amount) / room, 1.0)


def _asked(pod: Pod) -> dict[str, int]:
    """The requests that count, and the pod itself; asking for nothing of a resource fits everywhere."""
    asked = {"pods": 1, **pod_resources.requests(pod)}
    return {resource: amount for resource, amount in asked.items() if amount > 0}
