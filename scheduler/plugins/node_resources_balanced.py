"""NodeResourcesBalancedAllocation: prefer nodes on which CPU and memory would be used in equal shares.

https://kubernetes.io/docs/reference/scheduling/config/#scheduling-plugins
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from scheduler.framework import MAX_SCORE, Mask, Scores
from scheduler.node_answers import used_share
from scheduler.pod_info import PodInfo
from scheduler.snapshot import Snapshot


class NodeResourcesBalancedAllocation:
    name = "NodeResourcesBalancedAllocation"

    def __init__(self, resources: tuple[str, ...] = ("cpu", "memory")) -> None:
        self._resources = resources

    @classmethod
    def of(cls, arguments: Mapping[str, Any]) -> "NodeResourcesBalancedAllocation":
        """From NodeResourcesBalancedAllocationArgs."""
        named = tuple(one["name"] for one in arguments.get("resources") or ())
        return cls(named) if named else cls()

    def score(self, pod: PodInfo, nodes: Snapshot, feasible: Mask) -> Scores | None:
        """100 less the standard deviation of the shares."""
        shares = [used_share(pod, nodes, name) for name in self._resources if name in ("cpu", "memory") or pod.asked.get(name)]
        if not shares:
            return None
        deviation: Scores = np.abs(shares[0] - shares[1]) / 2 if len(shares) == 2 else np.std(shares, axis=0)
        return MAX_SCORE - MAX_SCORE * deviation
