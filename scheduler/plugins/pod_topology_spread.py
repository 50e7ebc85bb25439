"""PodTopologySpread: keep a set of pods evenly over zones, nodes or any other domain.

skew = matching pods in the node's domain (with this pod) - the least over all eligible domains. DoNotSchedule refuses nodes
whose skew would pass maxSkew, and nodes without the key; ScheduleAnyway makes fuller domains worse. A pod without constraints
of its own that a Service or a set owns is spread softly over nodes and zones (the cluster's default constraints).
https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from kube.api import labels, node_affinity
from kube.api.meta import controller_of
from kube.api.toleration import untolerated
from kube.api.types import Pod, TopologySpreadConstraint
from scheduler.framework import Mask, Scores, everywhere, scaled
from scheduler.snapshot import NodeInfo, Snapshot

HOSTNAME, ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"
DEFAULT_SOFT = ((HOSTNAME, 3), (ZONE, 5))  # key, maxSkew


class PodTopologySpread:
    name = "PodTopologySpread"
    weight = 2.0

    def filter(self, pod: Pod, nodes: Snapshot) -> Mask:
        mask = everywhere(nodes)
        for constraint in _constraints(pod, "DoNotSchedule"):
            mask &= _allowed(pod, constraint, nodes)
        return mask

    def reason(self, pod: Pod, nodes: Snapshot, index: int) -> tuple[str, ...]:
        for constraint in _constraints(pod, "DoNotSchedule"):
            if constraint.key not in nodes.infos[index].labels:
                return ("node(s) didn't match pod topology spread constraints (missing required label)",)
        return ("node(s) didn't match pod topology spread constraints",)

    def score(self, pod: Pod, nodes: Snapshot, feasible: Mask) -> Scores | None:
        constraints = _constraints(pod, "ScheduleAnyway") or _defaults(pod)
        if not constraints:
            return None
        raw = np.zeros(len(nodes))
        for constraint in constraints:
            counts = _counts(pod, constraint, nodes, only_eligible=False)
            for index, info in enumerate(nodes.infos):
                domain = info.labels.get(constraint.key)
                raw[index] += counts.get(domain, 0) if domain is not None else max(counts.values(), default=0) + 1
        return scaled(raw, feasible, lower_is_better=True)


@dataclass(frozen=True)
class Constraint:
    """A constraint with its selector made ready."""

    key: str
    max_skew: int
    selector: labels.Selector
    min_domains: int
    honor_affinity: bool
    honor_taints: bool


def _constraints(pod: Pod, when: str) -> list[Constraint]:
    return [_ready(pod, one) for one in pod.spec.topologySpreadConstraints or () if one.whenUnsatisfiable == when]


def _ready(pod: Pod, given: TopologySpreadConstraint) -> Constraint:
    """matchLabelKeys add the pod's own values of these labels to the selector (KEP-3243)."""
    selector = labels.from_label_selector(given.labelSelector)
    own = pod.metadata.labels or {}
    extra = [f"{key}={own[key]}" for key in given.matchLabelKeys or () if key in own]
    if extra:
        selector = labels.parse(",".join(part for part in (str(selector), *extra) if part))
    return Constraint(
        key=given.topologyKey,
        max_skew=given.maxSkew,
        selector=selector,
        min_domains=given.minDomains or 1,
        honor_affinity=(given.nodeAffinityPolicy or "Honor") == "Honor",
        honor_taints=(given.nodeTaintsPolicy or "Ignore") == "Honor",
    )


def _defaults(pod: Pod) -> list[Constraint]:
    """The cluster's soft constraints, for pods that something controls: over the pods with the same labels."""
    own = pod.metadata.labels
    if not own or pod.spec.topologySpreadConstraints or controller_of(pod.metadata) is None:
        return []
    same = labels.from_label_selector({"matchLabels": own})
    return [Constraint(key, skew, same, 1, honor_affinity=True, honor_taints=False) for key, skew in DEFAULT_SOFT]


def _allowed(pod: Pod, constraint: Constraint, nodes: Snapshot) -> Mask:
    counts = _counts(pod, constraint, nodes, only_eligible=True)
    least = 0 if len(counts) < constraint.min_domains else min(counts.values(), default=0)
    itself = 1 if constraint.selector.matches(pod.metadata.labels) else 0
    return np.fromiter(
        (
            (domain := info.labels.get(constraint.key)) is not None
            and counts.get(domain, 0) + itself - least <= constraint.max_skew
            for info in nodes.infos
        ),
        np.bool_,
        len(nodes),
    )


def _counts(pod: Pod, constraint: Constraint, nodes: Snapshot, *, only_eligible: bool) -> Counter[str]:
    """Matching pods in each domain; a domain without any counts, with zero."""
    counts: Counter[str] = Counter()
    for info in nodes.infos:
        domain = info.labels.get(constraint.key)
        if domain is None or (only_eligible and not _eligible(pod, constraint, info)):
            continue
        counts[domain] += sum(
            1
            for other in info.pods.values()
            if other.metadata.namespace == pod.metadata.namespace
            and other.metadata.deletionTimestamp is None
            and constraint.selector.matches(other.metadata.labels)
        )
    return counts


def _eligible(pod: Pod, constraint: Constraint, info: NodeInfo) -> bool:
    if constraint.honor_affinity and not node_affinity.wanted(pod, info.node):
        return False
    return not (constraint.honor_taints and untolerated(pod.spec.tolerations, info.taints, ("NoSchedule", "NoExecute")))
