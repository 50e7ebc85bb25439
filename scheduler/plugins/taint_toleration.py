"""TaintToleration: keep pods off nodes whose taints they do not tolerate.

NoSchedule and NoExecute reject the node; each PreferNoSchedule left untolerated costs it score.
https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
"""

import numpy as np

from kube.api.toleration import untolerated
from kube.api.types import Pod, Taint
from scheduler.framework import Mask, Scores, scaled
from scheduler.snapshot import Snapshot

HARD = ("NoSchedule", "NoExecute")
SOFT = ("PreferNoSchedule",)


class TaintToleration:
    name = "TaintToleration"
    weight = 3.0

    def filter(self, pod: Pod, nodes: Snapshot) -> Mask:
        return np.fromiter((not _left(pod, info.taints, HARD) for info in nodes.infos), np.bool_, len(nodes))

    def reason(self, pod: Pod, nodes: Snapshot, index: int) -> tuple[str, ...]:
        taint = _left(pod, nodes.infos[index].taints, HARD)[0]
        return (f"node(s) had untolerated taint {{{taint.key}: {taint.value or ''}}}",)

    def score(self, pod: Pod, nodes: Snapshot, feasible: Mask) -> Scores | None:
        counts = [len(_left(pod, info.taints, SOFT)) for info in nodes.infos]
        if not any(counts):
            return None
        return scaled(np.array(counts, np.float64), feasible, lower_is_better=True)


def _left(pod: Pod, taints: list[Taint], effects: tuple[str, ...]) -> list[Taint]:
    return untolerated(pod.spec.tolerations, taints, effects) if taints else []
