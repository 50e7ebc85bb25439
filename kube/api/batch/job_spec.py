"""The Job spec's defaults and rules: for Jobs and for the template of a CronJob.

kubernetes pkg/apis/batch/v1/defaults.go, pkg/apis/batch/validation
"""

from collections.abc import Iterator

from kube.api import names, validation
from kube.api.batch.pod_outcomes import failure_policy_errors, success_policy_errors
from kube.api.core.pod_spec import set_template_defaults
from kube.api.core.pod_validation import template_errors
from kube.api.defaults import fill
from kube.api.meta import Tree
from kube.api.status import FieldError, invalid, required, unsupported
from kube.api.types import JobSpec
from kube.api.views import tree_of

BACKOFF_LIMIT = 6
NO_LIMIT = 2**31 - 1  # where each index has a limit of its own
MODES = ("NonIndexed", "Indexed")
RESTART_POLICIES = ("OnFailure", "Never")
REPLACEMENTS = ("Failed", "TerminatingOrFailed")
MANY_COMPLETIONS, MOST_PARALLEL, MOST_FAILED, MOST_FAILED_OF_MANY = 100_000, 100_000, 100_000, 10_000
ONLY_INDEXED = "requires indexed completion mode"


def set_job_spec_defaults(spec: Tree) -> None:
    if spec.get("completions") is None and spec.get("parallelism") is None:
        spec["completions"] = 1
    spec.setdefault("parallelism", 1)
    spec.setdefault("backoffLimit", BACKOFF_LIMIT if spec.get("backoffLimitPerIndex") is None else NO_LIMIT)
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    spec.setdefault("manualSelector", False)
    spec.setdefault("podReplacementPolicy", "Failed" if spec.get("podFailurePolicy") else "TerminatingOrFailed")
    set_failure_policy_defaults(spec)
    set_template_defaults(spec.setdefault("template", {}))


def set_failure_policy_defaults(spec: Tree) -> None:
    for rule in (spec.get("podFailurePolicy") or {}).get("rules") or ():
        for pattern in rule.get("onPodConditions") or ():
            fill(pattern, status="True")


def job_spec_errors(spec: JobSpec, path: str = "spec") -> Iterator[FieldError]:
    """What Jobs and the templates of CronJobs share; of selectors nothing."""
    for field in ("parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished"):
        yield from validation.not_negative(f"{path}.{field}", getattr(spec, field))
    yield from validation.not_negative(f"{path}.backoffLimitPerIndex", spec.backoffLimitPerIndex)
    if spec.maxFailedIndexes is not None:
        yield from validation.not_negative(f"{path}.maxFailedIndexes", spec.maxFailedIndexes)
        if spec.backoffLimitPerIndex is None:
            yield required(f"{path}.backoffLimitPerIndex", "when maxFailedIndexes is specified")
    if spec.managedBy is not None:
        yield from validation.complain(f"{path}.managedBy", spec.managedBy, names.domain_prefixed_path)
    yield from _indexes(spec, path)
    if spec.podFailurePolicy is not None:
        yield from failure_policy_errors(spec, f"{path}.podFailurePolicy")
    if spec.successPolicy is not None:
        if spec.completionMode != "Indexed":
            shown = {"Rules": [_rule_shown(rule) for rule in spec.successPolicy.rules or ()]}
            yield invalid(f"{path}.successPolicy", shown, ONLY_INDEXED)
        else:
            yield from success_policy_errors(spec, f"{path}.successPolicy")
    replacement = spec.podReplacementPolicy
    supported = REPLACEMENTS[:1] if spec.podFailurePolicy is not None else REPLACEMENTS
    if replacement is not None and replacement not in supported:
        yield unsupported(f"{path}.podReplacementPolicy", replacement, supported)
    yield from template_errors(spec.template, f"{path}.template")
    yield from _restarts(spec, f"{path}.template.spec.restartPolicy")


def _rule_shown(rule: object) -> Tree:
    tree = tree_of(rule)
    return {"SucceededIndexes": tree.get("succeededIndexes"), "SucceededCount": tree.get("succeededCount")}


def _restarts(spec: JobSpec, path: str) -> Iterator[FieldError]:
    policy = spec.template.spec.restartPolicy
    if policy in (None, "", "Always"):
        yield required(path, 'valid values: "OnFailure", "Never"')
    elif policy not in RESTART_POLICIES:
        yield unsupported(path, policy, RESTART_POLICIES)
    elif spec.podFailurePolicy is not None and policy != "Never":
        yield invalid(path, policy, 'only "Never" is supported when podFailurePolicy is specified')


def _indexes(spec: JobSpec, path: str) -> Iterator[FieldError]:
    if spec.completionMode not in (None, *MODES):
        yield unsupported(f"{path}.completionMode", spec.completionMode, MODES)
    if spec.completionMode != "Indexed":
        for field in ("backoffLimitPerIndex", "maxFailedIndexes"):
            if getattr(spec, field) is not None:
                yield invalid(f"{path}.{field}", getattr(spec, field), ONLY_INDEXED)
        return
    if spec.completions is None:
        yield required(f"{path}.completions", "when completion mode is Indexed")
    if (spec.parallelism or 0) > MOST_PARALLEL:
        text = f"must be less than or equal to {MOST_PARALLEL} when completion mode is Indexed"
        yield invalid(f"{path}.parallelism", spec.parallelism, text)
    completions, failed = spec.completions or 0, spec.maxFailedIndexes
    if failed is not None and failed > completions and spec.completions is not None:
        yield invalid(f"{path}.maxFailedIndexes", failed, "must be less than or equal to completions")
    if failed is not None and failed > MOST_FAILED:
        yield invalid(f"{path}.maxFailedIndexes", failed, f"must be less than or equal to {MOST_FAILED}")
    if completions > MANY_COMPLETIONS and spec.backoffLimitPerIndex is not None:
        many = f"when completions is greater than {MANY_COMPLETIONS}"
        if failed is None:
            yield required(f"{path}.maxFailedIndexes", f"must be specified when completions is above {MANY_COMPLETIONS}")
        elif failed > MOST_FAILED_OF_MANY:
            text = f"must be less than or equal to {MOST_FAILED_OF_MANY} {many}"
            yield invalid(f"{path}.maxFailedIndexes", failed, text)


def changed_job_errors(spec: JobSpec, old: JobSpec, started: bool, path: str = "spec") -> Iterator[FieldError]:
    """Completions may change with an Indexed Job's parallelism, where the pods of a suspended Job may run, too."""
    elastic = old.completionMode == "Indexed" and spec.completions == spec.parallelism
    if spec.completions != old.completions and not elastic:
        yield from validation.unchanged(f"{path}.completions", spec.completions, old.completions)
    yield from validation.unchanged(f"{path}.selector", spec.selector, old.selector)
    mutable = bool(old.suspend) and not started
    if _template(spec, mutable) != _template(old, mutable):
        yield from validation.unchanged(f"{path}.template", spec.template, old.template)
    for field in ("completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"):
        yield from validation.unchanged(f"{path}.{field}", getattr(spec, field), getattr(old, field))


def _template(spec: JobSpec, mutable: bool) -> Tree:
    """The template without what a Job that has not begun may change: where its pods may run."""
    tree: Tree = tree_of(spec.template)
    if mutable:
        tree.pop("metadata", None)
        for field in ("nodeSelector", "affinity", "tolerations", "schedulingGates"):
            tree["spec"].pop(field, None)
        for container in [*tree["spec"].get("containers", ()), *tree["spec"].get("initContainers", ())]:
            container.pop("resources", None)
    return tree
