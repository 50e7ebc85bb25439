"""What a Job makes of how its pods end: the failure policy and the success policy.

kubernetes pkg/apis/batch/validation (validatePodFailurePolicy, validateSuccessPolicy) · KEP-3329, KEP-3998
"""

from collections.abc import Iterable, Iterator
from typing import Any

from kube.api import names
from kube.api.status import OMIT, FieldError, duplicate, invalid, required, too_long, too_many, unsupported
from kube.api.types import JobSpec, PodFailurePolicyOnExitCodesRequirement, PodFailurePolicyRule
from kube.api.validation import complain, not_negative

ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")
OPERATORS = ("In", "NotIn")
STATUSES = ("False", "True", "Unknown")
MAX_RULES, MAX_PATTERNS, MAX_CODES = 20, 20, 255
LONGEST_INDEXES = 64 * 1024


def failure_policy_errors(spec: JobSpec, path: str) -> Iterator[FieldError]:
    """`path`: of the policy."""
    rules = spec.podFailurePolicy.rules or ()
    if len(rules) > MAX_RULES:
        yield too_many(f"{path}.rules", len(rules), MAX_RULES)
    pods = spec.template.spec
    containers = {one.name for one in [*(pods.containers or ()), *(pods.initContainers or ())]}
    for index, rule in enumerate(rules):
        yield from _failure_rule(rule, spec, containers, f"{path}.rules[{index}]")


def _failure_rule(rule: PodFailurePolicyRule, spec: JobSpec, containers: set[str], at: str) -> Iterator[FieldError]:
    yield from _choice(rule.action, ACTIONS, f"{at}.action")
    if rule.action == "FailIndex" and spec.backoffLimitPerIndex is None:
        yield invalid(f"{at}.action", rule.action, "requires the backoffLimitPerIndex to be set")
    codes, patterns = rule.onExitCodes, rule.onPodConditions or ()
    if codes is not None:
        yield from _exit_codes(codes, containers, f"{at}.onExitCodes")
    if len(patterns) > MAX_PATTERNS:
        yield too_many(f"{at}.onPodConditions", len(patterns), MAX_PATTERNS)
    for place, pattern in enumerate(patterns):
        path = f"{at}.onPodConditions[{place}]"
        yield from complain(f"{path}.type", pattern.type or "", names.qualified)
        yield from _choice(pattern.status, STATUSES, f"{path}.status")
    if codes is not None and patterns:
        yield invalid(at, OMIT, "specifying both OnExitCodes and OnPodConditions is not supported")
    if codes is None and not patterns:
        yield invalid(at, OMIT, "specifying one of OnExitCodes and OnPodConditions is required")


def _choice(value: str | None, supported: tuple[str, ...], path: str) -> Iterator[FieldError]:
    if not value:
        listed = " ".join(f'"{one}"' for one in supported)
        yield required(path, f"valid values: [{listed}]")
    elif value not in supported:
        yield unsupported(path, value, supported)


def _exit_codes(codes: PodFailurePolicyOnExitCodesRequirement, containers: set[str], at: str) -> Iterator[FieldError]:
    yield from _choice(codes.operator, OPERATORS, f"{at}.operator")
    if codes.containerName is not None and codes.containerName not in containers:
        text = "must be one of the container or initContainer names in the pod template"
        yield invalid(f"{at}.containerName", codes.containerName, text)
    values = list(codes.values or ())
    if not values:
        yield invalid(f"{at}.values", [], "at least one value is required")
    elif len(values) > MAX_CODES:
        yield too_many(f"{at}.values", len(values), MAX_CODES)
    for place, code in enumerate(values):
        if code == 0 and codes.operator == "In":
            yield invalid(f"{at}.values[{place}]", 0, "must not be 0 for the In operator")
        if code in values[:place]:
            yield duplicate(f"{at}.values[{place}]", code)
    if values != sorted(values):
        yield invalid(f"{at}.values", values, "must be ordered")


def success_policy_errors(spec: JobSpec, path: str) -> Iterator[FieldError]:
    """`path`: of the policy of an Indexed Job."""
    rules = spec.successPolicy.rules or ()
    if not rules:
        yield required(f"{path}.rules", "at least one rules must be specified when the successPolicy is specified")
    if len(rules) > MAX_RULES:
        yield too_many(f"{path}.rules", len(rules), MAX_RULES)
    for index, rule in enumerate(rules):
        yield from _success_rule(rule, spec.completions or 0, f"{path}.rules[{index}]")


def _success_rule(rule: Any, completions: int, at: str) -> Iterator[FieldError]:
    indexes, count = rule.succeededIndexes, rule.succeededCount
    if indexes is None and count is None:
        yield required(at, "at least one of succeededCount or succeededIndexes must be specified")
    total = 0
    if indexes is not None:
        if len(indexes) > LONGEST_INDEXES:
            yield too_long(f"{at}.succeededIndexes", LONGEST_INDEXES)
        try:
            total = _counted(indexes, completions)
        except ValueError as error:
            yield invalid(f"{at}.succeededIndexes", indexes, f"error parsing succeededIndexes: {error}")
    if count is None:
        return
    yield from not_negative(f"{at}.succeededCount", count)
    if count > completions:
        text = f"must be less than or equal to {completions} (the number of specified completions)"
        yield invalid(f"{at}.succeededCount", count, text)
    if indexes is not None and count > total:
        text = f"must be less than or equal to {total} (the number of indexes in the specified succeededIndexes field)"
        yield invalid(f"{at}.succeededCount", count, text)


def _counted(text: str, completions: int) -> int:
    """How many indexes `0,2-4` names. They must ascend, and stay below the number of completions."""
    if not text:
        return 0
    total, last = 0, -1
    for part in text.split(","):
        first, second = _interval(part)
        for number in (first, second):
            if number >= completions:
                raise ValueError(f'too large index: "{number}"')
        if first <= last or second < first:
            raise ValueError(f"non-increasing order, previous: {last}, current: {first}")
        total, last = total + second - first + 1, second
    return total


def _interval(part: str) -> tuple[int, int]:
    limits: Iterable[str] = part.split("-")
    found = []
    for limit in limits:
        if not limit.isdigit():
            raise ValueError(f'cannot convert string to integer for index: "{limit}"')
        found.append(int(limit))
    if len(found) > 2:
        raise ValueError(
            f"the fragment \"{part}\" violates the requirement that an index interval can have at most two parts separated by '-'"
        )
    return found[0], found[-1]
