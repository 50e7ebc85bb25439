"""Job: pods that run until enough of them succeed (batch/v1).

Unless told otherwise a Job selects its pods by its own uid, which its template's labels carry.
https://kubernetes.io/docs/concepts/workloads/controllers/job/
"""

from collections.abc import Iterator
from datetime import datetime

from kube.api import duration
from kube.api.batch.job_spec import job_spec_errors, set_job_spec_defaults
from kube.api.columns import AGE, plain, template_columns
from kube.api.meta import Tree
from kube.api.resource import Column, Resource
from kube.api.status import FieldError
from kube.api.types import Job

UID_LABEL = "batch.kubernetes.io/controller-uid"
NAME_LABEL = "batch.kubernetes.io/job-name"
LEGACY_UID_LABEL, LEGACY_NAME_LABEL = "controller-uid", "job-name"
STATUS_CONDITIONS = ("Complete", "Failed")


def set_defaults(tree: Tree) -> None:
    spec = tree.setdefault("spec", {})
    set_job_spec_defaults(spec)
    labels = (spec["template"].get("metadata") or {}).get("labels")
    if labels and not tree.setdefault("metadata", {}).get("labels"):
        tree["metadata"]["labels"] = dict(labels)


def prepare(new: Tree, old: Tree | None) -> None:
    if old is not None:
        return
    new["status"] = {}
    spec, metadata = new["spec"], new["metadata"]
    if not spec.get("manualSelector"):
        _select_by_uid(spec, metadata.get("uid", ""), metadata.get("name", ""))


def _select_by_uid(spec: Tree, uid: str, name: str) -> None:
    labels = spec["template"].setdefault("metadata", {}).setdefault("labels", {})
    labels |= {UID_LABEL: uid, NAME_LABEL: name, LEGACY_UID_LABEL: uid, LEGACY_NAME_LABEL: name}
    spec.setdefault("selector", {}).setdefault("matchLabels", {})[UID_LABEL] = uid


def validate(new: Job, old: Job | None) -> Iterator[FieldError]:
    yield from job_spec_errors(new.spec, old.spec if old is not None else None, bool(old and old.status.startTime))


def status(job: Job) -> str:
    true = {one.type for one in job.status.conditions or () if one.status == "True"}
    for word in STATUS_CONDITIONS:
        if word in true:
            return word
    if job.metadata.deletionTimestamp is not None:
        return "Terminating"
    return next((word for word in ("Suspended", "FailureTarget", "SuccessCriteriaMet") if word in true), "Running")


def completions(job: Job) -> str:
    """`1/3`; `0/1 of 4` where the first of several to succeed is enough."""
    succeeded = job.status.succeeded or 0
    if job.spec.completions is not None:
        return f"{succeeded}/{job.spec.completions}"
    parallelism = job.spec.parallelism or 0
    return f"{succeeded}/1 of {parallelism}" if parallelism > 1 else f"{succeeded}/1"


def took(job: Job, now: datetime) -> str:
    start, end = job.status.startTime, job.status.completionTime
    return "" if start is None else duration.human(((end or now) - start).total_seconds())


RESOURCE = Resource(
    view=Job,
    group="batch",
    version="v1",
    kind="Job",
    plural="jobs",
    categories=("all",),
    subresources=("status",),
    set_defaults=set_defaults,
    prepare=prepare,
    validate=validate,
    columns=(
        plain("Status", status),
        plain("Completions", completions),
        Column("Duration", took),
        AGE,
        *template_columns(),
    ),
    field_selectors={"status.successful": lambda tree: str((tree.get("status") or {}).get("succeeded", 0))},
)
