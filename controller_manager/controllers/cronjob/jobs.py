"""Jobs of a CronJob: the one for a time, which ones are active, which ended ones are too many. Pure.

A Job's name has the minute that it is for, so that no time can start two.
https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#jobs-history-limits
kubernetes pkg/controller/cronjob/{utils,cronjob_controllerv2}.go
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from controller_manager.conditions import holds, trees
from kube.api.meta import Tree, owner_reference
from kube.api.types import CronJob, Job
from kube.api.views import tree_of

SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp"


def job_name(cronjob: CronJob, moment: datetime) -> str:
    return f"{cronjob.metadata.name}-{int(moment.timestamp()) // 60}"


def job_for(cronjob: CronJob, moment: datetime) -> Tree:
    """The Job of a time, which its annotation tells in the CronJob's zone."""
    template: Tree = tree_of(cronjob.spec.jobTemplate)
    wanted = template.get("metadata") or {}
    told = moment.isoformat(timespec="seconds").replace("+00:00", "Z")
    return {
        "metadata": {
            "name": job_name(cronjob, moment),
            "namespace": cronjob.metadata.namespace,
            "labels": dict(wanted.get("labels") or {}),
            "annotations": {**(wanted.get("annotations") or {}), SCHEDULED: told},
            "ownerReferences": [owner_reference(cronjob)],
        },
        "spec": template.get("spec") or {},
    }


def reference(job: Job) -> Tree:
    """As status.active has it."""
    metadata = job.metadata
    tree = {"kind": "Job", "namespace": metadata.namespace, "name": metadata.name, "uid": metadata.uid, "apiVersion": "batch/v1"}
    return {**tree, "resourceVersion": metadata.resourceVersion}


def end_of(job: Job) -> str:
    """Complete or Failed, for one that has ended."""
    found = trees(job.status.conditions)
    return next((type for type in ("Complete", "Failed") if holds(found, type)), "")


def superfluous(cronjob: CronJob, jobs: Iterable[Job]) -> Iterator[Job]:
    """The oldest of the ended ones, beyond what the history may keep of each sort."""
    ended = [(end_of(job), job) for job in jobs]
    spec = cronjob.spec
    for end, limit in (("Complete", spec.successfulJobsHistoryLimit), ("Failed", spec.failedJobsHistoryLimit)):
        if limit is not None:
            same = sorted((job for how, job in ended if how == end), key=_age)
            yield from same[: max(len(same) - limit, 0)]


def last_success(cronjob: CronJob, jobs: Sequence[Job]) -> Any:
    """When the last successful one ended."""
    times = [job.status.completionTime for job in jobs if end_of(job) == "Complete" and job.status.completionTime is not None]
    return max((*times, *filter(None, [cronjob.status.lastSuccessfulTime])), default=None)


def _age(job: Job) -> tuple[datetime, str]:
    started: datetime = job.status.startTime or job.metadata.creationTimestamp or datetime.max.replace(tzinfo=UTC)
    return started, job.metadata.name or ""
