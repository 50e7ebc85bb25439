"""Plan of a job: which pods to start or stop, whether the job has ended, and its status. Pure.

A job ends in two steps: SuccessCriteriaMet or FailureTarget says that it will, at which its running pods are stopped; Complete or
Failed says that it has, once no pod of it runs and every one of them is counted.
https://kubernetes.io/docs/concepts/workloads/controllers/job/ · pkg/controller/job/job_controller.go
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from controller_manager.conditions import Conditions, condition, find, holds, trees, with_condition
from controller_manager.controllers.job import indexes
from controller_manager.controllers.job.accounting import Account, active_pods, failed, succeeded, tracked
from controller_manager.controllers.job.backoff import remaining_seconds
from controller_manager.controllers.job.failure_policy import Verdict, verdict
from controller_manager.pod_control import BURST, pod_from_template
from controller_manager.pod_state import ready, terminal
from controller_manager.status_patch import without_empty
from kube.api.meta import Tree
from kube.api.types import Job, Pod
from kube.api.views import timestamp

ENDS = {"SuccessCriteriaMet": "Complete", "FailureTarget": "Failed"}


@dataclass(frozen=True)
class Look:
    """A job and its pods at one moment, with what follows from them at once."""

    job: Job
    pods: Sequence[Pod]
    books: Account
    verdicts: dict[str, Verdict]  # of the failed pods not counted yet, by UID
    completed: set[int]  # indexes
    given_up: set[int]  # indexes that failed for good
    now: datetime

    @property
    def succeeded(self) -> int:
        return len(self.completed) if indexes.indexed(self.job) else self.books.all_succeeded

    @property
    def terminating(self) -> int:
        return sum(pod.metadata.deletionTimestamp is not None and not terminal(pod) for pod in self.pods)


@dataclass(frozen=True)
class Plan:
    create: list[Tree] = field(default_factory=list)
    delete: list[Pod] = field(default_factory=list)
    target: Tree | None = None  # the condition that says how the job ends
    again: float | None = None  # seconds until there may be more to do
    uncounted: bool = True  # whether pods that are deleted stay out of the count


def verdicts(job: Job, pods: Sequence[Pod]) -> dict[str, Verdict]:
    if job.spec.podFailurePolicy is None:
        return {}
    return {pod.metadata.uid: verdict(job, pod) for pod in pods if tracked(pod) and pod.status.phase == "Failed"}


def completed_indexes(job: Job, pods: Sequence[Pod]) -> set[int]:
    if not indexes.indexed(job):
        return set()
    ended = {indexes.index_of(pod) for pod in pods if succeeded(pod)} - {None}
    return {one for one in indexes.parse(job.status.completedIndexes) | ended if one < (job.spec.completions or 0)}


def given_up_indexes(job: Job, pods: Sequence[Pod], judged: dict[str, Verdict]) -> set[int]:
    limit = job.spec.backoffLimitPerIndex
    if limit is None:
        return set()
    found = indexes.parse(job.status.failedIndexes)
    for pod in pods:
        action = judged.get(pod.metadata.uid, Verdict("Count")).action
        beyond = failed(job, pod) and action != "Ignore" and indexes.failures_of(pod) >= limit
        index = indexes.index_of(pod)
        if index is not None and (beyond or action == "FailIndex"):
            found.add(index)
    return found


def plan(look: Look, conditions: Conditions) -> Plan:
    """What to do now. `conditions` are the job's."""
    job = look.job
    active = active_pods(look.pods)
    target = next((one for one in conditions if one["type"] in ENDS and one["status"] == "True"), None)
    target = target or _failure(look) or _success_policy(look)
    if target is not None:
        return Plan(delete=active, target=target, uncounted=False)
    if job.spec.suspend:
        return Plan(delete=active)
    if _reached(look) and not active:
        message = "Reached expected number of succeeded pods"
        return Plan(target=condition("SuccessCriteriaMet", "True", "CompletionsReached", message, look.now))
    surplus = len(active) - _wanted(look, len(active))
    deadline = _seconds_to_deadline(look)
    if surplus > 0:
        return Plan(delete=_surplus(active, surplus), again=deadline)
    create, wait = _creations(look, active)
    waits = [seconds for seconds in (deadline, wait) if seconds is not None]
    return Plan(create=create, again=min(waits) if waits else None)


