"""Node shutdown: when the machine goes down, its pods are ended in order, and the machine waits for it.

Pods of lower priority go first: each group has its part of the time, and the next one begins when it has ended, or its time is
over. A pod gets its own grace period, but no more than its group has. It is Failed with the reason Terminated; the node is not
ready, and takes no pods. A shutdown that is called off makes the node ready again; the pods that ended stay ended.
https://kubernetes.io/docs/concepts/cluster-administration/node-shutdown/ (KEP-2000, KEP-2712)
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

from prometheus_client import Gauge

from kube.api.types import Pod
from kube.component.clock import Clock
from kube.component.logging import get_logger
from kubelet.pod_state import TERMINATED, grace_seconds
from kubelet.pod_worker import PodWorker
from kubelet.pod_workers import PodWorkers

log = get_logger("kubelet.shutdown")

MESSAGE = "Pod was terminated in response to imminent node shutdown."
SYSTEM_CRITICAL = 2_000_000_000  # the priority from which on a pod is critical to the system
LOOK_SECONDS = 0.1  # between looks at whether a group has ended
TELL_SECONDS = 1.0  # for the last statuses to reach the API server

STARTED = Gauge(
    "kubelet_graceful_shutdown_start_time_seconds", "[ALPHA] Last graceful shutdown start time since unix epoch in seconds"
)
ENDED = Gauge("kubelet_graceful_shutdown_end_time_seconds", "[ALPHA] Last graceful shutdown end time since unix epoch in seconds")


class Phase(NamedTuple):
    """The pods from a priority on, up to the next phase's, and their part of the time."""

    priority: int
    seconds: float


class Source(Protocol):
    """Who tells that the machine goes down, and may wait for the pods."""

    async def watch(self, tell: Callable[[bool], None]) -> None:
        """Until cancelled: True when it goes down, False when that is called off."""

    async def release(self) -> None:
        """The pods have ended: let the machine go on."""


def phases(total: float, critical: float, by_priority: Iterable[Phase] = ()) -> tuple[Phase, ...]:
    """In the order in which they come. Raises ValueError, in upstream's words. Nothing where the feature is off. Pure."""
    stated = tuple(sorted(by_priority))
    if stated:
        if total or critical:
            raise ValueError(
                "invalid configuration: Cannot specify both shutdownGracePeriodByPodPriority "
                "and shutdownGracePeriod at the same time"
            )
        return stated
    if 0 < total < 1:
        raise ValueError(f"invalid configuration: shutdownGracePeriod {total}s must be either zero or otherwise >= 1 sec")
    if critical > total:
        raise ValueError(
            f"invalid configuration: shutdownGracePeriodCriticalPods {critical}s must be <= shutdownGracePeriod {total}s"
        )
    return (Phase(0, total - critical), Phase(SYSTEM_CRITICAL, critical)) if total else ()


def grouped(pods: Iterable[Pod], order: Sequence[Phase]) -> list[tuple[Phase, list[Pod]]]:
    """Each pod in the last phase whose priority it reaches, or in the first. Pure."""
    groups: list[tuple[Phase, list[Pod]]] = [(phase, []) for phase in order]
    for pod in pods:
        reached = [group for phase, group in groups if (pod.spec.priority or 0) >= phase.priority]
        (reached[-1] if reached else groups[0][1]).append(pod)
    return groups


class NodeShutdown:
    def __init__(self, order: Sequence[Phase], sources: Sequence[Source], workers: PodWorkers, clock: Clock) -> None:
        self._order = order
        self._sources = sources if order else ()
        self._workers = workers
        self._clock = clock
        self._changed = asyncio.Event()
        self.going_down = False
        self.on_change: Callable[[bool], None] = _nothing  # is called when `going_down` changed

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for source in self._sources:
                tasks.create_task(source.watch(self._told), name="shutdown of the machine")
            while True:
                await self._changed.wait()
                self._changed.clear()
                if self.going_down:
                    await self._end_pods()

    def _told(self, going_down: bool) -> None:
        if going_down == self.going_down:
            return
        log.info("shutdown manager detected new shutdown event", shutdown="active" if going_down else "cancelled")
        self.going_down = going_down
        self.on_change(going_down)
        self._changed.set()

    async def _end_pods(self) -> None:
        STARTED.set(self._clock.now().timestamp())
        for phase, pods in grouped(self._workers.pods(), self._order):
            workers = [worker for pod in pods if (worker := self._workers.get(pod.metadata.uid)) is not None]
            await self._end(phase, [one for one in workers if not one.ended])
        await self._clock.sleep(TELL_SECONDS)
        ENDED.set(self._clock.now().timestamp())
        log.info("shutdown manager completed processing of pods")
        for source in self._sources:
            await source.release()

    async def _end(self, phase: Phase, workers: list[PodWorker]) -> None:
        for worker in workers:
            grace = min(phase.seconds, grace_seconds(worker.pod))
            worker.end(grace, reason=TERMINATED, message=MESSAGE, failed=True)
        over = self._clock.monotonic() + phase.seconds
        while any(not one.ended for one in workers) and self._clock.monotonic() < over:
            await self._clock.sleep(LOOK_SECONDS)


def _nothing(going_down: bool) -> None:
    """Nobody wants to know."""
