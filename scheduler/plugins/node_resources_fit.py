"""NodeResourcesFit: the node has room for what the pod asks; emptier nodes are better (LeastAllocated).

https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#how-pods-with-resource-requests-are-scheduled
"""

from scheduler.framework import MAX_SCORE, Mask, Scores
from scheduler.node_answers import used_share
from scheduler.pod_info import PodInfo
from scheduler.snapshot import Snapshot


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


def _asked(pod: PodInfo) -> dict[str, int]:
    """Asking for nothing of a resource fits everywhere."""
    return {resource: amount for resource, amount in pod.asked.items() if amount > 0}
