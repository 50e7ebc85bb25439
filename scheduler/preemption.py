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
from scheduler.framework import FilterPlugin, everywhere
from scheduler.snapshot import NodeInfo, Snapshot, priority_of

# The plugins whose refusal ends when pods leave the node; the others' ("UnschedulableAndUnresolvable") does not.
MENDABLE = frozenset(("NodePorts", "NodeResourcesFit", "NodeVolumeLimits", "PodTopologySpread", "VolumeRestrictions"))
NEVER = "not eligible due to preemptionPolicy=Never."
WAITING = "not eligible due to terminating pod on the nominated node."
NO_VICTIMS = "No preemption victims found for incoming pod"
NOT_HELPFUL = "Preemption is not helpful for scheduling"
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
    pod: Pod, nominated: str | None, nodes: Snapshot, filters: Sequence[FilterPlugin], budgets: Iterable[PodDisruptionBudget]
) -> Room:
    """For a pod that all of `filters` together refused everywhere; `nominated`: the node where room was made for it before."""
    if pod.spec.preemptionPolicy == "Never":
        return Room(None, message=NEVER)
    if nominated is not None and _is_emptying(pod, nominated, nodes):
        return Room(None, message=WAITING, keeps_nomination=True)
    mendable = everywhere(nodes)
    for plugin in filters:
        if plugin.name not in MENDABLE:
            mendable &= plugin.filter(pod, nodes)
    found: list[Room] = []
    if nodes.least_priority < priority_of(pod):
        known = list(budgets)
        tried = [plugin for plugin in filters if plugin.name in MENDABLE]
        rooms = (_room_on(nodes.infos[index], pod, nodes, tried, known) for index in np.flatnonzero(mendable))
        found = [room for room in rooms if room is not None]
    if found:
        return min(found, key=_harm)
    helped = int(mendable.sum())
    counted = {f"{helped} {NO_VICTIMS}": helped, f"{len(nodes) - helped} {NOT_HELPFUL}": len(nodes) - helped}
    reasons = ", ".join(sorted(text for text, count in counted.items() if count))
    return Room(None, message=f"0/{len(nodes)} nodes are available: {reasons}.")


def _is_emptying(pod: Pod, node: str, nodes: Snapshot) -> bool:
    row = nodes.row(node)
    there = nodes.infos[row].pods.values() if row is not None else ()
    return any(one.metadata.deletionTimestamp is not None and priority_of(one) < priority_of(pod) for one in there)


def _room_on(
    info: NodeInfo, pod: Pod, nodes: Snapshot, filters: Sequence[FilterPlugin], budgets: Sequence[PodDisruptionBudget]
) -> Room | None:
    lower = sorted((one for one in info.pods.values() if priority_of(one) < priority_of(pod)), key=_importance)
    if not lower:
        return None
    world = _world(info, pod, nodes)
    row = world.row(info.name)
    for one in lower:
        world.remove_pod(one.metadata.uid)

    def fits() -> bool:
        return all(plugin.filter(pod, world)[row] for plugin in filters)

    if not fits():
        return None
    protected = _protected(lower, budgets)
    victims, broken = [], 0
    for one in sorted(lower, key=lambda one: one.metadata.uid not in protected):
        world.set_pod(one, info.name)
        if not fits():
            world.remove_pod(one.metadata.uid)
            victims.append(one)
            broken += one.metadata.uid in protected
    return Room(info.name, tuple(sorted(victims, key=_importance)), broken) if victims else None


def _world(info: NodeInfo, pod: Pod, nodes: Snapshot) -> Snapshot:
    """As much of the cluster as the pod's filters look at, to try things on."""
    world = Snapshot(nodes.storage)
    for one in nodes.infos if pod.spec.topologySpreadConstraints else [info]:
        world.set_node(one.node)
        for placed in one.pods.values():
            world.set_pod(placed, one.name)
    return world


def _importance(pod: Pod) -> tuple[int, datetime]:
    """Sorts the most important first: by priority, then by how long the pod has run."""
    return -priority_of(pod), _since(pod)


def _since(pod: Pod) -> datetime:
    started: datetime | None = pod.status.startTime or pod.metadata.creationTimestamp
    return started or NO_TIME


def _protected(pods: Iterable[Pod], budgets: Sequence[PodDisruptionBudget]) -> frozenset[str]:
    """The uids of those that may not be disrupted, if the ones before them are."""
    left = [one.status.disruptionsAllowed or 0 if one.status is not None else 0 for one in budgets]
    found = set()
    for pod in pods:
        for index, budget in enumerate(budgets):
            if _covers(budget, pod):
                left[index] -= 1
                if left[index] < 0:
                    found.add(pod.metadata.uid)
    return frozenset(found)


def _covers(budget: PodDisruptionBudget, pod: Pod) -> bool:
    """Whether the budget counts the pod: a pod that was already agreed to be evicted costs nothing more."""
    if budget.metadata.namespace != pod.metadata.namespace or not pod.metadata.labels:
        return False
    selector = labels.from_label_selector(budget.spec.selector)
    agreed = (budget.status.disruptedPods if budget.status is not None else None) or {}
    return not selector.empty and selector.matches(pod.metadata.labels) and pod.metadata.name not in agreed


def _harm(room: Room) -> tuple[int, int, int, int, float]:
    """The smaller, the better the choice."""
    priorities = Counter(priority_of(one) for one in room.victims)
    highest = max(priorities)
    total = sum((value + LEAST_PRIORITY) * count for value, count in priorities.items())
    oldest = min(_since(one) for one in room.victims if priority_of(one) == highest)
    return room.broken_budgets, highest, total, len(room.victims), -oldest.timestamp()
