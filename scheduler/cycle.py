"""The scheduling cycle: from a pod and a snapshot to a node, or to the reasons why not. Pure.

Filters run over all nodes, one after another, and look no further at nodes refused already; so each node has the reasons of
the first plugin that refused it, as upstream. The message counts nodes by reason, in the order of the texts.
https://kubernetes.io/docs/concepts/scheduling-eviction/kube-scheduler/
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from scheduler.framework import FilterPlugin, Mask, Profile, everywhere, failure_message
from scheduler.pod_info import PodInfo
from scheduler.preemption import Room
from scheduler.snapshot import Snapshot

# What DynamicResources of 1.36 says after a refusal: of a pod without claims, and where it was not asked before.
NO_CLAIMS, NOT_ASKED = "no new claims to deallocate", "not found"


@dataclass(frozen=True)
class Decision:
    """A node's name, or None with the message of the FailedScheduling event and the plugins that refused; then perhaps also
    where room can be made."""

    node: str | None
    message: str = ""
    refused_by: frozenset[str] = frozenset()
    room: Room | None = None
    by_nodes: bool = True  # each node was asked: room on one of them may help


def decide(pod: PodInfo, nodes: Snapshot, profile: Profile, tie: int = 0, nominated: str | None = None) -> Decision:
    """Choose a node: the nominated one where the pod fits there, else the best. `tie` picks among equally good nodes (a number
    from outside: a decision has no randomness)."""
    if not len(nodes):
        return Decision(None, "no nodes available to schedule pods", by_nodes=False)
    for whole in profile.of_whole_pods:
        refusal = whole.refusal(pod, nodes)
        if refusal:
            message = f"0/{len(nodes)} nodes are available: {refusal}. {NOT_ASKED}"
            return Decision(None, message, frozenset((whole.name,)), by_nodes=False)
    feasible = everywhere(nodes)
    refused: list[tuple[FilterPlugin, Mask]] = []
    for plugin in profile.filters:
        mask = plugin.filter(pod, nodes)
        if mask is None or mask.all():
            continue
        refused.append((plugin, feasible & ~mask))
        feasible &= mask
        if not feasible.any():
            return _nowhere(pod, nodes, refused)
    row = nodes.row(nominated) if nominated is not None else None
    if row is not None and feasible[row]:
        return Decision(nominated)
    return Decision(nodes.infos[_best(pod, nodes, feasible, profile, tie)].name)


def _nowhere(pod: PodInfo, nodes: Snapshot, refused: list[tuple[FilterPlugin, Mask]]) -> Decision:
    reasons: Counter[str] = Counter()
    for plugin, where in refused:
        for index in np.flatnonzero(where):
            reasons.update(plugin.reason(pod, nodes, int(index)))
    return Decision(None, failure_message(len(nodes), reasons), frozenset(one.name for one, where in refused if where.any()))


def _best(pod: PodInfo, nodes: Snapshot, feasible: Mask, profile: Profile, tie: int) -> int:
    candidates = np.flatnonzero(feasible)
    if len(candidates) == 1:
        return int(candidates[0])
    total = np.zeros(len(nodes))
    for plugin, weight in profile.scores:
        points = plugin.score(pod, nodes, feasible)
        if points is not None:
            total += weight * points
    highest = total[candidates].max()
    best = candidates[total[candidates] >= highest - 1e-9]
    return int(best[tie % len(best)])
