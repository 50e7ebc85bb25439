"""TaintToleration: keep pods off nodes whose taints they do not tolerate.

NoSchedule and NoExecute reject the node; each PreferNoSchedule left untolerated costs it score.
https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
"""

import numpy as np

from kube.api.toleration import untolerated
from kube.api.types import Taint
from scheduler.framework import Mask, Scores, scaled
from scheduler.pod_info import PodInfo
from scheduler.snapshot import Snapshot

HARD = ("NoSchedule", "NoExecute")
SOFT = ("PreferNoSchedule",)


class TaintToleration:
    name = "TaintToleration"
    mendable = False

    def filter(self, pod: PodInfo, nodes: Snapshot) -> Mask | None:
        return tolerated(pod, nodes)

    def reason(self, pod: PodInfo, nodes: Snapshot, index: int) -> tuple[str, ...]:
        taint = _left(pod, nodes.infos[index].taints, HARD)[0]
        return (f"node(s) had untolerated taint {{{taint.key}: {taint.value or ''}}}",)

    def score(self, pod: PodInfo, nodes: Snapshot, feasible: Mask) -> Scores | None:
        counts = nodes.remembered(("soft taints", pod.tolerations), lambda: _counts(pod, nodes))
        return scaled(counts, feasible, lower_is_better=True) if counts.any() else None


def tolerated(pod: PodInfo, nodes: Snapshot) -> Mask:
    """The nodes without a taint that keeps the pod away."""

    def made() -> Mask:
        return np.fromiter((not _left(pod, info.taints, HARD) for info in nodes.infos), np.bool_, len(nodes))

    return nodes.remembered(("tolerated", pod.tolerations), made)


def _counts(pod: PodInfo, nodes: Snapshot) -> Scores:
    return np.array([len(_left(pod, info.taints, SOFT)) for info in nodes.infos], np.float64)


def _left(pod: PodInfo, taints: list[Taint], effects: tuple[str, ...]) -> list[Taint]:
    return untolerated(pod.spec.tolerations, taints, effects) if taints else []
