"""Pod worker: one task per pod uid, which brings its containers to the newest spec.

Promise, kept from the upstream kubelet:
- a uid has at most one worker; updates coalesce, only the newest spec counts;
- a pod that ends (deleted, evicted, past its deadline, its work done) never goes back to running;
- a pass is: look (`observe`), decide (`plan`, pure), do, report. Passes follow one another; a pass begins when something
  happened: a newer spec, a container's end, a probe's result, a config map's change, or a time that the last plan asked for.
  Nothing polls;
- stops run beside the passes, each to its end; starts run one after another in one task, which an ending pod cuts short. Both
  are told by their results alone: the next look finds out what they did;
- memory is never needed to be right: a new kubelet's worker looks, and finds the containers that the old one left running.
"""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from kube.api.meta import Tree, key_of
from kube.api.types import Pod
from kube.api.views import view
from kube.component.logging import get_logger
from kubelet.container_spec import hashes
from kubelet.devices.manager import REASON, NotAllocated
from kubelet.lifecycle import Lifecycle
from kubelet.metrics import POD_START, WORKER
from kubelet.plan import Action, RemoveContainer, ResizeContainer, StartContainer, StartSandbox, StopContainer, StopSandbox, plan
from kubelet.pod_events import WARNING
from kubelet.pod_memory import PodMemory
from kubelet.pod_state import Ending, Observed, finished, grace_seconds
from kubelet.probes.prober import PodProbes, Prober
from kubelet.resize import PendingResize
from kubelet.runtime.runtime import Limits, RuntimeContainer, RuntimeFailure, RuntimeUnavailable
from kubelet.status import PENDING, RUNNING, pod_status

log = get_logger("kubelet.pod_worker")

DEADLINE_MESSAGE = "Pod was active on the node longer than the specified deadline"
FAILED_PASS_SECONDS = 5.0  # a pass that the engine refused is made again after this

Report = Callable[[Pod, Tree, bool], None]  # (pod, status, nothing of it is left); must not block


