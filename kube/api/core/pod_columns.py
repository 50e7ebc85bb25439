"""A pod's row in a table: readiness, the one word that tells its state, restarts.

kubernetes pkg/printers/internalversion/printers.go (printPod)
"""

from collections.abc import Iterable
from datetime import datetime

from kube.api.columns import AGE, NONE, age, plain
from kube.api.resource import Column
from kube.api.types import ContainerStatus, Pod


def ready(pod: Pod) -> str:
    """`1/2`: containers that are ready, of those that count (sidecars do)."""
    total = len(pod.spec.containers) + len(_sidecar_names(pod))
    counted = [one for one in pod.status.containerStatuses or () if one.ready and one.state and one.state.running]
    sidecars = [one for one in _sidecar_statuses(pod) if one.ready and one.started]
    return f"{len(counted) + len(sidecars)}/{total}"


def status(pod: Pod) -> str:
    """The most telling word about a pod."""
    word = pod.status.reason or pod.status.phase or "Unknown"
    for condition in pod.status.conditions or ():
        if condition.type == "PodScheduled" and condition.reason == "SchedulingGated":
            word = "SchedulingGated"
    starting = _initializing(pod)
    word = starting or word
    if starting is None or _condition_true(pod, "Initialized"):  # a sidecar that comes back does not hide the containers
        word = _running_word(pod, word)
    if pod.metadata.deletionTimestamp is not None:
        if pod.status.reason == "NodeLost":
            return "Unknown"
        if pod.status.phase not in ("Succeeded", "Failed"):
            return "Terminating"
    return word


def restarts(pod: Pod, now: datetime) -> str:
    """`3 (5m ago)`: how often, and when last."""
    statuses = list(pod.status.containerStatuses or ())
    if _initializing(pod) is not None and not _condition_true(pod, "Initialized"):
        statuses = list(pod.status.initContainerStatuses or ())
    else:
        statuses += _sidecar_statuses(pod)
    count = sum(one.restartCount for one in statuses)
    ended = [one.lastState.terminated.finishedAt for one in statuses if one.lastState and one.lastState.terminated]
    last = max((moment for moment in ended if moment is not None), default=None)
    return f"{count} ({age(last, now)} ago)" if count and last is not None else str(count)


def _initializing(pod: Pod) -> str | None:
    """The word while init containers run, or None when they are through."""
    sidecars = _sidecar_names(pod)
    statuses = pod.status.initContainerStatuses or ()
    for index, one in enumerate(statuses):
        state = one.state
        if state and state.terminated and state.terminated.exitCode == 0:
            continue
        if one.name in sidecars and one.started:
            continue
        if state and state.terminated:
            return f"Init:{_ended(state.terminated)}"
        if state and state.waiting and state.waiting.reason and state.waiting.reason != "PodInitializing":
            return f"Init:{state.waiting.reason}"
        return f"Init:{index}/{len(pod.spec.initContainers or ())}"
    return None


def _running_word(pod: Pod, word: str) -> str:
    has_running = False
    for one in reversed(pod.status.containerStatuses or ()):
        state = one.state
        if state and state.waiting and state.waiting.reason:
            word = state.waiting.reason
        elif state and state.terminated:
            word = _ended(state.terminated)
        elif one.ready and state and state.running:
            has_running = True
    if word == "Completed" and has_running:
        return "Running" if _condition_true(pod, "Ready") else "NotReady"
    return word


def _ended(terminated: object) -> str:
    reason = getattr(terminated, "reason", None)
    if reason:
        return str(reason)
    signal = getattr(terminated, "signal", None)
    return f"Signal:{signal}" if signal else f"ExitCode:{getattr(terminated, 'exitCode', 0)}"


def _sidecar_names(pod: Pod) -> set[str]:
    return {one.name for one in pod.spec.initContainers or () if one.restartPolicy == "Always"}


def _sidecar_statuses(pod: Pod) -> list[ContainerStatus]:
    names = _sidecar_names(pod)
    return [one for one in pod.status.initContainerStatuses or () if one.name in names]


def _condition_true(pod: Pod, type: str) -> bool:
    return any(one.type == type and one.status == "True" for one in pod.status.conditions or ())


def _gates(pod: Pod) -> str:
    wanted = [gate.conditionType for gate in pod.spec.readinessGates or ()]
    return f"{sum(_condition_true(pod, one) for one in wanted)}/{len(wanted)}" if wanted else NONE


def _addresses(addresses: Iterable[object] | None, first: str | None) -> str:
    listed = [getattr(one, "ip", "") for one in addresses or ()]
    return (listed[0] if listed else first) or NONE


COLUMNS = (
    plain("Ready", ready),
    plain("Status", status),
    Column("Restarts", restarts),
    AGE,
    plain("IP", lambda pod: _addresses(pod.status.podIPs, pod.status.podIP), wide=True),
    plain("Node", lambda pod: pod.spec.nodeName or NONE, wide=True),
    plain("Nominated Node", lambda pod: pod.status.nominatedNodeName or NONE, wide=True),
    plain("Readiness Gates", _gates, wide=True),
)
