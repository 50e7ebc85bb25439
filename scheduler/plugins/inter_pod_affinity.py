"""InterPodAffinity: near some pods, and away from others, by the domains (hosts, zones) that their nodes are in.

Three rules refuse nodes; all three bear the plugin's name, and each has a reason of its own:
- required affinity: in the node's domain there is a pod that all of the terms cover. Where there is none anywhere and the pod
  itself is covered, it may be the first of its group, on any node that has the keys;
- required anti-affinity: no pod that a term covers is in the node's domain;
- the same of the pods that are placed already: anti-affinity holds both ways.
Preferred terms, the pod's own and those of placed pods that cover it, add their weights for each pod in the domain; a placed pod's
required affinity counts as a preference of weight 1 (hardPodAffinityWeight). Affinity is required at scheduling only.
https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#inter-pod-affinity-and-anti-affinity
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from scheduler.framework import MAX_SCORE, Mask, Scores, everywhere
from scheduler.pod_info import PodInfo, Term
from scheduler.snapshot import Snapshot
from scheduler.table import Column

NAME = "InterPodAffinity"
HARD_WEIGHT = 1


class NearRequiredPods:
    name = NAME
    mendable = False

    def filter(self, pod: PodInfo, nodes: Snapshot) -> Mask | None:
        terms = pod.together
        if not terms:
            return None
        matching = _tally(terms, nodes)
        mask, somewhere = everywhere(nodes), False
        for term in terms:
            domains = nodes.domains(term.key)
            found = domains.sums(matching)
            somewhere = somewhere or bool(found.any())
            mask &= found[domains.of] > 0
        if somewhere or not all(term.covers(pod, nodes.namespaces) for term in terms):
            return mask
        first = everywhere(nodes)
        for term in terms:
            first &= nodes.domains(term.key).known
        return first

    def reason(self, pod: PodInfo, nodes: Snapshot, index: int) -> tuple[str, ...]:
        return ("node(s) didn't match pod affinity rules",)


class AwayFromPods:
    name = NAME
    mendable = True

    def filter(self, pod: PodInfo, nodes: Snapshot) -> Mask | None:
        if not pod.apart:
            return None
        mask = everywhere(nodes)
        for term in pod.apart:
            mask &= _none_there(nodes, term, _tally((term,), nodes))
        return mask

    def reason(self, pod: PodInfo, nodes: Snapshot, index: int) -> tuple[str, ...]:
        return ("node(s) didn't match pod anti-affinity rules",)


class WantedByPlacedPods:
    name = NAME
    mendable = True

    def filter(self, pod: PodInfo, nodes: Snapshot) -> Mask | None:
        mask = None
        for carried, holders in nodes.carried("required not"):
            if carried.term.covers(pod, nodes.namespaces):
                free = _none_there(nodes, carried.term, holders)
                mask = free if mask is None else mask & free
        return mask

    def reason(self, pod: PodInfo, nodes: Snapshot, index: int) -> tuple[str, ...]:
        return ("node(s) didn't satisfy existing pods anti-affinity rules",)


class InterPodAffinity:
    """The score."""

    name = NAME

    def __init__(self, hard_weight: int = HARD_WEIGHT, *, only_own: bool = False) -> None:
        """`only_own`: what placed pods prefer does not count for a pod that prefers nothing itself."""
        self._hard_weight = hard_weight
        self._only_own = only_own

    @classmethod
    def of(cls, arguments: Mapping[str, Any]) -> "InterPodAffinity":
        """From InterPodAffinityArgs."""
        weight = arguments.get("hardPodAffinityWeight")
        return cls(HARD_WEIGHT if weight is None else weight, only_own=bool(arguments.get("ignorePreferredTermsOfExistingPods")))

    def score(self, pod: PodInfo, nodes: Snapshot, feasible: Mask) -> Scores | None:
        raw = None
        for one in pod.preferred:
            raw = _added(raw, nodes, one.term, one.weight, _tally((one.term,), nodes))
        for carried, holders in () if self._only_own and not pod.preferred else nodes.carried("preferred", "required"):
            if carried.term.covers(pod, nodes.namespaces):
                raw = _added(raw, nodes, carried.term, carried.weight or self._hard_weight, holders)
        if raw is None:
            return None
        lowest, highest = raw[feasible].min(), raw[feasible].max()
        if lowest == highest:
            return None
        points: Scores = np.floor(MAX_SCORE * (raw - lowest) / (highest - lowest))
        return points


def _tally(terms: tuple[Term, ...], nodes: Snapshot) -> Column:
    """How many pods on each node all of the terms cover."""
    return nodes.tally(("covered", terms), _covered_by(terms, nodes))


def _covered_by(terms: tuple[Term, ...], nodes: Snapshot) -> Callable[[PodInfo], bool]:
    return lambda other: all(term.covers(other, nodes.namespaces) for term in terms)


def _none_there(nodes: Snapshot, term: Term, column: Column) -> Mask:
    """Nodes without any of the counted pods in their domain; a node without the key is in none."""
    domains = nodes.domains(term.key)
    free: Mask = domains.sums(column)[domains.of] == 0
    return free


def _added(raw: Scores | None, nodes: Snapshot, term: Term, weight: int, column: Column) -> Scores:
    domains = nodes.domains(term.key)
    points = (domains.sums(column)[domains.of] * weight).astype(np.float64)
    return points if raw is None else raw + points
