"""Back-off of a job: how long after a failure the next pod may start. Pure.

10 s after the first failure, doubled with each that follows without a success between them, at most 10 min.
Our choice: reckoned from the ended pods that are still there, not from memory, so that a restart of the program forgets nothing.
https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-backoff-failure-policy · pkg/controller/job/backoff_utils.go
"""

from collections.abc import Iterable
from datetime import datetime

from controller_manager.controllers.job.accounting import failed, succeeded
from kube.api.types import Job, Pod

FIRST_SECONDS, LONGEST_SECONDS = 10.0, 600.0


def remaining_seconds(job: Job, pods: Iterable[Pod], now: datetime) -> float:
    """Until the next pod may be created; 0 where it may be at once."""
    ended = sorted(((finished_at(pod), pod) for pod in pods if succeeded(pod) or failed(job, pod)), key=lambda pair: pair[0])
    failures, last = 0, now
    for moment, pod in ended:
        failures = 0 if succeeded(pod) else failures + 1
        last = moment
    if not failures:
        return 0.0
    wait = min(FIRST_SECONDS * 2.0 ** (failures - 1), LONGEST_SECONDS)
    return max(wait - (now - last).total_seconds(), 0.0)


def finished_at(pod: Pod) -> datetime:
    """When the last container ended; else the best that the pod tells."""
    statuses = pod.status.containerStatuses or ()
    ends = [one.state.terminated.finishedAt for one in statuses if one.state is not None and one.state.terminated is not None]
    known = [moment for moment in ends if moment is not None]
    if known:
        return max(known)
    transition = next((one.lastTransitionTime for one in pod.status.conditions or () if one.type == "Ready"), None)
    found: datetime = pod.metadata.deletionTimestamp or transition or pod.metadata.creationTimestamp
    return found
