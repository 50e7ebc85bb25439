"""NodeResourcesFit: the node has room for what the pod asks; and, by the scoring strategy, which of those that have is better.

LeastAllocated (the default) prefers emptier nodes, MostAllocated fuller ones (bin packing), RequestedToCapacityRatio what its shape
says of each share in use.
https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#how-pods-with-resource-requests-are-scheduled
https://kubernetes.io/docs/concepts/scheduling-eviction/resource-bin-packing/
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from kube.component.run import StartupError
from scheduler.framework import MAX_SCORE, Mask, Scores, everywhere
from scheduler.node_answers import used_share
from scheduler.pod_info import PodInfo
from scheduler.snapshot import Snapshot

LEAST, MOST, RATIO = "LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"
MOST_OF_A_SHAPE = 10  # a shape's scores are from 0 to this
EQUALLY = MappingProxyType({"cpu": 1, "memory": 1})


class NodeResourcesFit:
    name = "NodeResourcesFit"
    mendable = True

    def __init__(self, strategy: str = LEAST, weights: Mapping[str, int] = EQUALLY, shape: Mapping[int, int] | None = None) -> None:
        """`shape`: points for shares in use, in hundredths, rising."""
        self._strategy = strategy
        self._weights = weights
        self._shape = shape or {0: 0, 100: MOST_OF_A_SHAPE}

    @classmethod
    def of(cls, arguments: Mapping[str, Any]) -> "NodeResourcesFit":
        """From NodeResourcesFitArgs. Raises StartupError."""
        stated = arguments.get("scoringStrategy") or {}
        strategy = stated.get("type") or LEAST
        if strategy not in (LEAST, MOST, RATIO):
            raise StartupError(f'scoringStrategy.type: Unsupported value: "{strategy}"')
        weights: Mapping[str, int] = {one["name"]: one.get("weight") or 1 for one in stated.get("resources") or ()}
        shape = (stated.get("requestedToCapacityRatio") or {}).get("shape") or ()
        return cls(strategy, weights or EQUALLY, {one["utilization"]: one["score"] for one in shape})

    def filter(self, pod: PodInfo, nodes: Snapshot) -> Mask | None:
        mask = nodes.requested("pods") < nodes.allocatable("pods")
        for resource, amount in _asked(pod).items():
            mask &= nodes.requested(resource) + amount <= nodes.allocatable(resource)
        return mask

    def within_reach(self, pod: PodInfo, nodes: Snapshot) -> Mask | None:
        """Not where the pod asks for more than the node has."""
        mask = everywhere(nodes)
        for resource, amount in _asked(pod).items():
            mask &= amount <= nodes.allocatable(resource)
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
        """The mean of the resources' points, after this pod, by their weights."""
        counted = {name: weight for name, weight in self._weights.items() if name in ("cpu", "memory") or pod.asked.get(name)}
        if not counted:
            return None
        total = sum(weight * self._points(used_share(pod, nodes, name)) for name, weight in counted.items())
        return np.asarray(total / sum(counted.values()))

    def _points(self, share: Scores) -> Scores:
        if self._strategy == LEAST:
            return MAX_SCORE - MAX_SCORE * share
        if self._strategy == MOST:
            return MAX_SCORE * share
        return np.interp(share * 100, list(self._shape), list(self._shape.values())) * (MAX_SCORE / MOST_OF_A_SHAPE)


def _asked(pod: PodInfo) -> dict[str, int]:
    """Asking for nothing of a resource fits everywhere."""
    return {resource: amount for resource, amount in pod.asked.items() if amount > 0}
