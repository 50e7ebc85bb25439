"""Pod state: the questions that controllers ask of a pod. Pure.

https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/ · pkg/api/v1/pod
"""

from collections.abc import Iterable
from datetime import datetime

from kube.api.types import Pod, PodCondition


def terminal(pod: Pod) -> bool:
    """Ended: none of its containers will run again."""
    return pod.status.phase in ("Succeeded", "Failed")


def active(pod: Pod) -> bool:
    """Neither ended nor being deleted: it counts towards the replicas."""
    return not terminal(pod) and pod.metadata.deletionTimestamp is None


def terminating(pod: Pod) -> bool:
    """Being deleted, and not ended yet."""
    return not terminal(pod) and pod.metadata.deletionTimestamp is not None


def condition(pod: Pod, type: str) -> PodCondition | None:
    return next((one for one in pod.status.conditions or () if one.type == type), None)


def ready(pod: Pod) -> bool:
    found = condition(pod, "Ready")
    return found is not None and found.status == "True"


def ready_since(pod: Pod) -> datetime | None:
    """When the pod became ready; None while it is not, or where that is not told."""
    found = condition(pod, "Ready")
    return found.lastTransitionTime if found is not None and found.status == "True" else None


def available(pod: Pod, min_ready_seconds: int, now: datetime) -> bool:
    """Ready for at least minReadySeconds."""
    if not ready(pod):
        return False
    if not min_ready_seconds:
        return True
    since = ready_since(pod)
    return since is not None and (now - since).total_seconds() >= min_ready_seconds


def seconds_until_available(pods: Iterable[Pod], min_ready_seconds: int, now: datetime) -> float | None:
    """How long until the next of the ready pods becomes available; None where none is on the way."""
    if not min_ready_seconds:
        return None
    since = [ready_since(pod) for pod in pods if ready(pod) and not available(pod, min_ready_seconds, now)]
    waits = [min_ready_seconds - (now - moment).total_seconds() for moment in since if moment is not None]
    return max(min(waits), 0.0) if waits else None


def restarts(pod: Pod) -> int:
    """Of its most restarted container."""
    return max((one.restartCount for one in pod.status.containerStatuses or ()), default=0)
