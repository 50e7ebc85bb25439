"""Pod status: phase, conditions and addresses of a pod, from one look at it. Pure.

The phase follows upstream's getPhase: init containers first, then how many containers run, wait and have ended, then
the restart rules. A phase that is final stays. https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/ · upstream
pkg/kubelet/kubelet_pods.go
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from kube.api.meta import Tree
from kube.api.pod_qos import qos_class
from kube.api.types import Container, Pod, PodCondition, PodStatus
from kube.api.views import timestamp
from kubelet.container_status import container_statuses
from kubelet.pod_state import (
    EVICTED,
    TERMINATED,
    Ending,
    Observed,
    all_containers,
    ephemeral_containers,
    is_sidecar,
    is_static,
    restarts_after,
)
from kubelet.resize import PendingResize, is_applied

PENDING, RUNNING, SUCCEEDED, FAILED = "Pending", "Running", "Succeeded", "Failed"
FINAL = (SUCCEEDED, FAILED)


def pod_status(
    pod: Pod,
    observed: Observed,
    now: datetime,
    host_ips: Sequence[str],
    known: PodStatus,
    pending_resize: PendingResize | None = None,
) -> Tree:
    """The status to tell, complete but for conditions that others own. `known` is what was told before."""
    inits = container_statuses(pod, observed, pod.spec.initContainers or (), known.initContainerStatuses or ())
    containers = container_statuses(pod, observed, pod.spec.containers, known.containerStatuses or ())
    ephemeral = container_statuses(pod, observed, ephemeral_containers(pod), known.ephemeralContainerStatuses or ())
    ending = observed.ending
    told = phase(pod, inits, containers, ended=observed.ending is not None, failed=_failed(observed))
    if known.phase in FINAL and told != known.phase:
        told = known.phase
    status: Tree = {
        "phase": told,
        "conditions": stamped(
            pod,
            [
                *conditions(pod, observed, told, inits, containers),
                *resize_conditions(pod, observed, pending_resize),
                *disruption_conditions(ending),
            ],
            now,
            known.conditions or (),
        ),
        "message": (ending.message if ending is not None else "") or None,
        "reason": (ending.reason if ending is not None else "") or None,
        "hostIP": host_ips[0] if host_ips else None,
        "hostIPs": [{"ip": one} for one in host_ips] or None,
        "startTime": timestamp(known.startTime or now),
        "containerStatuses": sorted(containers, key=lambda one: str(one["name"])),  # as upstream; init containers keep their order
        "qosClass": known.qosClass or qos_class(pod),
    }
    if inits:
        status["initContainerStatuses"] = inits
    if ephemeral:
        status["ephemeralContainerStatuses"] = [
            {name: part for name, part in one.items() if name != "started"} for one in ephemeral
        ]
    if observed.ip and (_has_volumes(observed) or pod.spec.hostNetwork):
        status |= {"podIP": observed.ip, "podIPs": [{"ip": observed.ip}]}
    if pod.metadata.generation:
        status["observedGeneration"] = pod.metadata.generation
    return status


def rejected(reason: str, message: str, now: datetime) -> Tree:
    """The status of a pod that this node does not take."""
    return {"phase": FAILED, "reason": reason, "message": f"Pod was rejected: {message}", "startTime": timestamp(now)}


def _failed(observed: Observed) -> bool:
    return observed.ending is not None and observed.ending.failed


def phase(pod: Pod, inits: list[Tree], containers: list[Tree], *, ended: bool, failed: bool) -> str:
    """`ended`: nothing of the pod will run (again); `failed`: whatever its containers say."""
    if failed:
        return FAILED
    sidecars = {one.name for one in pod.spec.initContainers or () if is_sidecar(one)}
    plain = [one for one in inits if one["name"] not in sidecars]
    if any(_given_up(pod, pod.spec.initContainers, one) for one in plain):
        return FAILED
    counted = [_condition(one) for one in containers]
    begun = any(one != "waiting" for one in counted)
    if any(_exit_code(one) is None for one in plain) and not begun:
        return PENDING
    if "waiting" in counted and not ended:
        return PENDING
    if "running" in counted or (not ended and any("running" in one["state"] and one["name"] in sidecars for one in inits)):
        return RUNNING
    return _ended_phase(pod, containers, counted, ended=ended)


def _ended_phase(pod: Pod, containers: list[Tree], counted: list[str], *, ended: bool) -> str:
    succeeded = all(_exit_code(one) == 0 for one in containers)
    if "stopped" not in counted and not ended:
        return PENDING
    if ended and not is_static(pod):
        return SUCCEEDED if succeeded else FAILED
    if any(_comes_back(pod, pod.spec.containers, one) for one in containers):
        return RUNNING
    return SUCCEEDED if succeeded else FAILED


def _comes_back(pod: Pod, containers: Iterable[Container], status: Tree) -> bool:
    code = _exit_code(status)
    container = next(one for one in containers if one.name == status["name"])
    return code is not None and restarts_after(pod, container, code)


def _given_up(pod: Pod, inits: Iterable[Container], status: Tree) -> bool:
    return _exit_code(status) not in (None, 0) and not _comes_back(pod, inits, status)


def _condition(status: Tree) -> str:
    """running, stopped (waiting to come back, too) or waiting."""
    if "running" in status["state"]:
        return "running"
    return "waiting" if _exit_code(status) is None else "stopped"


def _exit_code(status: Tree) -> int | None:
    """How the container ended last; None if it never did, or runs."""
    if "running" in status["state"]:
        return None
    terminated = status["state"].get("terminated") or status.get("lastState", {}).get("terminated")
    return int(terminated["exitCode"]) if terminated else None


def conditions(pod: Pod, observed: Observed, told: str, inits: list[Tree], containers: list[Tree]) -> list[Tree]:
    """The kubelet's own conditions that every pod has, in upstream's order. Others' are those that the API server told of last."""
    sidecars = {one.name for one in pod.spec.initContainers or () if is_sidecar(one)}
    in_service = [*(one for one in inits if one["name"] in sidecars), *containers]
    containers_ready = _containers_ready(told, in_service)
    return [
        _made("PodReadyToStartContainers", observed.sandbox_runs and bool(observed.ip) and _has_volumes(observed)),
        _initialized(pod, told, inits, containers, sidecars),
        _ready(pod, containers_ready, pod.status.conditions or ()),
        containers_ready,
        _made("PodScheduled", True),
    ]


