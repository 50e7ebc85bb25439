"""Job controller: runs pods until enough of them have succeeded, and counts each exactly once.

`plan` decides, `accounting` keeps the books, `indexes`, `failure_policy` and `backoff` have the rules of their names.
The status is written only onto the form of the job that was looked at: counting on a stale form would count twice.
https://kubernetes.io/docs/concepts/workloads/controllers/job/ · pkg/controller/job/job_controller.go
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from controller_manager.adoption import Adopter, claim, selector_of
from controller_manager.conditions import Conditions, find, with_condition
from controller_manager.controller import Context, Controller, Watch
from controller_manager.controllers.job import plan as planning
from controller_manager.controllers.job.accounting import FINALIZER, account, active_pods, tracked
from controller_manager.controllers.job.plan import Look, Plan
from controller_manager.pod_control import PodControl
from controller_manager.status_patch import status_patch
from kube.api.batch.job import NAME_LABEL
from kube.api.meta import Key, controller_of, key_of
from kube.api.status import Conflict, Invalid, NotFound
from kube.api.types import Job, Pod
from kube.client.rest import STRATEGIC

CONTROLLER = "kubernetes.io/job-controller"  # what spec.managedBy says when it is us
TRACKED = "tracked by job"  # the index of tracked pods, by namespace and name of their job


class JobController(Controller[Key]):
    name = "job-controller"
    reconciles = Job
    owns = (Pod,)
    adopts = True

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.cache(Pod).add_index(TRACKED, lambda pod: map(str, _tracked_for(pod)))
        self._pods = PodControl(self.client, self.recorder, self.expectations)

    @property
    def workers(self) -> int:
        return self.config.concurrent_job_syncs

    def extra(self) -> tuple[Watch, ...]:
        """A tracked pod whose job is gone must be let go, too."""
        return (Watch(Pod, _tracked_for),)

    async def reconcile(self, key: Key) -> float | None:
        job = self.cache(Job).get(key)
        await self._release(pod for pod in self.cache(Pod).by_index(TRACKED, str(key)) if _stray(pod, job))
        if job is None or self.behind(job) or job.spec.managedBy not in (None, CONTROLLER):
            return None
        if planning.finished(job):
            await self._release(pod for pod in self.cache(Pod).owned_by(job.metadata.uid) if tracked(pod))
            return None
        settled = self.expectations.satisfied(job.metadata.uid)
        claimed = claim(job, selector_of(job), self.candidates(Pod, job))
        pods = await Adopter(self.client, job, FINALIZER).settle(claimed)
        look = observe(job, pods, self.clock.now())
        known = planning.known(job)
        planned = planning.plan(look, known)
        if not settled or job.metadata.deletionTimestamp is not None:
            planned = Plan(target=planned.target, again=planned.again)
        failure = await self._carry_out(job, planned)
        await self._write(look, planned, known, changed=failure is None)
        await self._release(look.books.release)
        if failure is not None:
            raise failure
        return planned.again

    async def _carry_out(self, job: Job, planned: Plan) -> Exception | None:
        if planned.create:
            return await self._pods.create(job, planned.create)
        if planned.delete and planned.uncounted:  # what the job itself does not want any more is no failure
            await self._release(pod for pod in planned.delete if tracked(pod))
        return await self._pods.delete(job, planned.delete) if planned.delete else None

    async def _write(self, look: Look, planned: Plan, known: Conditions, *, changed: bool) -> None:
        """Write the status, and tell of what is new in its conditions."""
        running = len(active_pods(look.pods))
        if changed:
            running += len(planned.create) - len(planned.delete)
        conditions = known
        if planned.target is not None:
            conditions = with_condition(conditions, planned.target)
            conditions = planning.end(look, conditions, len(active_pods(look.pods)))
        else:
            conditions = planning.suspension(look.job, conditions, look.now)
        ready = min(planning.ready_count(look), running)
        wanted = planning.status(look, conditions, running, ready)
        resumed = find(known, "Suspended") is not None and find(known, "Suspended") != find(conditions, "Suspended")
        if resumed and not look.job.spec.suspend:
            wanted["startTime"] = find(conditions, "Suspended")["lastTransitionTime"]
        await self.write_status(look.job, status_patch(look.job.status, wanted))
        self._tell(look.job, known, conditions)

    def _tell(self, job: Job, before: Conditions, after: Conditions) -> None:
        if planning.newly(before, after, "Complete"):
            self.recorder.event(job, "Normal", "Completed", "Job completed")
        failed = planning.newly(before, after, "Failed")
        if failed is not None:
            self.recorder.event(job, "Warning", failed["reason"], failed["message"])
        if planning.newly(before, after, "Suspended"):
            self.recorder.event(job, "Normal", "Suspended", "Job suspended")
        elif find(before, "Suspended") is not None and find(before, "Suspended") != find(after, "Suspended"):
            self.recorder.event(job, "Normal", "Resumed", "Job resumed")

    async def _release(self, pods: Iterable[Pod]) -> None:
        """Take the tracking finalizer off."""
        for pod in pods:
            metadata = {"uid": pod.metadata.uid, "$deleteFromPrimitiveList/finalizers": [FINALIZER]}
            if controller_of(pod.metadata) is None:
                metadata["resourceVersion"] = pod.metadata.resourceVersion  # not if a job adopts it meanwhile
            try:
                await self.client.patch(Pod, key_of(pod), {"metadata": metadata}, type=STRATEGIC)
            except (NotFound, Conflict, Invalid):
                continue  # gone, or another pod by now


def observe(job: Job, pods: Sequence[Pod], now: datetime) -> Look:
    """All that is known of a job at one moment."""
    judged = planning.verdicts(job, pods)
    ignored = [uid for uid, one in judged.items() if one.action == "Ignore"]
    return Look(
        job=job,
        pods=pods,
        books=account(job, pods, ignored),
        verdicts=judged,
        completed=planning.completed_indexes(job, pods),
        given_up=planning.given_up_indexes(job, pods, judged),
        now=now,
    )


def _tracked_for(pod: Pod) -> list[Key]:
    """The job that a tracked pod is of; where nobody owns the pod (its job was deleted, and left it), the one that made it."""
    owner = controller_of(pod.metadata)
    if not tracked(pod) or (owner is not None and owner.kind != "Job"):
        return []
    return [Key(pod.metadata.namespace, owner.name if owner else (pod.metadata.labels or {}).get(NAME_LABEL, ""))]


def _stray(pod: Pod, job: Job | None) -> bool:
    """Tracked for a job that is no more; one of the same name does not count, and one that is going adopts nobody."""
    owner = controller_of(pod.metadata)
    if job is None or owner is None:
        return job is None or job.metadata.deletionTimestamp is not None
    return bool(owner.uid != job.metadata.uid)
