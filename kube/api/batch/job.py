"""Job: pods that run until enough of them succeed (batch/v1).

Unless told otherwise a Job selects its pods by its own uid, which its template's labels carry.
https://kubernetes.io/docs/concepts/workloads/controllers/job/
"""

from collections.abc import Iterator
from datetime import datetime

from kube.api import duration, labels, names, validation
from kube.api.batch.job_spec import changed_job_errors, job_spec_errors, set_job_spec_defaults
from kube.api.columns import AGE, plain, template_columns
from kube.api.core.pod_warnings import workload_warnings
from kube.api.meta import Tree
from kube.api.resource import Column, Resource
from kube.api.status import OMIT, FieldError, invalid, required
from kube.api.types import Job
from kube.api.views import tree_of

UID_LABEL = "batch.kubernetes.io/controller-uid"
NAME_LABEL = "batch.kubernetes.io/job-name"
LEGACY_UID_LABEL, LEGACY_NAME_LABEL = "controller-uid", "job-name"
STATUS_CONDITIONS = ("Complete", "Failed")
PODS_STAY = (
    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or "
    "set propagationPolicy=Orphan to suppress this warning"
)
MANY_COMPLETIONS, MANY_PODS = 10**5, 10**4  # beyond which a status may have no room for the failed indexes


def set_defaults(tree: Tree) -> None:
    spec = tree.setdefault("spec", {})
    set_job_spec_defaults(spec)
    found = (spec["template"].get("metadata") or {}).get("labels")
    if found and not tree.setdefault("metadata", {}).get("labels"):
        tree["metadata"]["labels"] = dict(found)


def prepare(new: Tree, old: Tree | None) -> None:
    if old is not None:
        return
    new["status"] = {}
    spec, metadata = new["spec"], new["metadata"]
    if not spec.get("manualSelector"):
        _select_by_uid(spec, metadata.get("uid", ""), metadata.get("name", ""))


def _select_by_uid(spec: Tree, uid: str, name: str) -> None:
    found = spec["template"].setdefault("metadata", {}).setdefault("labels", {})
    found |= {UID_LABEL: uid, NAME_LABEL: name, LEGACY_UID_LABEL: uid, LEGACY_NAME_LABEL: name}
    spec.setdefault("selector", {}).setdefault("matchLabels", {})[UID_LABEL] = uid


def validate(new: Job, old: Job | None) -> Iterator[FieldError]:
    spec, name = new.spec, new.metadata.name or ""
    if old is None:
        yield from _generated_errors(new)
    yield from job_spec_errors(spec)
    if spec.selector is None:
        yield required("spec.selector")
    else:
        yield from validation.selector_errors(spec.selector, "spec.selector")
    yield from validation.matching_errors(spec.selector, spec.template)
    if old is not None:
        yield from changed_job_errors(spec, old.spec, old.status.startTime is not None)
    elif spec.completionMode == "Indexed" and spec.completions:
        host = f"{name}-{spec.completions - 1}"
        if names.label(host):
            yield invalid("metadata.name", name, f"will not able to create pod with invalid DNS label: {host}")


def _generated_errors(job: Job) -> Iterator[FieldError]:
    """A selector that was not asked for by hand selects by what the server generated, and by nothing else."""
    if job.spec.manualSelector or job.spec.selector is None:
        return
    uid, name = job.metadata.uid or "", job.metadata.name or ""
    generated = {UID_LABEL: uid, NAME_LABEL: name, LEGACY_UID_LABEL: uid, LEGACY_NAME_LABEL: name}
    if not labels.from_label_selector(job.spec.selector).matches(generated):
        yield invalid("spec.selector", tree_of(job.spec.selector), "`selector` not auto-generated")


def validate_status(new: Job, old: Job) -> Iterator[FieldError]:
    yield from validation.count_errors(new.status, "status", ("active", "succeeded", "failed", "ready", "terminating"))
    if new.status.ready is not None and new.status.ready > (new.status.active or 0):
        yield invalid(
            "status",
            OMIT,
            f"cannot set more ready pods than active pods: active={new.status.active or 0}, ready={new.status.ready}",
        )
    was = {one.type for one in old.status.conditions or () if one.status == "True"}
    now = {one.type for one in new.status.conditions or () if one.status == "True"}
    for word in ("Failed", "Complete"):
        if word in was - now:
            yield invalid("status.conditions", OMIT, f"cannot disable the terminal Job condition {word}=True")
    if {"Failed", "Complete"} <= now:
        yield invalid("status.conditions", OMIT, "cannot set Complete=True and Failed=True conditions")


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


def warnings(new: Job, old: Job | None) -> Iterator[str]:
    yield from workload_warnings(new, old)
    spec = new.spec
    if spec.completionMode == "Indexed" and (spec.completions or 0) > MANY_COMPLETIONS and (spec.parallelism or 0) > MANY_PODS:
        yield (
            "In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might "
            "not be able to track completedIndexes when a big number of indexes fail"
        )


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
    warnings=warnings,
    validate_status=validate_status,
    columns=(
        plain("Status", status),
        plain("Completions", completions),
        Column("Duration", took),
        AGE,
        *template_columns(),
    ),
    deletes_dependents="Orphan",
    warning_without_policy=PODS_STAY,
    field_selectors={"status.successful": lambda tree: str((tree.get("status") or {}).get("succeeded", 0))},
)
