"""Eviction manager: looks at the node every ten seconds, says what it is short of, and frees it.

Images that nothing uses go before pods; then one pod at a time, with no grace for a hard threshold. A pressure is told for five
minutes after it was last seen, so that the node does not take back what it just sent away. Pods over their own limits of local
storage are evicted whatever the node has left. The cheap looks (memory, disk, processes) are made each time; the pods are
measured only where one has to go. Upstream: pkg/kubelet/eviction/eviction_manager.go
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from kube.api.meta import Tree
from kube.api.types import Pod
from kube.component.clock import Clock
from kube.component.logging import get_logger
from kubelet.eviction import (
    DISK,
    MEMORY,
    PROCESSES,
    SIGNALS,
    Pressure,
    Readings,
    Threshold,
    eviction_message,
    limits_storage,
    may_go,
    ranked,
    storage_excess,
)
from kubelet.metrics import EVICTIONS
from kubelet.pod_events import PodEvents
from kubelet.pod_state import EVICTED, grace_seconds
from kubelet.pod_workers import PodWorkers
from kubelet.runtime.runtime import RuntimeFailure
from kubelet.samples import NodeSample, PodSample, Sampler

log = get_logger("kubelet.eviction")

EVERY_SECONDS = 10.0
LIMIT_SIGNALS = {  # the first word of why a pod over a limit of its own goes -> the signal that metrics name
    "Usage": "emptydirfs.limit",
    "Pod": "ephemeralpodfs.limit",
    "Container": "ephemeralcontainerfs.limit",
}


@dataclass(frozen=True)
class EvictionPolicy:
    thresholds: tuple[Threshold, ...]
    transition: timedelta = timedelta(minutes=5)  # how long a pressure is told after it was last seen
    longest_grace: int = 0  # seconds: of pods that go for a soft threshold


@dataclass
class Watched:
    """What earlier looks saw. Which thresholds count now is decided from this alone."""

    since: dict[Threshold, datetime] = field(default_factory=dict)  # met without a pause since then
    seen: dict[str, datetime] = field(default_factory=dict)  # condition -> when a threshold of it last counted

    def take(self, policy: EvictionPolicy, readings: Readings, now: datetime) -> list[Threshold]:
        """One look; returns the thresholds that count now, the hard ones first."""
        met = [one for one in policy.thresholds if one.met(readings, with_reclaim=one in self.since)]
        self.since = {one: self.since.get(one, now) for one in met}
        counting = [one for one in met if (now - self.since[one]).total_seconds() >= one.grace_seconds]
        for one in counting:
            self.seen[SIGNALS[one.signal][0]] = now
        return sorted(counting, key=lambda one: one.grace_seconds)

    def pressure(self, policy: EvictionPolicy, now: datetime) -> Pressure:
        recent = {name for name, at in self.seen.items() if at == now or now - at < policy.transition}
        return Pressure(MEMORY in recent, DISK in recent, PROCESSES in recent)


class EvictionManager:
    def __init__(self, policy: EvictionPolicy, sampler: Sampler, workers: PodWorkers, events: PodEvents, clock: Clock) -> None:
        self._policy = policy
        self._sampler = sampler
        self._workers = workers
        self._events = events
        self._clock = clock
        self._watched = Watched()
        self._looks = 0
        self._evicted: set[str] = set()  # uids of pods that were sent away and still run
        self.pressure = Pressure()
        self.free_images: Callable[[], Any] | None = None  # what frees the disk before pods have to go
        self.on_pressure: Callable[[], None] = _nothing  # is called when `pressure` changed
        self.on_threshold: Callable[[str], None] = _nothing_met  # is told what the node is low on

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.look()
            except (RuntimeFailure, OSError) as error:
                log.warning("eviction manager: failed to get summary stats", reason=error)
            await self._clock.sleep(EVERY_SECONDS)

    async def look(self) -> None:
        """One look, and what follows from it."""
        now, readings = self._clock.now(), await asyncio.to_thread(self._sampler.readings)
        counting = self._watched.take(self._policy, readings, now)
        pressure = self._watched.pressure(self._policy, now)
        if pressure != self.pressure:
            self.pressure = pressure
            self.on_pressure()
        self._looks += 1
        if self._looks % max(1, round(self._sampler.period / EVERY_SECONDS)) == 0:  # files are many
            await self._hold_to_limits()
        if counting:
            await self._reclaim(counting[0], readings)

    async def _reclaim(self, threshold: Threshold, readings: Readings) -> None:
        condition, resource = SIGNALS[threshold.signal]
        self.on_threshold(resource)
        log.warning("eviction manager: attempting to reclaim", resource=resource, signal=threshold.signal)
        if condition == DISK and self.free_images is not None:
            await self.free_images()
            readings = await asyncio.to_thread(self._sampler.readings)
            if not threshold.met(readings, with_reclaim=True):
                return
        running = (await self._sample(self._workers.pods())).pods
        self._evicted &= {one.pod.metadata.uid for one in running}
        if self._evicted:
            return  # the one before has not ended: what it frees is not seen yet
        victims = ranked(running, resource)
        if not victims:
            log.error("eviction manager: no pods are active to evict", resource=resource)
            return
        grace = min(self._policy.longest_grace, grace_seconds(victims[0].pod)) if threshold.grace_seconds else 0
        self._evict(victims[0], eviction_message(victims[0], threshold, readings[threshold.signal]), grace, threshold.signal)

    async def _hold_to_limits(self) -> None:
        limited = [pod for pod in self._workers.pods() if limits_storage(pod) and may_go(pod)]
        if not limited:
            return
        for one in (await self._sample(limited)).pods:
            message = storage_excess(one)
            if message is not None and one.pod.metadata.uid not in self._evicted:
                self._evict(one, message, 0, LIMIT_SIGNALS[message.split()[0]])

    async def _sample(self, pods: list[Pod]) -> NodeSample:
        running = self._workers.running()
        return await asyncio.to_thread(self._sampler.sample, [pod for pod in pods if pod.metadata.uid in running], running)

    def _evict(self, one: PodSample, message: str, grace: int, signal: str) -> None:
        worker = self._workers.get(one.pod.metadata.uid)
        if worker is None:
            return
        EVICTIONS.labels(signal).inc()
        self._evicted.add(one.pod.metadata.uid)
        self._events.event(one.pod, "Warning", EVICTED, message)
        worker.end(grace, reason=EVICTED, message=message, failed=True)


def node_about(name: str) -> Tree:
    """The node, as events name it."""
    return {"kind": "Node", "name": name, "uid": name}


def _nothing() -> None:
    """Nobody wants to know."""


def _nothing_met(resource: str) -> None:
    """Nobody wants to know."""
