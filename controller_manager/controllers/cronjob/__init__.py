"""CronJob controller: a Job at each time of a schedule.

`times` knows which time is due, `jobs` what its Job looks like and which ended ones are too many. A time is told as started in
the status only after its Job is there; should the program die in between, the Job's name keeps the time from starting two.
https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ · kubernetes pkg/controller/cronjob/cronjob_controllerv2.go
"""

from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

from controller_manager.controller import Controller
from controller_manager.controllers.cronjob.jobs import end_of, job_for, job_name, last_success, reference, superfluous
from controller_manager.controllers.cronjob.times import MANY, Due, due, too_late, zone_of
from controller_manager.pod_control import namespace_terminating
from controller_manager.status_patch import status_patch, without_empty
from kube.api import cron
from kube.api.meta import Key, Tree, controlled_by, key_of
from kube.api.status import AlreadyExists, ApiError, Conflict, NotFound
from kube.api.types import CronJob, Job
from kube.api.views import timestamp, tree_of, view

LATER_SECONDS = 0.1  # after a time, so that it surely has come


class CronJobController(Controller[Key]):
    name = "cronjob-controller"
    reconciles = CronJob
    owns: tuple[type[Any], ...] = (Job,)
    expects = Job

    @property
    def workers(self) -> int:
        return self.config.concurrent_cron_job_syncs

    async def reconcile(self, key: Key) -> float | None:
        cronjob = self.cache(CronJob).get(key)
        if cronjob is None or self.behind(cronjob):
            return None
        jobs = self.cache(Job).owned_by(cronjob.metadata.uid)
        for job in superfluous(cronjob, jobs):
            await self._delete(cronjob, job)
        status = await self._reckoned(cronjob, jobs)
        failure, wait = None, None
        if cronjob.metadata.deletionTimestamp is None and not cronjob.spec.suspend:
            found = self._due(cronjob)
            if found is not None:
                failure, wait = await self._start(cronjob, found, status), self._wait(found)
        await self.write_status(cronjob, status_patch(cronjob.status, without_empty(status)))
        if failure is not None:
            raise failure
        return wait

    # --- the books ---------------------------------------------------------------------------------------------------

    async def _reckoned(self, cronjob: CronJob, jobs: Sequence[Job]) -> Tree:
        """The status by the jobs that there are: which ones are active, and when the last one succeeded."""
        by_uid = {job.metadata.uid: job for job in jobs}
        active = []
        for one in tree_of(cronjob.status.active or []):
            job = by_uid.pop(one.get("uid"), None)
            end, name = end_of(job) if job is not None else "", one.get("name", "")
            if end:
                self.recorder.event(cronjob, "Normal", "SawCompletedJob", f"Saw completed job: {name}, condition: {end}")
            elif job is not None or await self._exists(one):
                active.append(one)
            else:
                self.recorder.event(cronjob, "Normal", "MissingJob", f"Active job went missing: {name}")
        for job in by_uid.values():
            if not end_of(job) and job.metadata.deletionTimestamp is None:
                text = f"Saw a job that the controller did not create or forgot: {job.metadata.name}"
                self.recorder.event(cronjob, "Warning", "UnexpectedJob", text)
        told = {
            "active": active,
            "lastScheduleTime": cronjob.status.lastScheduleTime,
            "lastSuccessfulTime": last_success(cronjob, jobs),
        }
        return {name: timestamp(value) if isinstance(value, datetime) else value for name, value in told.items()}

    async def _exists(self, one: Tree) -> bool:
        """Past the cache, which may not show the newest yet. A reference without a name, which anybody may write, leads nowhere."""
        if not one.get("name"):
            return False
        try:
            fresh = await self.client.get(Job, one.get("namespace", ""), one["name"])
        except NotFound:
            return False
        return bool(fresh.metadata.uid == one.get("uid"))

    # --- the clock ---------------------------------------------------------------------------------------------------

    def _due(self, cronjob: CronJob) -> Due | None:
        """None where the schedule or its zone cannot be read; then its events say so."""
        now = self.clock.now().astimezone()
        try:
            zone = zone_of(cronjob, now.tzinfo)
        except (ZoneInfoNotFoundError, ValueError) as error:
            text = f'invalid timeZone: "{cronjob.spec.timeZone}": {error}'
            self.recorder.event(cronjob, "Warning", "UnknownTimeZone", text)
            return None
        try:
            schedule = cron.parse(cronjob.spec.schedule)
        except ValueError as error:
            text = f'unparseable schedule: "{cronjob.spec.schedule}" : {error}'
            self.recorder.event(cronjob, "Warning", "UnparseableSchedule", text)
            return None
        return due(cronjob, schedule, now.astimezone(zone))

    def _wait(self, found: Due) -> float | None:
        if found.next is None:
            return None
        return max((found.next - self.clock.now()).total_seconds(), 0.0) + LATER_SECONDS

    # --- doing -------------------------------------------------------------------------------------------------------

    async def _start(self, cronjob: CronJob, found: Due, status: Tree) -> ApiError | None:
        """Start what is due, and note it in the status. The failure, if there is one."""
        moment, active = found.moment, status["active"]
        if moment is None:
            return None
        if found.missed > MANY:
            text = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew"
            self.recorder.event(cronjob, "Warning", "TooManyMissedTimes", text)
        if too_late(cronjob, moment, self.clock.now()):
            text = f"Missed scheduled time to start a job: {format_datetime(moment)}"
            self.recorder.event(cronjob, "Warning", "MissSchedule", text)
            return None
        if any(one["name"] == job_name(cronjob, moment) for one in active):
            return None
        if cronjob.spec.concurrencyPolicy == "Forbid" and active:
            text = "Not starting job because prior execution is running and concurrency policy is Forbid"
            self.recorder.event(cronjob, "Normal", "JobAlreadyActive", text)
            return None
        try:
            if cronjob.spec.concurrencyPolicy == "Replace":
                for one in list(active):
                    await self._replace(cronjob, one)
                    active.remove(one)
            job = await self._create(cronjob, moment)
        except ApiError as error:
            return None if namespace_terminating(error) else error
        if not end_of(job):
            active.append(reference(job))
        status["lastScheduleTime"] = timestamp(moment)
        return None

    async def _create(self, cronjob: CronJob, moment: datetime) -> Job:
        tree = job_for(cronjob, moment)
        try:
            job = view(Job, await self.client.create(Job, tree))
        except AlreadyExists:
            job = await self.client.get(Job, tree["metadata"]["namespace"], tree["metadata"]["name"])
            if controlled_by(job.metadata, cronjob.metadata.uid):
                return job  # made before, and not told in the status
            raise
        except ApiError as error:
            if not namespace_terminating(error):
                self.recorder.event(cronjob, "Warning", "FailedCreate", f"Error creating job: {error}")
            raise
        self.recorder.event(cronjob, "Normal", "SuccessfulCreate", f"Created job {job.metadata.name}")
        return job

    async def _replace(self, cronjob: CronJob, one: Tree) -> None:
        try:
            job = await self.client.get(Job, one["namespace"], one["name"])
        except NotFound:
            return
        await self._delete(cronjob, job)

    async def _delete(self, cronjob: CronJob, job: Job) -> None:
        try:
            await self.client.delete(Job, key_of(job), uid=job.metadata.uid, propagation="Background")
        except (NotFound, Conflict):
            return  # it is gone already
        except ApiError as error:
            self.recorder.event(cronjob, "Warning", "FailedDelete", f"Deleted job: {error}")
            raise
        self.recorder.event(cronjob, "Normal", "SuccessfulDelete", f"Deleted job {job.metadata.name}")
