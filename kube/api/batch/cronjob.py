"""CronJob: Jobs made by the clock (batch/v1).

https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/
"""

from collections.abc import Iterable, Iterator
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kube.api import cron, names, validation
from kube.api.batch.job_spec import job_spec_errors
from kube.api.columns import AGE, NONE, UNSET, age, container_images, container_names, plain, selector_text
from kube.api.core.pod_spec import set_template_defaults
from kube.api.meta import Tree
from kube.api.resource import Column, Resource
from kube.api.status import FieldError, invalid, required
from kube.api.types import CronJob

LONGEST_NAME = 52  # eleven characters are added for each Job
POLICIES = ("Allow", "Forbid", "Replace")


def set_defaults(tree: Tree) -> None:
    spec = tree.setdefault("spec", {})
    spec.setdefault("concurrencyPolicy", "Allow")
    spec.setdefault("suspend", False)
    spec.setdefault("successfulJobsHistoryLimit", 3)
    spec.setdefault("failedJobsHistoryLimit", 1)
    job = spec.setdefault("jobTemplate", {})
    job.setdefault("metadata", {})
    set_template_defaults(job.setdefault("spec", {}).setdefault("template", {}))


def prepare(new: Tree, old: Tree | None) -> None:
    if old is None:
        new["status"] = {}


def validate_name(name: str) -> Iterable[str]:
    yield from names.subdomain(name)
    if len(name) > LONGEST_NAME:
        yield f"must be no more than {LONGEST_NAME} characters"


def validate(new: CronJob, old: CronJob | None) -> Iterator[FieldError]:
    spec = new.spec
    yield from _schedule(spec.schedule or "", spec.timeZone)
    if spec.timeZone is not None and not _is_zone(spec.timeZone):
        yield invalid("spec.timeZone", spec.timeZone, f"unknown time zone {spec.timeZone}")
    yield from validation.not_negative("spec.startingDeadlineSeconds", spec.startingDeadlineSeconds)
    yield from validation.one_of("spec.concurrencyPolicy", spec.concurrencyPolicy, POLICIES)
    yield from validation.not_negative("spec.successfulJobsHistoryLimit", spec.successfulJobsHistoryLimit)
    yield from validation.not_negative("spec.failedJobsHistoryLimit", spec.failedJobsHistoryLimit)
    yield from validation.template_metadata_errors(spec.jobTemplate, "spec.jobTemplate")
    yield from job_spec_errors(spec.jobTemplate.spec, path="spec.jobTemplate.spec", selected=False)


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return name.lower() != "local"


def _schedule(text: str, zone: str | None) -> Iterator[FieldError]:
    if not text:
        yield required("spec.schedule")
        return
    if "TZ" in text:
        if zone is not None:
            yield invalid("spec.schedule", text, "cannot use both timeZone field and TZ or CRON_TZ in schedule")
        else:
            text_ = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
            yield invalid("spec.schedule", text, text_)
        return
    try:
        cron.parse(text)
    except ValueError as error:
        yield invalid("spec.schedule", text, str(error))


def suspended(cronjob: CronJob) -> str:
    return UNSET if cronjob.spec.suspend is None else str(cronjob.spec.suspend)


RESOURCE = Resource(
    view=CronJob,
    group="batch",
    version="v1",
    kind="CronJob",
    plural="cronjobs",
    short_names=("cj",),
    categories=("all",),
    subresources=("status",),
    set_defaults=set_defaults,
    prepare=prepare,
    validate=validate,
    validate_name=validate_name,
    columns=(
        plain("Schedule", lambda one: one.spec.schedule),
        plain("Timezone", lambda one: one.spec.timeZone or NONE),
        plain("Suspend", suspended),
        plain("Active", lambda one: len(one.status.active or ()), type="integer"),
        Column("Last Schedule", lambda one, now: age(one.status.lastScheduleTime, now) if one.status.lastScheduleTime else NONE),
        AGE,
        plain("Containers", lambda one: container_names(one.spec.jobTemplate.spec.template.spec.containers), wide=True),
        plain("Images", lambda one: container_images(one.spec.jobTemplate.spec.template.spec.containers), wide=True),
        plain("Selector", lambda one: selector_text(one.spec.jobTemplate.spec.selector), wide=True),
    ),
)
