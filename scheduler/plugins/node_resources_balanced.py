"""NodeResourcesBalancedAllocation: prefer nodes on which CPU and memory would be used in equal shares.

https://kubernetes.io/docs/reference/scheduling/config/#scheduling-plugins
"""

import numpy as np

from scheduler.framework import MAX_SCORE, Mask, Scores
from scheduler.node_answers import used_share
from scheduler.pod_info import PodInfo
from scheduler.snapshot import Snapshot


class NodeResourcesBalancedAllocation:
    name = "NodeResourcesBalancedAllocation"

    def score(self, pod: PodInfo, nodes: Snapshot, feasible: Mask) -> Scores | None:
        """100 less the standard deviation of the two shares, which is half of their distance."""
        distance = np.abs(used_share(pod, nodes, "cpu") - used_share(pod, nodes, "memory"))
        return MAX_SCORE * (1.0 - distance / 2)
