"""Plan: what to do next for one pod, from one look at it. Pure: no clock, no engine, no randomness.

A pass plans only what may be done now; whatever ends or begins leads to another look and another plan. The rules:
- a pod that ends stops its containers all at once, then its sidecars, last one first, then its sandbox;
- without a sandbox nothing runs: it comes first, and when it is lost, what still runs in the old one is stopped;
- init containers run one by one, each to success; a sidecar among them holds up the next until it has started;
- the pod's containers start together, in order; one that ended is started again by its rules, after its back-off;
- an ephemeral container starts as soon as there is a sandbox, once, and holds up nothing;
- a container whose probe gave up, or whose definition changed, is stopped, and so comes back by the rule above;
- one whose resources changed gets them as it runs, or by a restart, where its resizePolicy says so.
Upstream: kuberuntime_manager.go computePodActions. https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from kube.api.types import Container, Pod
from kubelet.pod_state import (
    CONTAINER_HASH,
    Observed,
    all_containers,
    ephemeral_containers,
    finished,
    grace_seconds,
    initialized,
    is_ephemeral,
    is_init,
    is_sidecar,
    restarts,
    sidecars,
)
from kubelet.resize import is_applied, needs_restart, wanted
from kubelet.runtime.runtime import Limits, RuntimeContainer


@dataclass(frozen=True)
class StartSandbox:
    attempt: int


@dataclass(frozen=True)
class StopSandbox:
    id: str


@dataclass(frozen=True)
class StartContainer:
    container: Container
    attempt: int


@dataclass(frozen=True)
class StopContainer:
    id: str
    name: str
    deadline: datetime  # killed then, if it has not ended
    message: str  # of the Killing event


@dataclass(frozen=True)
class ResizeContainer:
    id: str
    limits: Limits


@dataclass(frozen=True)
class RemoveContainer:
    id: str


Action = StartSandbox | StopSandbox | StartContainer | StopContainer | ResizeContainer | RemoveContainer


@dataclass(frozen=True)
class Plan:
    actions: tuple[Action, ...] = ()
    wake_at: datetime | None = None  # look again then, at the latest
    ended: bool = False  # nothing of the pod runs, and nothing will


def plan(pod: Pod, observed: Observed, now: datetime, hashes: Mapping[str, str]) -> Plan:
    """`hashes`: each container's definition, by name, as it is recorded on what was started from it."""
    if observed.ending is not None:
        return _end(pod, observed, observed.ending.deadline)
    if finished(pod, observed):
        return _end(pod, observed, now + timedelta(seconds=grace_seconds(pod)))
    if not observed.sandbox_runs:
        return _renew_sandbox(observed, now)
    stops = _unfit(pod, observed, now, hashes)
    if not observed.volumes_ready:
        return Plan(tuple(stops))
    starts, wake_at = _starts(pod, observed, now)
    return Plan((*stops, *_past(observed), *starts), wake_at)


def _end(pod: Pod, observed: Observed, deadline: datetime) -> Plan:
    late = [one.name for one in sidecars(pod)]
    running = observed.running()
    first = [one for one in running if one.name not in late]
    if not first:
        last = sorted(running, key=lambda one: late.index(one.name))[-1:]
        first = last
    if first:
        return Plan(
            tuple(_stop(one, deadline, f"Stopping container {one.name}") for one in first if _is_news(observed, one, deadline))
        )
    if observed.sandbox_runs:
        return Plan((StopSandbox(observed.sandbox.id),))
    return Plan(ended=True)


def _is_news(observed: Observed, record: RuntimeContainer, deadline: datetime) -> bool:
    """A container that is being stopped is stopped anew only where it may now take less time."""
    known = observed.stopping.get(record.id)
    return known is None or deadline < known


def _stop(record: RuntimeContainer, deadline: datetime, message: str) -> StopContainer:
    return StopContainer(record.id, record.name, deadline, message)


def _renew_sandbox(observed: Observed, now: datetime) -> Plan:
    left = observed.running()
    if left:
        return Plan(tuple(_stop(one, now, f"Stopping container {one.name}") for one in left if one.id not in observed.stopping))
    retry_at = observed.retry_at.get("")
    if retry_at is not None and retry_at > now:
        return Plan(wake_at=retry_at)
    return Plan((StartSandbox(observed.sandbox.attempt + 1 if observed.sandbox is not None else 0),))


