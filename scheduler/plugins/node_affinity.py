"""NodeAffinity: nodeSelector and required node affinity filter; preferred terms add their weights.

https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from kube.api import node_affinity
from kube.api.types import NodeSelector
from kube.api.views import view
from scheduler.framework import Mask, Scores, scaled
from scheduler.node_answers import selected
from scheduler.pod_info import PodInfo
from scheduler.snapshot import Snapshot


class NodeAffinity:
    name = "NodeAffinity"
    mendable = False

    def __init__(self, added: NodeSelector | None = None) -> None:
        """`added`: what every pod of the profile demands of its node."""
        self._added = added

    @classmethod
    def of(cls, arguments: Mapping[str, Any]) -> "NodeAffinity":
        """From NodeAffinityArgs."""
        required = (arguments.get("addedAffinity") or {}).get("requiredDuringSchedulingIgnoredDuringExecution")
        return cls(view(NodeSelector, required) if required else None)

    def filter(self, pod: PodInfo, nodes: Snapshot) -> Mask | None:
        own, added = selected(pod, nodes), self._added
        if added is None:
            return own
        mask = nodes.remembered(("added affinity", id(added)), lambda: _of_all(added, nodes))
        return mask if own is None else mask & own

    def reason(self, pod: PodInfo, nodes: Snapshot, index: int) -> tuple[str, ...]:
        if self._added is not None and not node_affinity.selects(self._added, nodes.infos[index].node):
            return ("node(s) didn't match scheduler-enforced node affinity",)
        return ("node(s) didn't match Pod's node affinity/selector",)

    def score(self, pod: PodInfo, nodes: Snapshot, feasible: Mask) -> Scores | None:
        affinity = pod.spec.affinity.nodeAffinity if pod.spec.affinity else None
        if affinity is None or not affinity.preferredDuringSchedulingIgnoredDuringExecution:
            return None
        return scaled(nodes.remembered(("preferred nodes", pod.node_wish), lambda: _weights(pod, nodes)), feasible)


def _of_all(added: NodeSelector, nodes: Snapshot) -> Mask:
    return np.fromiter((node_affinity.selects(added, info.node) for info in nodes.infos), np.bool_, len(nodes))


def _weights(pod: PodInfo, nodes: Snapshot) -> Scores:
    terms = pod.spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution
    found = [sum(term.weight for term in terms if node_affinity.term_matches(term.preference, info.node)) for info in nodes.infos]
    return np.array(found, np.float64)
