"""PodTopologySpread: keep a set of pods evenly over zones, nodes or any other domain.

skew = matching pods in the node's domain (with this pod) - the least over all eligible domains. DoNotSchedule refuses nodes
whose skew would pass maxSkew, and nodes without one of the keys; ScheduleAnyway makes fuller domains worse, the more so the more
domains there are. A pod without constraints of its own is spread softly over nodes and zones, with its siblings (the cluster's
default constraints).
https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/ · KEP-895, 3022, 3094, 3243
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from kube.api import labels
from kube.api.types import TopologySpreadConstraint
from kube.api.views import view
from scheduler.framework import MAX_SCORE, Mask, Scores, everywhere
from scheduler.node_answers import selected, tolerated
from scheduler.pod_info import PodInfo, with_own_values
from scheduler.snapshot import Snapshot
from scheduler.table import Column

HOSTNAME, ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"
DEFAULT_SOFT = ((HOSTNAME, 3), (ZONE, 5))  # key, maxSkew


class PodTopologySpread:
    name = "PodTopologySpread"
    mendable = True

    def __init__(self, defaults: Sequence[TopologySpreadConstraint] | None = None) -> None:
        """`defaults`: for pods that state none; without a selector. None: the built-in ones."""
        self._defaults = defaults

    @classmethod
    def of(cls, arguments: Mapping[str, Any]) -> "PodTopologySpread":
        """From PodTopologySpreadArgs."""
        if arguments.get("defaultingType") != "List" and not arguments.get("defaultConstraints"):
            return cls()
        return cls([view(TopologySpreadConstraint, one) for one in arguments.get("defaultConstraints") or ()])

    def filter(self, pod: PodInfo, nodes: Snapshot) -> Mask | None:
        constraints = self._constraints(pod, nodes, "DoNotSchedule")
        if not constraints:
            return None
        keyed = _with_keys(constraints, nodes)
        mask = keyed.copy()
        for constraint in constraints:
            mask &= _allowed(pod, constraint, nodes, keyed)
        return mask

    def within_reach(self, pod: PodInfo, nodes: Snapshot) -> Mask | None:
        """Not where the node lacks one of the keys."""
        constraints = self._constraints(pod, nodes, "DoNotSchedule")
        return _with_keys(constraints, nodes) if constraints else None

    def reason(self, pod: PodInfo, nodes: Snapshot, index: int) -> tuple[str, ...]:
        for constraint in self._constraints(pod, nodes, "DoNotSchedule"):
            if constraint.key not in nodes.infos[index].labels:
                return ("node(s) didn't match pod topology spread constraints (missing required label)",)
        return ("node(s) didn't match pod topology spread constraints",)

    def score(self, pod: PodInfo, nodes: Snapshot, feasible: Mask) -> Scores | None:
        """Nodes without one of the keys are the worst; for the built-in constraints, keys that a node lacks count for nothing."""
        constraints = self._constraints(pod, nodes, "ScheduleAnyway")
        if not constraints:
            return None
        built_in = self._defaults is None and not pod.spec.topologySpreadConstraints
        keyed = everywhere(nodes) if built_in else _with_keys(constraints, nodes)
        raw = np.zeros(len(nodes))
        for constraint in constraints:
            raw += _crowd(pod, constraint, nodes, keyed, feasible & keyed)
        return _turned(np.rint(raw), feasible & keyed)

    def _constraints(self, pod: PodInfo, nodes: Snapshot, when: str) -> "list[Constraint]":
        """Its own, or the cluster's: over the pods of the same Services and set."""
        if pod.spec.topologySpreadConstraints:
            return [_ready(pod, one) for one in pod.spec.topologySpreadConstraints if one.whenUnsatisfiable == when]
        same = nodes.siblings.of(pod) if self._defaults is None or self._defaults else labels.everything()
        if same.empty:
            return []
        if self._defaults is None:
            return [Constraint(key, skew, same) for key, skew in DEFAULT_SOFT] if when == "ScheduleAnyway" else []
        return [replace(_ready(pod, one), selector=same) for one in self._defaults if one.whenUnsatisfiable == when]