def _unfit(pod: Pod, observed: Observed, now: datetime, hashes: Mapping[str, str]) -> list[Action]:
    """Stops for containers that run and must not go on so."""
    actions: list[Action] = []
    for record in observed.running():
        if record.id in observed.stopping:
            continue
        health = observed.health_of(record)
        if health.must_restart:
            grace = grace_seconds(pod) if health.grace_seconds is None else health.grace_seconds
            message = f"Container {record.name} failed {health.must_restart} probe, will be restarted"
            actions.append(_stop(record, now + timedelta(seconds=grace), message))
        elif _changed(record, hashes):
            message = f"Container {record.name} definition changed, will be restarted"
            actions.append(_stop(record, now + timedelta(seconds=grace_seconds(pod)), message))
        else:
            actions.extend(_resizes(pod, record, observed, now))
    return actions


def _resizes(pod: Pod, record: RuntimeContainer, observed: Observed, now: datetime) -> list[Action]:
    """What a container that runs needs, to have what it is given now."""
    container = next((one for one in all_containers(pod) if one.name == record.name), None)
    if container is None or is_applied(pod, container, record, observed):
        return []
    if needs_restart(pod, container, record, observed):
        return [_stop(record, now + timedelta(seconds=grace_seconds(pod)), f"Container {record.name} resize requires restart")]
    return [ResizeContainer(record.id, wanted(pod, container))]


def _changed(record: RuntimeContainer, hashes: Mapping[str, str]) -> bool:
    """Whether the pod's definition is another one than the container was started from; what carries no mark is left alone."""
    started_from = record.labels.get(CONTAINER_HASH)
    return started_from is not None and started_from != hashes.get(record.name, started_from)


def _past(observed: Observed) -> list[Action]:
    """Records that nobody will ask for: of a container the newest is kept, and so many before it, for `logs --previous`."""
    kept: dict[str, int] = {}
    actions: list[Action] = [RemoveContainer(one.id) for one in observed.past_sandboxes if not one.running]
    for record in observed.containers:
        kept[record.name] = kept.get(record.name, 0) + 1
        if kept[record.name] > 1 + observed.dead_kept and not record.running:
            actions.append(RemoveContainer(record.id))
    return actions


def _starts(pod: Pod, observed: Observed, now: datetime) -> tuple[list[Action], datetime | None]:
    ready = initialized(pod, observed)
    own = [*sidecars(pod), *pod.spec.containers] if ready else _next_init(pod, observed)
    chosen = [*ephemeral_containers(pod), *own]
    actions: list[Action] = []
    waits: list[datetime] = []
    for container in chosen:
        record = observed.newest(container.name)
        if record is not None and (record.running or not _again(pod, container, record, observed)):
            continue
        retry_at = observed.retry_at.get(container.name)
        if retry_at is not None and retry_at > now:
            waits.append(retry_at)
        else:
            actions.append(StartContainer(container, record.attempt + 1 if record is not None else 0))
    return actions, min(waits, default=None)


def _again(pod: Pod, container: Container, record: RuntimeContainer, observed: Observed) -> bool:
    if is_ephemeral(pod, container):
        return record.state == "created"
    if is_init(pod, container) and not is_sidecar(container):
        in_this_sandbox = observed.sandbox is not None and record.sandbox_id == observed.sandbox.id
        return not (in_this_sandbox and record.state == "exited" and record.exit_code == 0)
    return restarts(pod, container, record)


def _next_init(pod: Pod, observed: Observed) -> list[Container]:
    """The sidecars so far, and the first init container that is not done: what may run now."""
    allowed: list[Container] = []
    for container in pod.spec.initContainers or ():
        record = observed.newest(container.name)
        if is_sidecar(container):
            allowed.append(container)
            if record is None or not record.running or not observed.health_of(record).started:
                break
        elif record is None or record.state != "exited" or record.exit_code != 0 or record.sandbox_id != observed.sandbox.id:
            allowed.append(container)
            break
    return allowed
