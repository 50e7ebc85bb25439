"""Container stop: preStop, then the stop signal, then SIGKILL, all within the time that the pod gives.

The time of preStop counts; however long it took, the process then has two seconds at least.
https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination-flow · upstream kuberuntime_container.go
killContainer
"""

import asyncio
from datetime import datetime, timedelta

from kube.api.types import Container, Pod
from kube.component.clock import Clock
from kubelet.hooks import HookFailed, Hooks
from kubelet.pod_events import NORMAL, WARNING, PodEvents
from kubelet.runtime.runtime import Runtime, RuntimeContainer

LEAST_SECONDS = 2.0
DEFAULT_SIGNAL = "SIGTERM"


class ContainerStop:
    def __init__(self, runtime: Runtime, hooks: Hooks, events: PodEvents, clock: Clock) -> None:
        self._runtime = runtime
        self._hooks = hooks
        self._events = events
        self._clock = clock
        self._pre_stopped: set[str] = set()  # ids: a hook is not run twice, however often the stop is begun anew

    async def stop(
        self, pod: Pod, container: Container | None, record: RuntimeContainer, deadline: datetime, message: str, pod_ip: str
    ) -> None:
        """Return when the container has ended. `container` is None where the pod does not tell of it any more."""
        self._events.event(pod, NORMAL, "Killing", message, record.name)
        handler = getattr(getattr(container, "lifecycle", None), "preStop", None)
        if handler is not None and record.id not in self._pre_stopped and self._left(deadline) > 0:
            self._pre_stopped.add(record.id)
            await self._pre_stop(pod, container, record, deadline, pod_ip)
        await self._runtime.signal(record.id, record.stop_signal or DEFAULT_SIGNAL)
        try:
            async with asyncio.timeout(max(self._left(deadline), LEAST_SECONDS)):
                await self._runtime.wait_ended(record.id)
        except TimeoutError:
            await self._runtime.signal(record.id, "SIGKILL")
            await self._runtime.wait_ended(record.id)
        self._pre_stopped.discard(record.id)

    async def _pre_stop(self, pod: Pod, container: Container, record: RuntimeContainer, deadline: datetime, pod_ip: str) -> None:
        try:
            async with asyncio.timeout(self._left(deadline)):
                await self._hooks.run(pod, container, record.id, pod_ip, container.lifecycle.preStop)
        except TimeoutError:
            self._events.event(pod, WARNING, "FailedPreStopHook", "PreStopHook did not end within the grace period", record.name)
        except HookFailed as error:
            self._events.event(pod, WARNING, "FailedPreStopHook", f"PreStopHook failed: {error}", record.name)

    def _left(self, deadline: datetime) -> float:
        return (deadline - self._clock.now()) / timedelta(seconds=1)
