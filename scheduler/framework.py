"""The scheduling framework: what a plugin is, and how its answers are put together.

A plugin looks at a pod and at all nodes at once; a filter answers with a mask over the nodes, a score with an array. It gives
a reason only for nodes that it refused. Plugins are plain objects with the methods they need; they keep no state.
https://kubernetes.io/docs/concepts/scheduling-eviction/scheduling-framework/
"""

from collections import Counter
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from scheduler.pod_info import PodInfo
from scheduler.snapshot import Snapshot

Mask = NDArray[np.bool_]
Scores = NDArray[np.float64]
MAX_SCORE = 100.0


@runtime_checkable
class FilterPlugin(Protocol):
    """Which nodes can take the pod."""

    name: str
    mendable: (
        bool  # whether its refusal may end when pods leave the node; of the others upstream says "UnschedulableAndUnresolvable"
    )

    def filter(self, pod: PodInfo, nodes: Snapshot) -> Mask | None:
        """True where the node may take the pod; None where the plugin does not concern this pod. It may be shared: not to be
        changed."""
        ...

    def reason(self, pod: PodInfo, nodes: Snapshot, index: int) -> tuple[str, ...]:
        """Why this refused node may not: the texts that FailedScheduling counts (several for several resources)."""
        ...


@runtime_checkable
class PartlyMendable(Protocol):
    """A mendable filter that refuses some nodes for good."""

    def within_reach(self, pod: PodInfo, nodes: Snapshot) -> Mask | None:
        """True where its refusal may end when pods leave the node; None where that is so everywhere."""
        ...


@runtime_checkable
class WholePodFilter(Protocol):
    """A filter that may find that the pod fits nowhere, whatever the nodes are like."""

    name: str

    def refusal(self, pod: PodInfo, nodes: Snapshot) -> str:
        """Why, in the words of the FailedScheduling event; empty where the nodes decide."""
        ...


@runtime_checkable
class ScorePlugin(Protocol):
    """Which of the nodes that can are better."""

    name: str

    def score(self, pod: PodInfo, nodes: Snapshot, feasible: Mask) -> Scores | None:
        """0 (worst) to 100 (best) for every node, meaningful where feasible; None where the plugin has no preference."""
        ...


class Profile:
    """The plugins of a scheduler, under its name; each score with its weight."""

    def __init__(
        self, name: str, filters: Sequence[FilterPlugin], scores: Sequence[tuple[ScorePlugin, float]], *, preempts: bool = True
    ) -> None:
        self.name = name
        self.preempts = preempts  # whether room is made for a pod that fits nowhere
        self.filters = tuple(filters)
        self.scores = tuple(scores)
        self.of_whole_pods = [plugin for plugin in filters if isinstance(plugin, WholePodFilter)]


def everywhere(nodes: Snapshot) -> Mask:
    """Every node."""
    return np.ones(len(nodes), dtype=np.bool_)


def failure_message(total: int, reasons: Counter[str]) -> str:
    """`0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu.` (sorted by text)."""
    listed = sorted(f"{count} {reason}" for reason, count in reasons.items() if count)
    return f"0/{total} nodes are available: {', '.join(listed)}."


def scaled(raw: Scores, feasible: Mask, *, lower_is_better: bool = False) -> Scores:
    """Scores stretched so that the best feasible node has 100 (DefaultNormalizeScore); all equal: all 100 or all 0."""
    highest = float(raw[feasible].max(initial=0.0))
    if highest == 0.0:
        return np.full(len(raw), MAX_SCORE if lower_is_better else 0.0)
    stretched = raw * (MAX_SCORE / highest)
    return MAX_SCORE - stretched if lower_is_better else stretched
