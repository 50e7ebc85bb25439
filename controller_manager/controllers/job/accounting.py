"""Accounting: every ended pod of a job is counted exactly once, whatever dies in between. Pure.

A pod carries the finalizer batch.kubernetes.io/job-tracking. When it has ended, its UID first goes into the status
(uncountedTerminatedPods); then the finalizer is taken off; and once that is seen, the UID becomes a number in the status. Each
step is one write, so that a crash between two of them neither loses a pod nor counts it twice.
https://kubernetes.io/docs/concepts/workloads/controllers/job/#job-tracking-with-finalizers · KEP-2307
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from controller_manager.pod_state import active
from kube.api.meta import controlled_by
from kube.api.types import Job, Pod

FINALIZER = "batch.kubernetes.io/job-tracking"
UNCOUNTED_LIMIT = 500  # UIDs in a status at a time


@dataclass(frozen=True)
class Account:
    succeeded: int  # settled ones
    failed: int
    uncounted_succeeded: list[str]
    uncounted_failed: list[str]
    release: list[Pod]  # written down already: their finalizers may go
    unwritten: bool  # ended pods that did not fit in

    @property
    def all_succeeded(self) -> int:
        return self.succeeded + len(self.uncounted_succeeded)

    @property
    def all_failed(self) -> int:
        return self.failed + len(self.uncounted_failed)

    @property
    def settled(self) -> bool:
        return not self.uncounted_succeeded and not self.uncounted_failed and not self.unwritten


def tracked(pod: Pod) -> bool:
    return FINALIZER in (pod.metadata.finalizers or ())


def succeeded(pod: Pod) -> bool:
    return pod.status.phase == "Succeeded"


def failed(job: Job, pod: Pod) -> bool:
    """A pod that is deleted before its end failed, too, unless replacements wait for phase Failed."""
    if pod.status.phase == "Failed":
        return True
    waits = job.spec.podReplacementPolicy == "Failed"
    return not waits and pod.metadata.deletionTimestamp is not None and pod.status.phase != "Succeeded"


def account(job: Job, pods: Sequence[Pod], ignored: Iterable[str] = ()) -> Account:
    """The job's books after looking at its pods, the tracked ones among which are not yet settled.

    `ignored`: failed pods (UIDs) that the pod failure policy leaves out of the count.
    """
    open_pods = {pod.metadata.uid: pod for pod in pods if tracked(pod)}
    written = job.status.uncountedTerminatedPods
    written_succeeded = list((written.succeeded if written is not None else None) or ())
    written_failed = list((written.failed if written is not None else None) or ())
    still_succeeded = [uid for uid in written_succeeded if uid in open_pods]
    still_failed = [uid for uid in written_failed if uid in open_pods]
    known = {*written_succeeded, *written_failed}
    leave_out = set(ignored)
    release = [open_pods[uid] for uid in (*still_succeeded, *still_failed)]
    unwritten = False
    for uid, pod in open_pods.items():
        if uid in known or not (succeeded(pod) or failed(job, pod)):
            continue
        if uid in leave_out:
            release.append(pod)
        elif len(still_succeeded) + len(still_failed) >= UNCOUNTED_LIMIT:
            unwritten = True
        else:
            (still_succeeded if succeeded(pod) else still_failed).append(uid)
    return Account(
        succeeded=(job.status.succeeded or 0) + sum(uid not in open_pods for uid in written_succeeded),
        failed=(job.status.failed or 0) + sum(uid not in open_pods for uid in written_failed),
        uncounted_succeeded=still_succeeded,
        uncounted_failed=still_failed,
        release=release,
        unwritten=unwritten,
    )


def own(job: Job, pods: Iterable[Pod]) -> list[Pod]:
    return [pod for pod in pods if controlled_by(pod.metadata, job.metadata.uid)]


def active_pods(pods: Iterable[Pod]) -> list[Pod]:
    return [pod for pod in pods if active(pod)]
