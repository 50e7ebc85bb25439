"""The Job spec's defaults and rules: for Jobs and for the template of a CronJob.

kubernetes pkg/apis/batch/v1/defaults.go, pkg/apis/batch/validation
"""

from collections.abc import Iterator

from kube.api import labels, validation
from kube.api.core.pod_spec import set_template_defaults
from kube.api.core.pod_validation import pod_spec_errors
from kube.api.meta import Tree
from kube.api.status import FieldError, duplicate, invalid, required, unsupported
from kube.api.types import JobSpec, PodFailurePolicy
from kube.api.views import tree_of

BACKOFF_LIMIT = 6
NO_LIMIT = 2**31 - 1  # where each index has a limit of its own
MODES = ("Indexed", "NonIndexed")
RESTART_POLICIES = ("OnFailure", "Never")
ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")
MAX_RULES = 20


def set_job_spec_defaults(spec: Tree) -> None:
    if spec.get("completions") is None and spec.get("parallelism") is None:
        spec["completions"] = 1
    spec.setdefault("parallelism", 1)
    spec.setdefault("backoffLimit", BACKOFF_LIMIT if spec.get("backoffLimitPerIndex") is None else NO_LIMIT)
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    spec.setdefault("manualSelector", False)
    spec.setdefault("podReplacementPolicy", "Failed" if spec.get("podFailurePolicy") else "TerminatingOrFailed")
    for rule in (spec.get("podFailurePolicy") or {}).get("rules") or ():
        for pattern in rule.get("onPodConditions") or ():
            pattern.setdefault("status", "True")
    set_template_defaults(spec.setdefault("template", {}))


def job_spec_errors(
    spec: JobSpec, old: JobSpec | None = None, started: bool = False, path: str = "spec", *, selected: bool = True
) -> Iterator[FieldError]:
    """`selected`: whether the selector has been made by now; in a CronJob's template it has not."""
    for field in ("parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished"):
        yield from validation.not_negative(f"{path}.{field}", getattr(spec, field))
    yield from _indexes(spec, path)
    if spec.completionMode is not None and spec.completionMode not in MODES:
        yield unsupported(f"{path}.completionMode", spec.completionMode, MODES)
    pods = spec.template.spec
    yield from validation.template_metadata_errors(spec.template, f"{path}.template")
    yield from pod_spec_errors(pods, f"{path}.template.spec")
    if pods.restartPolicy == "Always":
        text = 'Required value: valid values: "OnFailure", "Never"'
        yield FieldError(f"{path}.template.spec.restartPolicy", "FieldValueRequired", text)
    elif pods.restartPolicy not in RESTART_POLICIES:
        yield unsupported(f"{path}.template.spec.restartPolicy", pods.restartPolicy, RESTART_POLICIES)
    if spec.podFailurePolicy is not None:
        yield from _failure_policy(spec, spec.podFailurePolicy, f"{path}.podFailurePolicy")
    if not selected:
        return
    yield from validation.selector_errors(spec.selector, f"{path}.selector")
    found = (spec.template.metadata.labels if spec.template.metadata else None) or {}
    if spec.selector is None:
        yield required(f"{path}.selector")
    elif not labels.from_label_selector(spec.selector).matches(found):
        yield invalid(f"{path}.template.metadata.labels", found, "`selector` does not match template `labels`")
    if old is not None:
        yield from _kept(spec, old, started, path)


def _indexes(spec: JobSpec, path: str) -> Iterator[FieldError]:
    indexed = spec.completionMode == "Indexed"
    if indexed and spec.completions is None:
        yield required(f"{path}.completions", "when completion mode is Indexed")
    for field in ("backoffLimitPerIndex", "maxFailedIndexes"):
        value = getattr(spec, field)
        yield from validation.not_negative(f"{path}.{field}", value)
        if value is not None and not indexed:
            yield invalid(f"{path}.{field}", value, "requires indexed completion mode")
    if spec.successPolicy is not None and not indexed:
        yield invalid(f"{path}.successPolicy", tree_of(spec.successPolicy), "requires indexed completion mode")


def _failure_policy(spec: JobSpec, policy: PodFailurePolicy, path: str) -> Iterator[FieldError]:
    if spec.template.spec.restartPolicy != "Never":
        text = 'only "Never" is supported when podFailurePolicy is specified'
        yield invalid("spec.template.spec.restartPolicy", spec.template.spec.restartPolicy, text)
    containers = {one.name for one in [*spec.template.spec.containers, *(spec.template.spec.initContainers or ())]}
    if len(policy.rules or ()) > MAX_RULES:
        text = f"Too many: {len(policy.rules)}: must have at most {MAX_RULES} items"
        yield FieldError(f"{path}.rules", "FieldValueTooMany", text)
    for index, rule in enumerate(policy.rules or ()):
        at = f"{path}.rules[{index}]"
        yield from validation.one_of(f"{at}.action", rule.action, ACTIONS)
        codes = rule.onExitCodes
        if codes is None and not rule.onPodConditions:
            yield invalid(at, "", "specifying one of OnExitCodes and OnPodConditions is required")
        if codes is None:
            continue
        yield from validation.one_of(f"{at}.onExitCodes.operator", codes.operator, ("In", "NotIn"))
        if codes.containerName and codes.containerName not in containers:
            text = "must be one of the container or initContainer names in the pod template"
            yield invalid(f"{at}.onExitCodes.containerName", codes.containerName, text)
        if not codes.values:
            yield invalid(f"{at}.onExitCodes.values", [], "at least one value is required")
        for place, code in enumerate(codes.values or ()):
            if code in codes.values[:place]:
                yield duplicate(f"{at}.onExitCodes.values[{place}]", code)
            if code == 0 and codes.operator == "In":
                yield invalid(f"{at}.onExitCodes.values[{place}]", 0, "must not be 0 for the In operator")


def _kept(spec: JobSpec, old: JobSpec, started: bool, path: str) -> Iterator[FieldError]:
    """Completions may change with an Indexed Job's parallelism, where the node's choice of a suspended Job may too."""
    elastic = old.completionMode == "Indexed" and spec.completions == spec.parallelism
    if spec.completions != old.completions and not elastic:
        yield from validation.unchanged(f"{path}.completions", spec.completions, old.completions)
    for field in ("selector", "completionMode", "podFailurePolicy", "backoffLimitPerIndex", "successPolicy", "managedBy"):
        yield from validation.unchanged(f"{path}.{field}", getattr(spec, field), getattr(old, field))
    mutable = bool(old.suspend) and not started
    if _template(spec, mutable) != _template(old, mutable):
        yield from validation.unchanged(f"{path}.template", spec.template, old.template)


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
