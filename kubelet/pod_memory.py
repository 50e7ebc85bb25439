"""Pod memory: what a worker remembers of its own attempts to start containers, and the back-offs that follow.

All of it may be lost: a new kubelet starts with none, and only tries a little sooner than the old one would have.
"""

from collections.abc import Awaitable
from dataclasses import replace
from datetime import datetime, timedelta

from kube.api.types import Pod
from kube.component.clock import Clock
from kubelet.backoff import Backoff, go_duration
from kubelet.container_error import ConfigError, PostStartError, PullBackoff, PullError, RunError, StartError
from kubelet.images import Images
from kubelet.plan import StartContainer
from kubelet.pod_events import WARNING, PodEvents
from kubelet.pod_state import Ending, Observed, Waiting, every_container
from kubelet.runtime.runtime import RuntimeContainer

CRASH_LOOP = "CrashLoopBackOff"
RETRY_SECONDS = 10  # upstream's backOffPeriod between two syncs of a pod that failed
PULL_TOLD_SECONDS = 2  # how long ErrImagePull is told before it becomes ImagePullBackOff
DIED = (RunError, PostStartError)  # there is a container that ended: its back-off is the crash loop's
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=1), timedelta(seconds=60)


class PodMemory:
    def __init__(self, clock: Clock, images: Images, events: PodEvents) -> None:
        self._clock = clock
        self._images = images
        self._events = events
        self._backoff = Backoff()
        self._failures: dict[str, tuple[StartError, datetime]] = {}  # by container: why, and when to try again
        self._told: set[str] = set()  # ids of ended containers whose back-off was told
        self._starting: set[str] = set()  # names: these wait for nothing any more
        self._pause = FIRST_PAUSE
        self.paused_until: datetime | None = None  # after the engine or network refused

    def observed(self, pod: Pod, observed: Observed, ending: Ending | None) -> Observed:
        """The look, with what is remembered."""
        waiting: dict[str, Waiting] = {}
        retry_at: dict[str, datetime] = {}
        for container in every_container(pod):
            record = observed.newest(container.name)
            if record is not None and record.running:
                continue
            failure = self._failures.get(container.name)
            crashed_until = self._crashed_until(record) if container.name not in self._starting else None
            if failure is not None:
                waiting[container.name] = Waiting(failure[0].reason, failure[0].message)
                retry_at[container.name] = failure[1]
            if crashed_until is not None and (failure is None or isinstance(failure[0], DIED)):
                retry_at[container.name] = crashed_until
                waiting[container.name] = self._crash_loop(pod, container.name)
        if self.paused_until is not None:
            retry_at[""] = self.paused_until
        return replace(observed, ending=ending, waiting=waiting, retry_at=retry_at)

    def _crashed_until(self, record: RuntimeContainer | None) -> datetime | None:
        """When the container may start again, if that is not now."""
        if record is None or record.state != "exited":
            return None
        until = self._backoff.retry_at(record.name, record.finished_at)
        return until if until is not None and until > self._clock.now() else None

    def _crash_loop(self, pod: Pod, name: str) -> Waiting:
        metadata = pod.metadata
        delay = go_duration(self._backoff.delay(name))
        where = f"{metadata.name}_{metadata.namespace}({metadata.uid})"
        return Waiting(CRASH_LOOP, f"back-off {delay} restarting failed container={name} pod={where}")

    def tell_backoffs(self, pod: Pod, observed: Observed) -> None:
        """One event for each time that a container has to wait."""
        if observed.ending is not None:
            return
        for name, waiting in observed.waiting.items():
            record = observed.newest(name)
            if waiting.reason != CRASH_LOOP or record is None or record.id in self._told:
                continue
            self._told.add(record.id)
            metadata = pod.metadata
            where = f"{metadata.name}_{metadata.namespace}({metadata.uid})"
            self._events.event(pod, WARNING, "BackOff", f"Back-off restarting failed container {name} in pod {where}", name)

    async def attempt(self, pod: Pod, action: StartContainer, observed: Observed, start: Awaitable[str]) -> None:
        """Wait for a start, and remember how it went."""
        name = action.container.name
        record = observed.newest(name)
        now = self._clock.now()
        failure = self._failures.get(name)
        if record is not None and record.state == "exited" and (failure is None or isinstance(failure[0], DIED)):
            self._backoff.tried(name, record.finished_at, now)
        self._starting.add(name)
        try:
            await start
        except StartError as error:
            self._failures[name] = (error, self._retry_after(pod, action, error))
            return
        finally:
            self._starting.discard(name)
        self._failures.pop(name, None)
        self._pause, self.paused_until = FIRST_PAUSE, None

    def _retry_after(self, pod: Pod, action: StartContainer, error: StartError) -> datetime:
        now = self._clock.now()
        if isinstance(error, DIED):
            return now
        if isinstance(error, PullError):
            return now + timedelta(seconds=PULL_TOLD_SECONDS)
        if isinstance(error, PullBackoff):
            return self._images.retry_at(pod, action.container) or now
        return now + timedelta(seconds=RETRY_SECONDS)

    def forget_config_failures(self) -> None:
        """What a container was missing may be there now."""
        for name in [name for name, (error, _) in self._failures.items() if isinstance(error, ConfigError)]:
            error, _ = self._failures[name]
            self._failures[name] = (error, self._clock.now())

    @property
    def paused(self) -> bool:
        """Whether nothing may be started yet. A pause that is over is forgotten: it wakes nobody any more."""
        if self.paused_until is not None and self._clock.now() >= self.paused_until:
            self.paused_until = None
        return self.paused_until is not None

    def start_failed(self) -> None:
        """The engine or the network refused: nothing is started for a while, a longer one each time."""
        self.paused_until = self._clock.now() + self._pause
        self._pause = min(self._pause * 2, LONGEST_PAUSE)
