"""Prober: asks containers how they are, in their rhythm, and keeps the verdicts for the pod's worker.

A task for each probe of each running container, which sleeps between its questions. A container's tasks end with it, so a
restart begins anew. While a pod ends, readiness alone goes on.
https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/ · upstream
pkg/kubelet/prober
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from kube.api.types import Container, Pod, Probe
from kube.component.clock import Clock
from kubelet.pod_events import WARNING, PodEvents
from kubelet.pod_state import Health, Observed, all_containers
from kubelet.probes.count import count, forget
from kubelet.probes.probe import DEFAULT_PERIOD, FIRST, KINDS, Kind, Verdict, probe_of
from kubelet.probes.question import Answer, Asking
from kubelet.runtime.runtime import RuntimeContainer


@dataclass(frozen=True)
class Prober:
    """What every pod's probes work with."""

    asking: Asking
    events: PodEvents
    clock: Clock


@dataclass
class _Probed:
    """One running container."""

    container: Container
    verdicts: dict[Kind, Verdict]
    started: asyncio.Event = field(default_factory=asyncio.Event)
    tasks: dict[Kind, asyncio.Task[None]] = field(default_factory=dict)


class PodProbes:
    """The probes of one pod."""

    def __init__(self, prober: Prober, on_verdict: Callable[[], None]) -> None:
        self._prober = prober
        self._on_verdict = on_verdict
        self._probed: dict[str, _Probed] = {}  # by container id
        self._pod: Pod | None = None
        self._ip = ""

    def follow(self, pod: Pod, observed: Observed, tasks: asyncio.TaskGroup) -> None:
        """Probe what runs, and nothing else."""
        self._pod, self._ip = pod, observed.ip
        containers = {one.name: one for one in all_containers(pod)}
        running = {one.id: one for one in observed.running() if one.name in containers}
        for container_id in self._probed.keys() - running.keys():
            self._forget(container_id)
        for container_id, record in running.items():
            if container_id not in self._probed:
                self._begin(containers[record.name], record, tasks)
        if observed.ending is not None:
            for probed in self._probed.values():
                for kind in ("startup", "liveness"):
                    _cancel(probed.tasks.pop(kind, None))

    def _begin(self, container: Container, record: RuntimeContainer, tasks: asyncio.TaskGroup) -> None:
        asked = [(kind, probe) for kind in KINDS if (probe := probe_of(container, kind)) is not None]
        probed = self._probed[record.id] = _Probed(container, first_verdicts(self._pod, container, record))
        if "startup" not in probed.verdicts or probed.verdicts["startup"].good:
            probed.started.set()
        for kind, probe in asked:
            probed.tasks[kind] = tasks.create_task(self._ask(kind, probe, probed, record), name=f"{kind} probe of {record.name}")

    def _forget(self, container_id: str) -> None:
        for task in self._probed.pop(container_id).tasks.values():
            task.cancel()

    def stop(self) -> None:
        for container_id in list(self._probed):
            self._forget(container_id)
        if self._pod is not None:
            forget(self._pod)

    def health(self, pod: Pod, running: Iterable[RuntimeContainer]) -> Mapping[str, Health]:
        """By container id; of one that is not asked yet, what its probes begin with."""
        containers = {one.name: one for one in all_containers(pod)}
        return {one.id: self._health(pod, containers[one.name], one) for one in running if one.name in containers}

    def _health(self, pod: Pod, container: Container, record: RuntimeContainer) -> Health:
        probed = self._probed.get(record.id)
        verdicts = probed.verdicts if probed is not None else first_verdicts(pod, container, record)
        started = verdicts["startup"].good is True if "startup" in verdicts else True
        ready = verdicts["readiness"].good is True if "readiness" in verdicts else True
        failed = next((kind for kind in ("startup", "liveness") if kind in verdicts and verdicts[kind].good is False), None)
        probe = probe_of(container, failed) if failed is not None else None
        grace = probe.terminationGracePeriodSeconds if probe is not None else None
        return Health(started, started and ready, failed or "", grace)

    async def _ask(self, kind: Kind, probe: Probe, probed: _Probed, record: RuntimeContainer) -> None:
        """Ask in the probe's rhythm until cancelled; a startup probe only until it succeeds, the others only after that."""
        clock = self._prober.clock
        began = record.started_at + timedelta(seconds=probe.initialDelaySeconds or 0)
        await clock.sleep(max(0.0, (began - clock.now()).total_seconds()))
        if kind != "startup":
            await probed.started.wait()
        while True:
            answer = await self._prober.asking.ask(self._pod, probed.container, record.id, self._ip, probe)
            if answer is not None:
                count(self._pod, probed.container.name, kind, good=answer.good)
                self._take(kind, probe, probed, answer)
            if kind == "startup" and probed.verdicts[kind].good is not None:
                return
            await clock.sleep(probe.periodSeconds or DEFAULT_PERIOD)

    def _take(self, kind: Kind, probe: Probe, probed: _Probed, answer: Answer) -> None:
        before = probed.verdicts[kind]
        now = probed.verdicts[kind] = before.after(answer.good, probe)
        name = probed.container.name
        if not answer.good:
            message = f"{kind.capitalize()} probe failed: {answer.message}"
            self._prober.events.event(self._pod, WARNING, "Unhealthy", message, name)
        elif answer.warning:
            message = f"{kind.capitalize()} probe warning: {answer.message}"
            self._prober.events.event(self._pod, WARNING, "ProbeWarning", message, name)
        if kind == "startup" and now.good:
            probed.started.set()
        if now.good != before.good:
            self._on_verdict()


def first_verdicts(pod: Pod, container: Container, record: RuntimeContainer) -> dict[Kind, Verdict]:
    """What the container's probes begin with. What the API server was told of this very container counts on: an earlier kubelet
    asked it, and a kubelet's restart must not take a pod out of service."""
    verdicts = {kind: FIRST[kind] for kind in KINDS if probe_of(container, kind) is not None}
    told = [*(pod.status.containerStatuses or ()), *(pod.status.initContainerStatuses or ())]
    status = next((one for one in told if one.containerID == f"docker://{record.id}"), None)
    if status is not None and status.started and "startup" in verdicts:
        verdicts["startup"] = Verdict(True)
    if status is not None and status.ready and "readiness" in verdicts:
        verdicts["readiness"] = Verdict(True)
    return verdicts


def _cancel(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
