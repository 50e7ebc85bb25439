"""SchedulingQueue: which pod is tried next, and which ones wait for the cluster to change.

Promise: a pod stands in one place at a time — active (highest priority first, then oldest), backing off (1 s doubling to 10 s
after failures), unschedulable (until something happens that may help it, at most five minutes), or gated (until its gates go).
An event that may help and comes while a pod is being tried is not lost: the pod goes to back-off instead of unschedulable.
Nothing polls: the only timer is the earliest back-off's.

Pure of clocks: every call takes `now` (seconds, monotonic). `wake_at` tells the caller when to look again.
https://github.com/kubernetes/community/blob/master/contributors/devel/sig-scheduling/scheduler_queues.md
"""

import heapq
from collections import Counter
from dataclasses import dataclass, field

from kube.api.meta import Key, key_of
from kube.api.types import Pod

FIRST_BACKOFF_SECONDS = 1.0
LONGEST_BACKOFF_SECONDS = 10.0
LONGEST_UNSCHEDULABLE_SECONDS = 300.0
EVERYBODY = ""
PLACES = ("active", "backoff", "unschedulable", "gated")


@dataclass
class QueuedPod:
    """A pod with its history in the queue."""

    pod: Pod
    added: float  # when it was first seen
    attempts: int = 0
    waiting_since: float = 0.0
    backoff_until: float = 0.0
    refused_by: frozenset[str] = frozenset()
    tried_since: float = 0.0
    tried_at: int = 0  # moves before the last attempt: tells whether one came during it
    place: str = "active"  # active | backoff | unschedulable | gated | trying

    @property
    def key(self) -> Key:
        return key_of(self.pod)


@dataclass(order=True)
class _Place:
    """A heap entry; one whose pod has moved on or is gone is passed over when it is met."""

    rank: tuple[float, float]
    item: QueuedPod = field(compare=False)


class SchedulingQueue:
    def __init__(self) -> None:
        self._pods: dict[Key, QueuedPod] = {}
        self._active: list[_Place] = []
        self._backoff: list[_Place] = []
        self._unschedulable: dict[Key, QueuedPod] = {}  # the one that waits longest is the first
        self._refusers: Counter[str] = Counter()  # the plugins that refused these, by how many
        self._moves = 0  # how often `move_all` was called
        self._moved: dict[str, int] = {}  # the last of them that named a plugin; EVERYBODY: that named none

    def __len__(self) -> int:
        return len(self._pods)

    def count(self, place: str) -> int:
        """The pods in one of PLACES, for the metric scheduler_pending_pods."""
        return sum(item.place == place for item in self._pods.values())

    def set(self, pod: Pod, now: float) -> None:
        """A new pod, or a newer form of one: a change of the pod itself may make it schedulable."""
        known = self._pods.get(key_of(pod))
        if known is None or known.pod.metadata.uid != pod.metadata.uid:
            self._leave(key_of(pod))
            item = self._pods[key_of(pod)] = QueuedPod(pod, added=now)
            self._enter(item, gated=bool(pod.spec.schedulingGates))
            return
        changed = known.pod.spec != pod.spec or known.pod.metadata.labels != pod.metadata.labels
        known.pod = pod
        if known.place == "gated" and not pod.spec.schedulingGates:
            self._enter(known, gated=False)
        elif known.place == "unschedulable" and changed:
            self._retry(known, now)

    def remove(self, key: Key) -> None:
        self._pods.pop(key, None)
        self._leave(key)

    def pop(self, now: float) -> QueuedPod | None:
        """The pod to try next, or None. The caller ends the attempt by `failed` or `done`."""
        self._release(now)
        while self._active:
            item = heapq.heappop(self._active).item
            if self._current(item, "active"):
                item.place = "trying"
                item.attempts += 1
                item.tried_since, item.tried_at = now, self._moves
                return item
        return None

    def done(self, item: QueuedPod) -> None:
        """The attempt bound the pod, or found it gone; a new pod that has its name by now stays."""
        if self._pods.get(item.key) is item:
            self.remove(item.key)

    def failed(self, item: QueuedPod, now: float, *, refused_by: frozenset[str] = frozenset(), again: bool = False) -> None:
        """The attempt came to nothing. `again`: for a reason that time mends (an error), not the cluster's state."""
        if self._pods.get(item.key) is not item:
            return
        item.refused_by = refused_by
        seconds = min(FIRST_BACKOFF_SECONDS * 2 ** (item.attempts - 1), LONGEST_BACKOFF_SECONDS)
        item.backoff_until = now + seconds
        item.waiting_since = now
        if again or any(self._moved.get(name, 0) > item.tried_at for name in (*refused_by, EVERYBODY)):
            self._retry(item, now)
        else:
            item.place = "unschedulable"
            self._leave(item.key)
            self._unschedulable[item.key] = item
            self._refusers.update(item.refused_by)

    def move_all(self, now: float, *, refused_by: frozenset[str] = frozenset()) -> bool:
        """The cluster changed in a way that may help: try the unschedulable ones again, each after its back-off; where plugins
        are named, those that these refused. Returns whether there were any."""
        self._moves += 1
        self._moved.update(dict.fromkeys(refused_by or (EVERYBODY,), self._moves))
        if refused_by and not any(self._refusers[name] for name in refused_by):
            return False
        moved = False
        for item in list(self._unschedulable.values()):
            if not refused_by or item.refused_by & refused_by:
                self._retry(item, now)
                moved = True
        return moved

    def wake_at(self) -> float | None:
        """When the next pod may become active by time alone; None if none will."""
        while self._backoff and not self._current(self._backoff[0].item, "backoff"):
            heapq.heappop(self._backoff)
        longest = next(iter(self._unschedulable.values()), None)
        stale = [longest.waiting_since + LONGEST_UNSCHEDULABLE_SECONDS] if longest is not None else []
        soonest = [self._backoff[0].rank[0]] if self._backoff else []
        return min(soonest + stale, default=None)

    def _release(self, now: float) -> None:
        while (longest := next(iter(self._unschedulable.values()), None)) is not None:
            if now - longest.waiting_since < LONGEST_UNSCHEDULABLE_SECONDS:
                break
            self._retry(longest, now)
        while self._backoff and self._backoff[0].rank[0] <= now:
            item = heapq.heappop(self._backoff).item
            if self._current(item, "backoff"):
                self._enter(item, gated=False)

    def _retry(self, item: QueuedPod, now: float) -> None:
        self._leave(item.key)
        if item.backoff_until <= now:
            self._enter(item, gated=False)
        else:
            item.place = "backoff"
            heapq.heappush(self._backoff, _Place((item.backoff_until, item.added), item))

    def _leave(self, key: Key) -> None:
        """It is unschedulable no longer."""
        item = self._unschedulable.pop(key, None)
        if item is not None:
            self._refusers.subtract(item.refused_by)

    def _enter(self, item: QueuedPod, *, gated: bool) -> None:
        item.place = "gated" if gated else "active"
        if not gated:
            heapq.heappush(self._active, _Place((-float(item.pod.spec.priority or 0), item.added), item))

    def _current(self, item: QueuedPod, place: str) -> bool:
        return item.place == place and self._pods.get(item.key) is item
