"""Container status: the states of a pod's containers, as the API tells them. Pure.

A container that has ended and will be started again is Waiting (with its past in lastState) as soon as there is a reason to
wait; until then it is Terminated. https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-states · upstream
kubelet_pods.go convertToAPIContainerStatuses
"""

from collections.abc import Iterable
from datetime import datetime

from kube.api.meta import Tree
from kube.api.types import Container, ContainerStatus, Pod
from kube.api.views import timestamp, tree_of
from kubelet.pod_state import (
    IMAGE_DIGEST,
    Observed,
    Waiting,
    every_container,
    is_ephemeral,
    is_init,
    is_sidecar,
    restarts,
)
from kubelet.resize import is_applied
from kubelet.runtime.runtime import RuntimeContainer

CREATING = Waiting("ContainerCreating")
INITIALIZING = Waiting("PodInitializing")
LOST_EXIT_CODE = 137
MESSAGES_OF_A_POD = 12 * 1024  # bytes of all last words together, an equal part for each container
LOST_MESSAGE = "The container could not be located when the pod was terminated"


def container_statuses(
    pod: Pod, observed: Observed, containers: Iterable[Container], known: Iterable[ContainerStatus]
) -> list[Tree]:
    """In the order of the spec. `known` is what the API server was told before: all that is left of records that are gone."""
    before = {one.name: one for one in known}
    most = MESSAGES_OF_A_POD // sum(1 for _ in every_container(pod))
    return [_bounded(_status(pod, observed, container, before.get(container.name)), most) for container in containers]


def _bounded(status: Tree, most: int) -> Tree:
    """With last words of at most so many bytes."""
    for state in (status["state"], status["lastState"]):
        message = (state.get("terminated") or {}).get("message") or ""
        if len(message.encode()) > most:
            state["terminated"] = state["terminated"] | {"message": message.encode()[:most].decode(errors="ignore")}
    return status


def _status(pod: Pod, observed: Observed, container: Container, known: ContainerStatus | None) -> Tree:
    record = observed.newest(container.name)
    if record is None:
        return _without_record(pod, observed, container, known)
    health = observed.health_of(record)
    state, last = _states(pod, observed, container, record)
    status: Tree = {
        "name": container.name,
        "state": state,
        "lastState": last,
        "ready": _ready(pod, container, observed, record),
        "restartCount": record.attempt,
        "image": container.image,
        "imageID": _image_id(record),
        "containerID": f"docker://{record.id}",
        "started": record.running and health.started,
    }
    return status | _resources(pod, container, record, observed, known)


def _image_id(record: RuntimeContainer) -> str:
    """As dockershim had it: by which anybody may pull the same image, where a registry has it."""
    digest = record.labels.get(IMAGE_DIGEST)
    return f"docker-pullable://{digest}" if digest else f"docker://{record.image_id}" if record.image_id else ""


def _resources(pod: Pod, container: Container, record: RuntimeContainer, observed: Observed, known: ContainerStatus | None) -> Tree:
    """What the container is given, and what it has: the same, but for the moment of a change."""
    if not record.running or is_ephemeral(pod, container):
        return {}
    allocated: Tree = tree_of(container.resources) if container.resources is not None else {}
    before: Tree | None = tree_of(known.resources) if known is not None and known.resources is not None else None
    has = allocated if before is None or is_applied(pod, container, record, observed) else before
    given: Tree = {"resources": has}
    if allocated.get("requests"):
        given["allocatedResources"] = allocated["requests"]
    return given


def _without_record(pod: Pod, observed: Observed, container: Container, known: ContainerStatus | None) -> Tree:
    """Never started here; or its record was removed from the engine, which ends it if the pod cannot start it again."""
    waiting = observed.waiting.get(container.name) or _default_waiting(pod, observed)
    status: Tree = {
        "name": container.name,
        "state": {"waiting": _waiting(waiting)},
        "lastState": {},
        "ready": False,
        "restartCount": 0,
        "image": container.image,
        "imageID": "",
        "started": False,
    }
    if known is None or known.state is None or (known.state.waiting is not None and not known.restartCount):
        return status
    told: Tree = tree_of(known)
    if known.state.terminated is not None:
        return told | {"ready": is_init(pod, container) and known.state.terminated.exitCode == 0, "started": False}
    if known.state.running is not None and observed.ending is not None:
        lost = {"reason": "ContainerStatusUnknown", "message": LOST_MESSAGE, "exitCode": LOST_EXIT_CODE}
        return told | {
            "state": {"terminated": lost | {"startedAt": None, "finishedAt": None}},
            "ready": False,
            "started": False,
        }
    return status | {"restartCount": known.restartCount, "lastState": tree_of(known.lastState) if known.lastState else {}}


def _states(pod: Pod, observed: Observed, container: Container, record: RuntimeContainer) -> tuple[Tree, Tree]:
    before = observed.before(container.name)
    past = _terminated(before) if before is not None and before.state == "exited" else {}
    waiting = observed.waiting.get(container.name)
    if record.running and record.id in observed.in_post_start:
        return {"waiting": _waiting(_default_waiting(pod, observed))}, past
    if record.running:
        return {"running": {"startedAt": timestamp(record.started_at)}}, past
    if record.state == "created":
        return {"waiting": _waiting(waiting or _default_waiting(pod, observed))}, past
    if waiting is not None and observed.ending is None and _comes_back(pod, container, record):
        return {"waiting": _waiting(waiting)}, _terminated(record)
    return _terminated(record), past


def _comes_back(pod: Pod, container: Container, record: RuntimeContainer) -> bool:
    return not is_ephemeral(pod, container) and restarts(pod, container, record)


def _ready(pod: Pod, container: Container, observed: Observed, record: RuntimeContainer) -> bool:
    if is_ephemeral(pod, container):
        return False  # nothing asks it
    if is_init(pod, container) and not is_sidecar(container):
        return record.state == "exited" and record.exit_code == 0
    return record.running and record.id not in observed.in_post_start and observed.health_of(record).ready


def _default_waiting(pod: Pod, observed: Observed) -> Waiting:
    """Of a container that was never started: a pod with init containers is said to be initializing also when they are done."""
    return INITIALIZING if pod.spec.initContainers else CREATING


def _waiting(waiting: Waiting) -> Tree:
    return {"reason": waiting.reason, **({"message": waiting.message} if waiting.message else {})}


def _terminated(record: RuntimeContainer) -> Tree:
    terminated: Tree = {
        "exitCode": record.exit_code,
        "reason": record.reason,
        "startedAt": _time(record.started_at),
        "finishedAt": _time(record.finished_at),
        "containerID": f"docker://{record.id}",
    }
    if record.message:
        terminated["message"] = record.message
    return {"terminated": terminated}


def _time(moment: datetime | None) -> str | None:
    return timestamp(moment) if moment is not None else None
