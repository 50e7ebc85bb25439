"""NodeAffinity: nodeSelector and required node affinity filter; preferred terms add their weights.

https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
"""

import numpy as np

from kube.api import node_affinity
from scheduler.framework import Mask, Scores, scaled
from scheduler.node_answers import selected
from scheduler.pod_info import PodInfo
from scheduler.snapshot import Snapshot


class NodeAffinity:
    name = "NodeAffinity"
    mendable = False

    def filter(self, pod: PodInfo, nodes: Snapshot) -> Mask | None:
        return selected(pod, nodes)

    def reason(self, pod: PodInfo, nodes: Snapshot, index: int) -> tuple[str, ...]:
        return ("node(s) didn't match Pod's node affinity/selector",)

    def score(self, pod: PodInfo, nodes: Snapshot, feasible: Mask) -> Scores | None:
        affinity = pod.spec.affinity.nodeAffinity if pod.spec.affinity else None
        if affinity is None or not affinity.preferredDuringSchedulingIgnoredDuringExecution:
            return None
        return scaled(nodes.remembered(("preferred nodes", pod.node_wish), lambda: _weights(pod, nodes)), feasible)


def _weights(pod: PodInfo, nodes: Snapshot) -> Scores:
    terms = pod.spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution
    found = [sum(term.weight for term in terms if node_affinity.term_matches(term.preference, info.node)) for info in nodes.infos]
    return np.array(found, np.float64)