def status(look: Look, conditions: Conditions, active: int, ready_pods: int) -> Tree:
    """The job's status with these conditions and so many running pods."""
    job, books = look.job, look.books
    ended = next((one for one in conditions if one["type"] == "Complete" and one["status"] == "True"), None)
    started = job.status.startTime or look.now
    uncounted = without_empty({"succeeded": books.uncounted_succeeded, "failed": books.uncounted_failed})
    tree = {
        "conditions": conditions,
        "startTime": None if job.spec.suspend and ended is None else timestamp(started),
        "completionTime": timestamp(job.status.completionTime or look.now) if ended is not None else None,
        "active": active,
        "ready": ready_pods,
        "terminating": look.terminating,
        "succeeded": len(look.completed) if indexes.indexed(job) else books.succeeded,
        "failed": books.failed,
        "completedIndexes": indexes.compress(look.completed),
        "failedIndexes": indexes.compress(look.given_up) if job.spec.backoffLimitPerIndex is not None else None,
        "uncountedTerminatedPods": uncounted,
    }
    kept = ("ready", "terminating", *(("uncountedTerminatedPods",) if job.status.uncountedTerminatedPods else ()))
    return {**without_empty(tree, always=kept)}


def end(look: Look, conditions: Conditions, running: int) -> Conditions:
    """With Complete or Failed, once the job's end is decided and all its pods have ended and are counted."""
    target = next((one for one in conditions if one["type"] in ENDS and one["status"] == "True"), None)
    if target is None or running or look.terminating or not look.books.settled:
        return conditions
    return with_condition(conditions, condition(ENDS[target["type"]], "True", target["reason"], target["message"], look.now))


def suspension(job: Job, conditions: Conditions, now: datetime) -> Conditions:
    if job.spec.suspend:
        return with_condition(conditions, condition("Suspended", "True", "JobSuspended", "Job suspended", now))
    if holds(conditions, "Suspended"):
        return with_condition(conditions, condition("Suspended", "False", "JobResumed", "Job resumed", now))
    return conditions


def finished(job: Job) -> bool:
    found = trees(job.status.conditions)
    return holds(found, "Complete") or holds(found, "Failed")


def ready_count(look: Look) -> int:
    return sum(ready(pod) for pod in active_pods(look.pods))


def _failure(look: Look) -> Tree | None:
    """Why the job fails now, if it does."""
    job = look.job
    reasons: list[tuple[bool, str, str]] = [
        (True, "PodFailurePolicy", one.message) for one in look.verdicts.values() if one.action == "FailJob"
    ]
    limit = job.spec.backoffLimit
    beyond = limit is not None and (look.books.all_failed > limit or _restarted_too_often(look, limit))
    reasons.append((beyond, "BackoffLimitExceeded", "Job has reached the specified backoff limit"))
    left = _seconds_to_deadline(look)
    reasons.append((left is not None and left <= 0, "DeadlineExceeded", "Job was active longer than specified deadline"))
    most = job.spec.maxFailedIndexes
    too_many = most is not None and len(look.given_up) > most
    text = "Job has exceeded the specified maximal number of failed indexes"
    reasons.append((too_many, "MaxFailedIndexesExceeded", text))
    all_done = bool(look.given_up) and len(look.given_up | look.completed) >= (job.spec.completions or 0)
    reasons.append((all_done, "FailedIndexes", "Job has failed indexes"))
    found = next(((reason, message) for true, reason, message in reasons if true), None)
    return condition("FailureTarget", "True", *found, look.now) if found is not None else None


def _success_policy(look: Look) -> Tree | None:
    policy = look.job.spec.successPolicy
    for number, rule in enumerate(policy.rules if policy is not None else ()):
        wanted = indexes.parse(rule.succeededIndexes) if rule.succeededIndexes else None
        done = len(look.completed if wanted is None else look.completed & wanted)
        if done >= (rule.succeededCount if rule.succeededCount is not None else len(wanted or ())):
            return condition("SuccessCriteriaMet", "True", "SuccessPolicy", f"Matched rules at index {number}", look.now)
    return None


