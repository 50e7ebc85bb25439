"""NodeAffinity: nodeSelector and required node affinity filter; preferred terms add their weights.

https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
"""

import numpy as np

from kube.api import node_affinity
from kube.api.types import Pod
from scheduler.framework import Mask, Scores, everywhere, scaled
from scheduler.snapshot import Snapshot


class NodeAffinity:
    name = "NodeAffinity"
    weight = 2.0

    def filter(self, pod: Pod, nodes: Snapshot) -> Mask:
        if not pod.spec.nodeSelector and node_affinity.required_terms(pod) is None:
            return everywhere(nodes)
        return np.fromiter((node_affinity.wanted(pod, info.node) for info in nodes.infos), np.bool_, len(nodes))

    def reason(self, pod: Pod, nodes: Snapshot, index: int) -> tuple[str, ...]:
        return ("node(s) didn't match Pod's node affinity/selector",)

    def score(self, pod: Pod, nodes: Snapshot, feasible: Mask) -> Scores | None:
        affinity = pod.spec.affinity.nodeAffinity if pod.spec.affinity else None
        terms = affinity.preferredDuringSchedulingIgnoredDuringExecution if affinity else None
        if not terms:
            return None
        raw = np.zeros(len(nodes))
        for index in np.flatnonzero(feasible):
            node = nodes.infos[index].node
            raw[index] = sum(term.weight for term in terms if node_affinity.term_matches(term.preference, node))
        return scaled(raw, feasible)