@dataclass(frozen=True)
class Constraint:
    """A constraint with its selector made ready."""

    key: str
    max_skew: int
    selector: labels.Selector
    min_domains: int = 1
    honor_affinity: bool = True
    honor_taints: bool = False


def _ready(pod: PodInfo, given: TopologySpreadConstraint) -> Constraint:
    """matchLabelKeys add the pod's own values of these labels to the selector (KEP-3243)."""
    return Constraint(
        key=given.topologyKey,
        max_skew=given.maxSkew,
        selector=with_own_values(labels.from_label_selector(given.labelSelector), pod.labels, given.matchLabelKeys),
        min_domains=given.minDomains or 1,
        honor_affinity=(given.nodeAffinityPolicy or "Honor") == "Honor",
        honor_taints=(given.nodeTaintsPolicy or "Ignore") == "Honor",
    )


def _with_keys(constraints: list[Constraint], nodes: Snapshot) -> Mask:
    mask = everywhere(nodes)
    for constraint in constraints:
        mask &= nodes.domains(constraint.key).known
    return mask


def _allowed(pod: PodInfo, constraint: Constraint, nodes: Snapshot, keyed: Mask) -> Mask:
    domains = nodes.domains(constraint.key)
    eligible = keyed & _eligible(pod, constraint, nodes)
    counts = domains.sums(np.where(eligible, _matching(pod, constraint, nodes), 0))
    there = domains.sums(eligible.astype(np.int64))[: domains.total] > 0
    least = counts[: domains.total][there].min(initial=np.iinfo(np.int64).max) if there.sum() >= constraint.min_domains else 0
    itself = 1 if constraint.selector.matches(pod.labels) else 0
    skew: Mask = counts[domains.of] + itself - least <= constraint.max_skew
    return skew


def _crowd(pod: PodInfo, constraint: Constraint, nodes: Snapshot, keyed: Mask, candidates: Mask) -> Scores:
    """How crowded each node's domain is, weighed by how many domains there are to choose from."""
    domains, matching = nodes.domains(constraint.key), _matching(pod, constraint, nodes)
    if constraint.key == HOSTNAME:
        crowd, choice = matching, int(candidates.sum())
    else:
        eligible = keyed & _eligible(pod, constraint, nodes)
        crowd = domains.sums(np.where(eligible, matching, 0))[domains.of]
        choice = int((domains.sums(candidates.astype(np.int64)) > 0).sum())
    return np.where(domains.known, crowd * np.log(choice + 2) + (constraint.max_skew - 1), 0.0)


def _turned(raw: Scores, candidates: Mask) -> Scores:
    """The least crowded has 100, and what is no candidate 0."""
    seen = raw[candidates]
    if not seen.size:
        return np.zeros(len(raw))
    lowest, highest = seen.min(), seen.max()
    turned = MAX_SCORE * (highest + lowest - raw) / highest if highest else np.full(len(raw), MAX_SCORE)
    return np.where(candidates, np.floor(turned), 0.0)


def _matching(pod: PodInfo, constraint: Constraint, nodes: Snapshot) -> Column:
    """How many pods of the constraint are on each node; those that are ending do not count."""
    namespace, selector = pod.namespace, constraint.selector

    def counts(other: PodInfo) -> bool:
        return other.namespace == namespace and other.metadata.deletionTimestamp is None and selector.matches(other.labels)

    return nodes.tally(("spread", namespace, selector), counts)


def _eligible(pod: PodInfo, constraint: Constraint, nodes: Snapshot) -> Mask:
    mask = selected(pod, nodes) if constraint.honor_affinity else None
    if constraint.honor_taints:
        mask = tolerated(pod, nodes) if mask is None else mask & tolerated(pod, nodes)
    return everywhere(nodes) if mask is None else mask
