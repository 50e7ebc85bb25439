"""CronJob: Jobs made by the clock (batch/v1).

https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/
"""

from collections.abc import Iterator
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kube.api import cron, validation
from kube.api.batch.job_spec import job_spec_errors, set_failure_policy_defaults
from kube.api.columns import AGE, NONE, UNSET, age, container_images, container_names, plain, selector_text
from kube.api.core.pod_spec import set_template_defaults
from kube.api.core.pod_warnings import name_warnings, pod_warnings
from kube.api.defaults import fill
from kube.api.meta import Tree
from kube.api.resource import Column, Resource
from kube.api.status import FieldError, invalid, required, unsupported
from kube.api.types import CronJob
from kube.api.views import tree_of

LONGEST_NAME = 52  # eleven characters are added for each Job
POLICIES = ("Allow", "Forbid", "Replace")


def set_defaults(tree: Tree) -> None:
    spec = tree.setdefault("spec", {})
    fill(spec, concurrencyPolicy="Allow")
    spec.setdefault("suspend", False)
    spec.setdefault("successfulJobsHistoryLimit", 3)
    spec.setdefault("failedJobsHistoryLimit", 1)
    job = spec.setdefault("jobTemplate", {})
    job.setdefault("metadata", {})
    set_failure_policy_defaults(job.setdefault("spec", {}))
    set_template_defaults(job["spec"].setdefault("template", {}))


def prepare(new: Tree, old: Tree | None) -> None:
    if old is None:
        new["status"] = {}


def validate(new: CronJob, old: CronJob | None) -> Iterator[FieldError]:
    spec = new.spec
    name = new.metadata.name or ""
    if len(name) > LONGEST_NAME and (old is None or name != old.metadata.name):
        yield invalid("metadata.name", name, f"must be no more than {LONGEST_NAME} characters")
    yield from _schedule(spec.schedule or "", spec.timeZone, old)
    yield from _zone(spec.timeZone)
    yield from validation.not_negative("spec.startingDeadlineSeconds", spec.startingDeadlineSeconds)
    yield from validation.one_of("spec.concurrencyPolicy", spec.concurrencyPolicy, POLICIES)
    yield from job_spec_errors(spec.jobTemplate.spec, path="spec.jobTemplate.spec")
    selector = spec.jobTemplate.spec.selector
    if selector is not None:
        yield invalid("spec.jobTemplate.spec.selector", tree_of(selector), "`selector` will be auto-generated")
    if spec.jobTemplate.spec.manualSelector:
        yield unsupported("spec.jobTemplate.spec.manualSelector", True, ("nil", "false"))
    yield from validation.not_negative("spec.successfulJobsHistoryLimit", spec.successfulJobsHistoryLimit)
    yield from validation.not_negative("spec.failedJobsHistoryLimit", spec.failedJobsHistoryLimit)


def _zone(name: str | None) -> Iterator[FieldError]:
    path = "spec.timeZone"
    if name is None:
        return
    if not name:
        yield invalid(path, name, "timeZone must be nil or non-empty string")
    elif name.lower() == "local":
        text = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
        yield invalid(path, name, text)
    else:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            yield invalid(path, name, f"unknown time zone {name}")


def _schedule(text: str, zone: str | None, old: CronJob | None) -> Iterator[FieldError]:
    """A zone in the schedule itself is left to those that had one already."""
    path = "spec.schedule"
    if not text:
        yield required(path)
        return
    if "TZ" in text:
        if zone is not None:
            yield invalid(path, text, "cannot use both timeZone field and TZ or CRON_TZ in schedule")
        elif old is None or "TZ" not in (old.spec.schedule or ""):
            yield invalid(path, text, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead")
        return
    try:
        cron.parse(text)
    except ValueError as error:
        yield invalid(path, text, str(error))


def suspended(cronjob: CronJob) -> str:
    return UNSET if cronjob.spec.suspend is None else str(cronjob.spec.suspend)


def warnings(new: CronJob, old: CronJob | None) -> Iterator[str]:
    if old is None:
        yield from name_warnings(new.metadata.name or "")
    template = new.spec.jobTemplate.spec.template
    if old is None or template != old.spec.jobTemplate.spec.template:
        yield from pod_warnings(template.spec, template.metadata, "spec.jobTemplate.spec.template.")
    if "TZ" in (new.spec.schedule or ""):
        more = "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/"
        yield f"CRON_TZ or TZ used in spec.schedule is not officially supported, see {more} for more details"


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
    warnings=warnings,
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