class PodWorker:
    def __init__(self, pod: Pod, lifecycle: Lifecycle, prober: Prober, report: Report) -> None:
        self.pod = pod
        self._lifecycle = lifecycle
        self._clock = lifecycle.clock
        self._prober = prober
        self._report = report
        self._memory = PodMemory(self._clock, lifecycle.images, lifecycle.events)
        self._probes = PodProbes(prober, self.wake)
        self._woken = asyncio.Event()
        self._woken.set()
        self._timer: asyncio.TimerHandle | None = None
        self._starting: asyncio.Task[None] | None = None
        self._stops: dict[str, tuple[asyncio.Task[None], datetime]] = {}
        self._ending: Ending | None = None
        self._leaving = False  # the pod is deleted: once ended, nothing of it is kept
        self._cleaned = False
        self.seen = Observed()  # the last look
        self._known = pod.status
        self._resized: dict[str, Limits] = {}  # by container id: what was given to it while it ran
        self.pending_resize: PendingResize | None = None

    def successor(self, lifecycle: Lifecycle) -> "PodWorker":
        """Another worker for the same pod, which remembers only that the pod must end."""
        other = PodWorker(self.pod, lifecycle, self._prober, self._report)
        other._ending, other._leaving = self._ending, self._leaving
        return other

    @property
    def leaving(self) -> bool:
        return self._leaving

    @property
    def ended(self) -> bool:
        """Nothing of the pod runs, and nothing will."""
        return self._cleaned

    def wake(self) -> None:
        """Something about the pod may have changed: look again."""
        self._woken.set()

    def update(self, pod: Pod) -> None:
        """Take a newer spec; one that was not yet acted on is dropped."""
        self._lifecycle.pod_changed(self.pod, pod)
        self.pod = pod
        if pod.metadata.deletionTimestamp is not None:
            grace = pod.metadata.deletionGracePeriodSeconds
            self.leave(grace_seconds(pod) if grace is None else grace)
        self.wake()

    def objects_changed(self) -> None:
        """A config map or secret that the pod names has changed."""
        self._lifecycle.volumes_are_stale()
        self._memory.forget_config_failures()
        self.wake()

    def leave(self, grace: float) -> None:
        """The pod is deleted: end it within `grace` seconds, then keep nothing of it."""
        self._leaving = True
        self.end(grace)

    def end(self, grace: float, *, reason: str = "", message: str = "", failed: bool = False) -> None:
        """End the pod. A second ending may only be sooner than the first; why it ended stays as first told."""
        deadline = self._clock.now() + timedelta(seconds=grace)
        if self._ending is None:
            self._ending = Ending(deadline, reason, message, failed)
        elif deadline < self._ending.deadline:
            first = self._ending
            self._ending = Ending(deadline, first.reason, first.message, first.failed)
        if self._starting is not None:
            self._starting.cancel()
        self.wake()

    async def run(self) -> None:
        """Act until the pod is deleted and nothing of it is left."""
        async with asyncio.TaskGroup() as tasks:
            try:
                while not await self._pass(tasks):
                    await self._woken.wait()
            finally:
                if self._timer is not None:
                    self._timer.cancel()
                self._probes.stop()

    async def _pass(self, tasks: asyncio.TaskGroup) -> bool:
        """One look, plan and report; returns whether the worker's work is done."""
        self._woken.clear()
        began = self._clock.monotonic()
        try:
            observed = await self._observe()
            self._notice_an_end(observed)
            observed = self._memory.observed(self.pod, observed, self._ending)
            decision = plan(self.pod, observed, self._clock.now(), hashes(self.pod))
            await self._do(decision.actions, observed, tasks)
            if decision.ended:
                await self._clean_up(observed)
        except RuntimeUnavailable:
            await self._lifecycle.runtime.connected.wait()
            self._wake_in(0.5)
            return False
        except RuntimeFailure as error:
            log.warning("pass failed", pod=key_of(self.pod), reason=error)
            self._wake_in(FAILED_PASS_SECONDS)
            return False
        self.seen = observed
        WORKER.labels("sync" if self._ending is None else "terminated").observe(self._clock.monotonic() - began)
        self._tell(observed)
        self._probes.follow(self.pod, observed, tasks)
        self._memory.tell_backoffs(self.pod, observed)
        self._wake_at(decision.wake_at, self._deadline(), self._start_at(observed))
        return self._leaving and self._cleaned

    async def _observe(self) -> Observed:
        records = await self._lifecycle.records(self.pod)
        sandboxes = [one for one in records if one.is_sandbox]
        sandbox = sandboxes[0] if sandboxes else None
        containers = tuple(one for one in records if not one.is_sandbox)
        return Observed(
            sandbox=sandbox,
            containers=containers,
            past_sandboxes=tuple(sandboxes[1:]),
            dead_kept=self._lifecycle.node.dead_containers,
            ip=await self._lifecycle.address(self.pod, sandbox) if self._ending is None else self._lifecycle.ip,
            health=self._probes.health(self.pod, (one for one in containers if one.running)),
            stopping={container_id: deadline for container_id, (_, deadline) in self._stops.items()},
            volumes_ready=self._lifecycle.volumes_ready,
            applied=self._resized,
            in_post_start=self._lifecycle.in_post_start,
        )

    def _notice_an_end(self, observed: Observed) -> None:
        deadline = self._deadline()
        if self._ending is None and deadline is not None and self._clock.now() >= deadline:
            self.end(grace_seconds(self.pod), reason="DeadlineExceeded", message=DEADLINE_MESSAGE, failed=True)
            self._lifecycle.tell(self.pod, "DeadlineExceeded", DEADLINE_MESSAGE)
        if self._ending is None and finished(self.pod, observed):
            self.end(grace_seconds(self.pod))

    def _deadline(self) -> datetime | None:
        seconds = self.pod.spec.activeDeadlineSeconds
        started = self._known.startTime
        if seconds is None or started is None or self._ending is not None:
            return None
        deadline: datetime = started + timedelta(seconds=seconds)
        return deadline

    async def _do(self, actions: Iterable[Action], observed: Observed, tasks: asyncio.TaskGroup) -> None:
        """Begin what the plan says."""
        starts: list[StartSandbox | StartContainer] = []
        for action in actions:
            match action:
                case StopContainer():
                    self._begin_stop(action, observed, tasks)
                case StopSandbox():
                    await self._lifecycle.stop_sandbox(action.id)
                    self.wake()
                case ResizeContainer():
                    await self._resize(action)
                case RemoveContainer():
                    await self._lifecycle.remove(_record(observed, action.id))
                case StartSandbox() | StartContainer():
                    starts.append(action)
        may_start = self._ending is None and not self._is_starting and not self._memory.paused
        if may_start and (starts or (observed.sandbox_runs and self._lifecycle.volumes_due)):
            self._starting = tasks.create_task(self._start(starts, observed), name=f"start {key_of(self.pod)}")

    def _start_at(self, observed: Observed) -> datetime | None:
        """When there may be something to start that the plan does not know of. None while something else wakes this worker first:
        a moment that is past would wake it again and again."""
        if self._ending is not None or self._is_starting:
            return None
        return self._memory.paused_until or (self._lifecycle.wake_at if observed.sandbox_runs else None)

    @property
    def _is_starting(self) -> bool:
        """Then the end of that wakes this worker."""
        return self._starting is not None and not self._starting.done()

    async def _resize(self, action: ResizeContainer) -> None:
        """A container that cannot have what it is given (its memory is in use, say) is asked again later."""
        try:
            await self._lifecycle.resize(self.pod, action.id, action.limits)
        except RuntimeUnavailable:
            raise
        except RuntimeFailure as error:
            log.warning("resize failed", pod=key_of(self.pod), reason=error)
            self._lifecycle.tell(self.pod, "ResizeError", str(error))
            self._wake_in(FAILED_PASS_SECONDS)
            return
        self._resized[action.id] = action.limits
        self.wake()

    async def _start(self, actions: list[StartSandbox | StartContainer], observed: Observed) -> None:
        """Start what may be started; the first failure of a sandbox or volume leaves the rest to the next pass."""
        try:
            sandbox = [one for one in actions if isinstance(one, StartSandbox)]
            await self._lifecycle.prepare(self.pod, sandbox[0].attempt if sandbox else None)
            for action in actions:
                if isinstance(action, StartContainer):
                    await self._memory.attempt(
                        self.pod, action, observed, self._lifecycle.start_container(self.pod, action, observed)
                    )
        except (RuntimeFailure, OSError) as error:  # OSError: a full disk, say
            log.warning("start failed", pod=key_of(self.pod), reason=error)
            self._memory.start_failed()
        except NotAllocated as error:
            self._lifecycle.events.event(self.pod, WARNING, REASON, str(error))
            self.end(0, reason=REASON, message=f"Pod was rejected: {error}", failed=True)
        finally:
            self.wake()

    def _begin_stop(self, action: StopContainer, observed: Observed, tasks: asyncio.TaskGroup) -> None:
        record = _record(observed, action.id)
        known = self._stops.get(action.id)
        if known is not None:
            known[0].cancel()
        task = tasks.create_task(self._stop(action, record), name=f"stop {record.name} of {key_of(self.pod)}")
        self._stops[action.id] = (task, action.deadline)

    async def _stop(self, action: StopContainer, record: RuntimeContainer) -> None:
        try:
            await self._lifecycle.stop_container(self.pod, record, action.deadline, action.message)
            self.wake()
        except RuntimeFailure as error:
            log.warning("stop failed", pod=key_of(self.pod), container=record.name, reason=error)
            self._wake_in(FAILED_PASS_SECONDS)
        finally:
            if self._stops.get(action.id, (None,))[0] is asyncio.current_task():
                del self._stops[action.id]

    async def _clean_up(self, observed: Observed) -> None:
        """Nothing runs any more: undo network and volumes; of a deleted pod also its containers and files."""
        if self._is_starting:
            return  # it was cancelled, and wakes this worker when it has ended
        if not self._cleaned:
            await self._lifecycle.release(self.pod)
        if self._leaving:
            await self._lifecycle.remove_all(self.pod)
        self._cleaned = True

    def _tell(self, observed: Observed) -> None:
        status = pod_status(self.pod, observed, self._clock.now(), self._lifecycle.node.addresses, self._known, self.pending_resize)
        if status["phase"] == RUNNING and self._known.phase == PENDING and self._known.startTime is not None:
            POD_START.observe((self._clock.now() - self._known.startTime).total_seconds())
        self._known = view(Pod, {"metadata": {}, "spec": {"containers": []}, "status": _plain(status)}).status
        self._report(self.pod, status, self._leaving and self._cleaned)

    def _wake_at(self, *moments: datetime | None) -> None:
        times = [moment for moment in moments if moment is not None]
        if times:
            self._wake_in((min(times) - self._clock.now()).total_seconds())

    def _wake_in(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(max(0.0, seconds), self.wake)


def _record(observed: Observed, container_id: str) -> RuntimeContainer:
    return next(one for one in (*observed.containers, *observed.past_sandboxes) if one.id == container_id)


def _plain(status: Tree) -> Tree:
    """Without the fields that a patch would clear."""
    return {name: value for name, value in status.items() if value is not None}