def _restarted_too_often(look: Look, limit: int) -> bool:
    """With restartPolicy OnFailure the containers' restarts are the failures."""
    if look.job.spec.template.spec.restartPolicy != "OnFailure":
        return False
    restarts = sum(
        one.restartCount
        for pod in look.pods
        if pod.status.phase in ("Running", "Pending")
        for one in (*(pod.status.initContainerStatuses or ()), *(pod.status.containerStatuses or ()))
    )
    return bool(restarts > 0 if limit == 0 else restarts >= limit)


def _seconds_to_deadline(look: Look) -> float | None:
    job = look.job
    if job.spec.activeDeadlineSeconds is None or job.status.startTime is None or job.spec.suspend:
        return None
    return float(job.spec.activeDeadlineSeconds - (look.now - job.status.startTime).total_seconds())


def _reached(look: Look) -> bool:
    """A job without `completions` is done when one pod succeeded and none runs any more."""
    wanted = look.job.spec.completions
    return look.succeeded > 0 if wanted is None else look.succeeded >= wanted


def _wanted(look: Look, active: int) -> int:
    """How many pods should run."""
    parallelism = look.job.spec.parallelism if look.job.spec.parallelism is not None else 1
    if look.job.spec.completions is None:
        return min(active, parallelism) if look.succeeded else parallelism
    left = max(look.job.spec.completions - look.succeeded - len(look.given_up - look.completed), 0)
    return int(min(left, parallelism))


def _surplus(active: list[Pod], count: int) -> list[Pod]:
    """Not scheduled, not running, not ready ones first; the youngest of equals; doubles of an index before all."""
    seen: set[int | None] = set()
    doubles: set[str] = set()
    for pod in sorted(active, key=lambda pod: pod.metadata.creationTimestamp):
        index = indexes.index_of(pod)
        if index is not None and index in seen:
            doubles.add(pod.metadata.uid)
        seen.add(index)
    by_age = sorted(active, key=lambda pod: pod.metadata.creationTimestamp, reverse=True)
    by_age.sort(
        key=lambda pod: (
            pod.metadata.uid not in doubles,
            bool(pod.spec.nodeName),
            pod.status.phase == "Running",
            ready(pod),
        )
    )
    return by_age[:count]


def _creations(look: Look, active: list[Pod]) -> tuple[list[Tree], float | None]:
    """The pods to create now, and the seconds until a back-off ends."""
    job = look.job
    waiting = look.terminating if job.spec.podReplacementPolicy == "Failed" else 0
    room = min(_wanted(look, len(active)) - len(active) - waiting, BURST)
    if room <= 0:
        return [], None
    if not indexes.indexed(job):
        wait = remaining_seconds(job, look.pods, look.now)
        return ([], wait) if wait > 0 else ([indexes.track(_pod(job)) for _ in range(room)], None)
    if job.spec.backoffLimitPerIndex is None:
        wait = remaining_seconds(job, look.pods, look.now)
        if wait > 0:
            return [], wait
    found: list[Tree] = []
    waits: list[float] = []
    candidates = indexes.missing(job, look.completed | look.given_up, active, job.spec.completions or 0)
    for index in candidates:
        mine = [pod for pod in look.pods if indexes.index_of(pod) == index]
        wait = remaining_seconds(job, mine, look.now) if job.spec.backoffLimitPerIndex is not None else 0.0
        if wait > 0:
            waits.append(wait)
        elif len(found) < room:
            found.append(indexes.track(indexes.dress(job, _pod(job), index, _failures(look, mine))))
    return found, min(waits) if waits else None


def _failures(look: Look, pods: Sequence[Pod]) -> int:
    """How often an index has failed, as the next pod of it shall be told."""
    counted = (pod for pod in pods if failed(look.job, pod))
    ignored = {uid for uid, one in look.verdicts.items() if one.action == "Ignore"}
    return max((indexes.failures_of(pod) + (pod.metadata.uid not in ignored) for pod in counted), default=0)


def _pod(job: Job) -> Tree:
    return pod_from_template(job, job.spec.template)


def known(job: Job) -> Conditions:
    return trees(job.status.conditions)


def newly(before: Conditions, after: Conditions, type: str) -> Tree | None:
    """A condition that holds now and did not before."""
    found = find(after, type)
    return found if found is not None and found["status"] == "True" and not holds(before, type) else None
