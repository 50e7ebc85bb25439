"""The scheduling framework: what a plugin is, and how its answers are put together.

A plugin looks at a pod and at all nodes at once; a filter answers with a mask over the nodes, a score with an array. It gives
a reason only for nodes that it refused. Plugins are plain objects with the methods they need; they keep no state.
https://kubernetes.io/docs/concepts/scheduling-eviction/scheduling-framework/
"""

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from kube.api.types import Pod
from scheduler.snapshot import Snapshot

Mask = NDArray[np.bool_]
Scores = NDArray[np.float64]
MAX_SCORE = 100.0


@runtime_checkable
class FilterPlugin(Protocol):
    """Which nodes can take the pod."""

    name: str

    def filter(self, pod: Pod, nodes: Snapshot) -> Mask:
        """True where the node may take the pod; a plugin that does not concern this pod answers all True."""
        ...

    def reason(self, pod: Pod, nodes: Snapshot, index: int) -> tuple[str, ...]:
        """Why this refused node may not: the texts that FailedScheduling counts (several for several resources)."""
        ...


@runtime_checkable
class WholePodFilter(Protocol):
    """A filter that may find that the pod fits nowhere, whatever the nodes are like."""

    def refusal(self, pod: Pod, nodes: Snapshot) -> str:
        """Why, in the words of the FailedScheduling event; empty where the nodes decide."""
        ...


@runtime_checkable
class ScorePlugin(Protocol):
    """Which of the nodes that can are better."""

    name: str
    weight: float

    def score(self, pod: Pod, nodes: Snapshot, feasible: Mask) -> Scores | None:
        """0 (worst) to 100 (best) for every node, meaningful where feasible; None where the plugin has no preference."""
        ...


def everywhere(nodes: Snapshot) -> Mask:
    """The answer of a filter that does not concern the pod."""
    return np.ones(len(nodes), dtype=np.bool_)


def scaled(raw: Scores, feasible: Mask, *, lower_is_better: bool = False) -> Scores:
    """Scores stretched so that the best feasible node has 100 (DefaultNormalizeScore); all equal: all 100 or all 0."""
    highest = float(raw[feasible].max(initial=0.0))
    if highest == 0.0:
        return np.full(len(raw), MAX_SCORE if lower_is_better else 0.0)
    stretched = raw * (MAX_SCORE / highest)
    return MAX_SCORE - stretched if lower_is_better else stretched
