"""TaintToleration: keep pods off nodes whose taints they do not tolerate.

NoSchedule and NoExecute reject the node; each PreferNoSchedule left untolerated costs it score.
https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
"""

import numpy as np

from scheduler.framework import Mask, Scores, scaled
from scheduler.node_answers import taints_left, tolerated
from scheduler.pod_info import PodInfo
from scheduler.snapshot import Snapshot

SOFT = ("PreferNoSchedule",)


class TaintToleration:
    name = "TaintToleration"
    mendable = False

    def filter(self, pod: PodInfo, nodes: Snapshot) -> Mask | None:
        return tolerated(pod, nodes)

    def reason(self, pod: PodInfo, nodes: Snapshot, index: int) -> tuple[str, ...]:
        return ("node(s) had untolerated taint(s)",)

    def score(self, pod: PodInfo, nodes: Snapshot, feasible: Mask) -> Scores | None:
        counts = nodes.remembered(("soft taints", pod.tolerations), lambda: _counts(pod, nodes))
        return scaled(counts, feasible, lower_is_better=True) if counts.any() else None


def _counts(pod: PodInfo, nodes: Snapshot) -> Scores:
    return np.array([len(taints_left(pod, info.taints, SOFT)) for info in nodes.infos], np.float64)
