"""Preemption: whose places a pod may take when it fits nowhere, and on which node that hurts least. Pure.

On each node that could take the pod if it were emptier, all pods of lower priority are thought away; then as many as can stay
are let stay, the most important first, and those whose disruption budget is used up before all. What is left over are the node's
victims. Of the nodes the one is chosen with the fewest budgets broken, then the least highest priority among its victims, then the
least sum of priorities, the fewest victims, and the youngest victims.
https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/ · upstream pkg/scheduler/framework/preemption
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from kube.api import labels
from kube.api.types import Pod, PodDisruptionBudget
from scheduler.framework import FilterPlugin, Mask, PartlyMendable, everywhere, failure_message
from scheduler.pod_info import PodInfo
from scheduler.snapshot import Snapshot

# So many nodes are enough to choose from: a tenth, and at least a hundred (upstream's DefaultPreemptionArgs).
LEAST_CANDIDATES, CANDIDATES_PART = 100, 10
NEVER = "not eligible due to preemptionPolicy=Never."
WAITING = "not eligible due to terminating pod on the nominated node."
NO_VICTIMS = "No preemption victims found for incoming pod"
NOT_HELPFUL = "Preemption is not helpful for scheduling"
PREEMPTED = "PreemptionByScheduler"  # a victim's DisruptionTarget condition says so
LEAST_PRIORITY = 2**31  # added to priorities that are summed up, so that more victims never make a smaller sum
NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Room:
    """Where room is made and who must go; or no node, and the words of the FailedScheduling event."""

    node: str | None
    victims: tuple[Pod, ...] = ()
    broken_budgets: int = 0
    message: str = ""
    keeps_nomination: bool = False  # the pod waits for the room that is being made


def make_room(
    pod: PodInfo,
    nominated: str | None,
    nodes: Snapshot,
    filters: Sequence[FilterPlugin],
    budgets: Iterable[PodDisruptionBudget],
    first: int = 0,
) -> Room:
    """For a pod that all of `filters` together refused everywhere; `nominated`: the node where room was made for it before.
    Where there are many nodes not all are looked at: from the row `first` on. The snapshot is changed to try things on, and is
    in the end what it was."""
    if pod.spec.preemptionPolicy == "Never":
        return Room(None, message=NEVER)
    mendable = _mendable(pod, nodes, filters)
    if nominated is not None and _is_emptying(pod, nominated, nodes, mendable):
        return Room(None, message=WAITING, keeps_nomination=True)
    rows = np.flatnonzero(mendable)
    reasons = Counter({NOT_HELPFUL: len(nodes) - len(rows)})
    if nodes.least_priority >= pod.priority:
        reasons[NO_VICTIMS] = len(rows)
        return Room(None, message=failure_message(len(nodes), reasons))
    tried, known, found = [plugin for plugin in filters if plugin.mendable], list(budgets), []
    enough = max(LEAST_CANDIDATES, len(nodes) // CANDIDATES_PART)
    for name in [nodes.infos[row].name for row in np.roll(rows, -first % max(1, len(rows)))]:
        room = _room_on(name, pod, nodes, tried, known)
        if isinstance(room, Room):
            found.append(room)
        else:
            reasons.update(room)
        if len(found) == enough:
            break
    return min(found, key=_harm) if found else Room(None, message=failure_message(len(nodes), reasons))


def _mendable(pod: PodInfo, nodes: Snapshot, filters: Sequence[FilterPlugin]) -> Mask:
    """The nodes that might take the pod if other pods left them."""
    found = everywhere(nodes)
    for plugin in filters:
        if not plugin.mendable:
            mask = plugin.filter(pod, nodes)
        else:
            mask = plugin.within_reach(pod, nodes) if isinstance(plugin, PartlyMendable) else None
        if mask is not None:
            found &= mask
    return found


def _is_emptying(pod: PodInfo, node: str, nodes: Snapshot, mendable: Mask) -> bool:
    """Whether victims of a preemption are ending there, and the node is still of use."""
    row = nodes.row(node)
    there = nodes.infos[row].pods.values() if row is not None and mendable[row] else ()
    return any(one.priority < pod.priority and _is_ending_victim(one.pod) for one in there)


def _is_ending_victim(pod: Pod) -> bool:
    if pod.metadata.deletionTimestamp is None:
        return False
    told = next((one for one in pod.status.conditions or () if one.type == "DisruptionTarget"), None)
    return told is not None and told.status == "True" and told.reason == PREEMPTED


def _room_on(
    name: str, pod: PodInfo, nodes: Snapshot, filters: Sequence[FilterPlugin], budgets: Sequence[PodDisruptionBudget]
) -> Room | Sequence[str]:
    """Or why there can be none."""
    row = nodes.row(name)
    assert row is not None, "the snapshot's own node"
    lower = sorted((one for one in nodes.infos[row].pods.values() if one.priority < pod.priority), key=_importance)
    if not lower:
        return (NO_VICTIMS,)
    try:
        for one in lower:
            nodes.remove_pod(one.uid)
        refuser = _refuser(pod, nodes, filters, row)
        if refuser is not None:
            return refuser.reason(pod, nodes, row)
        protected = _protected(lower, budgets)
        victims, broken = [], 0
        for one in sorted(lower, key=lambda one: one.uid not in protected):
            nodes.set_pod(one, name)
            if _refuser(pod, nodes, filters, row) is not None:
                nodes.remove_pod(one.uid)
                victims.append(one)
                broken += one.uid in protected
    finally:
        for one in lower:
            nodes.set_pod(one, name)
    return Room(name, tuple(one.pod for one in sorted(victims, key=_importance)), broken) if victims else (NO_VICTIMS,)


def _refuser(pod: PodInfo, nodes: Snapshot, filters: Sequence[FilterPlugin], row: int) -> FilterPlugin | None:
    for plugin in filters:
        mask = plugin.filter(pod, nodes)
        if mask is not None and not mask[row]:
            return plugin
    return None


def _importance(pod: PodInfo) -> tuple[int, datetime]:
    """Sorts the most important first: by priority, then by how long the pod has run."""
    return -pod.priority, _since(pod.pod)


def _since(pod: Pod) -> datetime:
    started: datetime | None = pod.status.startTime or pod.metadata.creationTimestamp
    return started or NO_TIME


def _protected(pods: Iterable[PodInfo], budgets: Sequence[PodDisruptionBudget]) -> frozenset[str]:
    """The uids of those that may not be disrupted, if the ones before them are."""
    left = [one.status.disruptionsAllowed or 0 if one.status is not None else 0 for one in budgets]
    found = set()
    for pod in pods:
        for index, budget in enumerate(budgets):
            if _covers(budget, pod):
                left[index] -= 1
                if left[index] < 0:
                    found.add(pod.uid)
    return frozenset(found)


def _covers(budget: PodDisruptionBudget, pod: PodInfo) -> bool:
    """Whether the budget counts the pod: a pod that was already agreed to be evicted costs nothing more."""
    if budget.metadata.namespace != pod.metadata.namespace or not pod.metadata.labels:
        return False
    selector = labels.from_label_selector(budget.spec.selector)
    agreed = (budget.status.disruptedPods if budget.status is not None else None) or {}
    return not selector.empty and selector.matches(pod.metadata.labels) and pod.metadata.name not in agreed


def _harm(room: Room) -> tuple[int, int, int, int, float]:
    """The smaller, the better the choice."""
    priorities = Counter(one.spec.priority or 0 for one in room.victims)
    highest = max(priorities)
    total = sum((value + LEAST_PRIORITY) * count for value, count in priorities.items())
    oldest = min(_since(one) for one in room.victims if (one.spec.priority or 0) == highest)
    return room.broken_budgets, highest, total, len(room.victims), -oldest.timestamp()