def resize_conditions(pod: Pod, observed: Observed, pending: PendingResize | None) -> list[Tree]:
    """They are there only while a resize waits, or is done."""
    found = [_made("PodResizePending", True, pending.reason, pending.message)] if pending is not None else []
    for container in all_containers(pod):
        record = observed.newest(container.name)
        if record is not None and record.running and not is_applied(pod, container, record, observed):
            return [*found, _made("PodResizeInProgress", True)]
    return found


def disruption_conditions(ending: Ending | None) -> list[Tree]:
    """Of a pod that the node itself sends away (KEP-3329)."""
    if ending is None or ending.reason not in (EVICTED, TERMINATED):
        return []
    return [_made("DisruptionTarget", True, "TerminationByKubelet", ending.message)]


def stamped(pod: Pod, found: list[Tree], now: datetime, known: Iterable[PodCondition]) -> list[Tree]:
    """With their times: a transition time changes with its status only."""
    before = {one.type: one for one in known}
    for condition in found:
        old = before.get(condition["type"])
        kept = old is not None and old.status == condition["status"] and old.lastTransitionTime is not None
        condition["lastTransitionTime"] = timestamp(old.lastTransitionTime if kept else now)
        condition.setdefault("reason", None)
        condition.setdefault("message", None)
        condition["lastProbeTime"] = None
        if pod.metadata.generation:
            condition["observedGeneration"] = pod.metadata.generation
    return found


def _made(kind: str, holds: bool, reason: str = "", message: str = "") -> Tree:
    condition: Tree = {"type": kind, "status": "True" if holds else "False"}
    return condition | ({"reason": reason} if reason else {}) | ({"message": message} if message else {})


def _has_volumes(observed: Observed) -> bool:
    """No volume keeps the first container away: until then nothing is told of the sandbox, which is made beside the volumes here,
    but after them upstream."""
    return observed.volumes_ready or bool(observed.containers)


def _initialized(pod: Pod, told: str, inits: list[Tree], containers: list[Tree], sidecars: set[str]) -> Tree:
    if told == SUCCEEDED:
        return _made("Initialized", True, "PodCompleted")
    begun = any("running" in one["state"] or _exit_code(one) is not None for one in containers)
    incomplete = [one["name"] for one in inits if not (one["started"] if one["name"] in sidecars else _exit_code(one) == 0)]
    if not incomplete or begun:
        return _made("Initialized", True)
    message = f"containers with incomplete status: [{' '.join(incomplete)}]"
    return _made("Initialized", False, "ContainersNotInitialized", message)


def _containers_ready(told: str, statuses: list[Tree]) -> Tree:
    if told in FINAL:
        return _made("ContainersReady", False, "PodCompleted" if told == SUCCEEDED else "PodFailed")
    unready = [one["name"] for one in statuses if not one["ready"]]
    if not unready:
        return _made("ContainersReady", True)
    return _made("ContainersReady", False, "ContainersNotReady", f"containers with unready status: [{' '.join(unready)}]")


def _ready(pod: Pod, containers_ready: Tree, others: Iterable[PodCondition]) -> Tree:
    """Ready: the containers are, and every readiness gate says so."""
    if containers_ready["status"] != "True":
        return {**containers_ready, "type": "Ready"}
    states = {one.type: one.status for one in others}
    complaints = []
    for gate in pod.spec.readinessGates or ():
        state = states.get(gate.conditionType)
        if state is None:
            complaints.append(f'corresponding condition of pod readiness gate "{gate.conditionType}" does not exist.')
        elif state != "True":
            complaints.append(f'the status of pod readiness gate "{gate.conditionType}" is not "True", but {state}')
    if complaints:
        return _made("Ready", False, "ReadinessGatesNotReady", ", ".join(complaints))
    return _made("Ready", True)
