"""Rules of what an autoscaler aims at, and of how fast it may go there.

kubernetes pkg/apis/autoscaling/validation/validation.go
"""

from collections.abc import Iterator
from typing import Any

from kube.api import names, quantity
from kube.api.core.resource_names import container_name_errors
from kube.api.status import FieldError, forbidden, invalid, required, unsupported
from kube.api.types import HorizontalPodAutoscalerBehavior, MetricSpec
from kube.api.validation import AT_LEAST_ONE, complain, named

# The field of a metric that says what it is about, by its type.
SOURCES = {
    "ContainerResource": "containerResource", "External": "external", "Object": "object", "Pods": "pods", "Resource": "resource",
}  # fmt: skip
IN_ORDER = ("object", "external", "pods", "resource", "containerResource")
TARGETS = ("Utilization", "Value", "AverageValue")
SELECTIONS, POLICIES = ("Disabled", "Max", "Min"), ("Percent", "Pods")
LONGEST_WINDOW, LONGEST_PERIOD = 3600, 1800


def metric_errors(metric: MetricSpec, at: str) -> Iterator[FieldError]:
    if not metric.type:
        yield required(f"{at}.type", "must specify a metric source type")
    unknown = [unsupported(f"{at}.type", metric.type or "", tuple(SOURCES))] if metric.type not in SOURCES else []
    yield from unknown
    present = [field for field in IN_ORDER if getattr(metric, field) is not None]
    if present:
        yield from _source(present[0], getattr(metric, present[0]), f"{at}.{present[0]}")
    expected = SOURCES.get(metric.type, "")
    yield from unknown  # upstream says it where it looks for the source, too
    if expected and expected not in present:
        yield required(f"{at}.{expected}", "must populate information for the given metric source")
    for field in present if len(present) > 1 else ():
        if field != expected:
            yield forbidden(f"{at}.{field}", "must populate the given metric source only")


def zero_errors(least: int | None, kinds: set[str]) -> Iterator[FieldError]:
    """Down to nothing it may go only where something outside of the pods is measured."""
    if least == 0 and not kinds & {"Object", "External"}:
        text = "must specify at least one Object or External metric to support scaling to zero replicas"
        yield forbidden("spec.metrics", text)


def reference_errors(reference: Any, at: str) -> Iterator[FieldError]:
    for field in ("kind", "name"):
        yield from named(f"{at}.{field}", getattr(reference, field), names.path_segment)


def _source(field: str, source: Any, at: str) -> Iterator[FieldError]:
    target = source.target
    if field == "object":
        yield from reference_errors(source.describedObject, f"{at}.describedObject")
    if field in ("object", "external", "pods"):
        if not source.metric.name:
            yield required(f"{at}.metric.name", "must specify a metric name")
        else:
            yield from named(f"{at}.metric.name", source.metric.name, names.path_segment)
    elif not source.name:
        yield required(f"{at}.name", "must specify a resource name")
    elif field == "containerResource":
        yield from container_name_errors(source.name, f"{at}.name")
    if field == "containerResource" and not source.container:
        yield required(f"{at}.container", "must specify a container")
    elif field == "containerResource":
        yield from complain(f"{at}.container", source.container, names.label)
    yield from _target(target, f"{at}.target")
    yield from _aim(field, target, f"{at}.target")


def _target(target: Any, at: str) -> Iterator[FieldError]:
    if not target.type:
        yield required(f"{at}.type", "must specify a metric target type")
    if target.type not in TARGETS:
        yield invalid(f"{at}.type", target.type or "", "must be either Utilization, Value, or AverageValue")
    for field in ("value", "averageValue"):
        amount = getattr(target, field)
        if amount is not None and quantity.parse(amount) <= 0:
            yield invalid(f"{at}.{field}", amount, "must be positive")
    if target.averageUtilization is not None and target.averageUtilization < 1:
        yield invalid(f"{at}.averageUtilization", target.averageUtilization, AT_LEAST_ONE)


def _aim(field: str, target: Any, at: str) -> Iterator[FieldError]:
    """Each source must be given one of the aims that it knows, and not two."""
    value, average, share = target.value, target.averageValue, target.averageUtilization
    if field == "object" and value is None and average is None:
        yield required(f"{at}.averageValue", "must set either a target value or averageValue")
    elif field == "external" and value is None and average is None:
        yield required(f"{at}.averageValue", "must set either a target value for metric or a per-pod target")
    elif field == "external" and value is not None and average is not None:
        yield forbidden(f"{at}.value", "may not set both a target value for metric and a per-pod target")
    elif field == "pods" and average is None:
        yield required(f"{at}.averageValue", "must specify a positive target averageValue")
    elif field in ("resource", "containerResource"):
        if share is None and average is None:
            yield required(f"{at}.averageUtilization", "must set either a target raw value or a target utilization")
        if share is not None and average is not None:
            yield forbidden(f"{at}.averageValue", "may not set both a target raw value and a target utilization")


def behavior_errors(behavior: HorizontalPodAutoscalerBehavior | None, at: str) -> Iterator[FieldError]:
    for field in ("scaleUp", "scaleDown"):
        rules = getattr(behavior, field, None)
        if rules is not None:
            yield from _rules(rules, f"{at}.{field}")


def _rules(rules: Any, at: str) -> Iterator[FieldError]:
    window = rules.stabilizationWindowSeconds
    if window is not None and window < 0:
        yield invalid(f"{at}.stabilizationWindowSeconds", window, "must be greater than or equal to zero")
    if window is not None and window > LONGEST_WINDOW:
        yield invalid(f"{at}.stabilizationWindowSeconds", window, f"must be less than or equal to {LONGEST_WINDOW}")
    if rules.selectPolicy is not None and rules.selectPolicy not in SELECTIONS:
        yield unsupported(f"{at}.selectPolicy", rules.selectPolicy, SELECTIONS)
    if not rules.policies:
        yield required(f"{at}.policies", "must specify at least one Policy")
    for index, policy in enumerate(rules.policies or ()):
        path = f"{at}.policies[{index}]"
        if policy.type not in POLICIES:
            yield unsupported(f"{path}.type", policy.type or "", POLICIES)
        for field in ("value", "periodSeconds"):
            number = getattr(policy, field) or 0
            if number <= 0:
                yield invalid(f"{path}.{field}", number, "must be greater than zero")
        if (policy.periodSeconds or 0) > LONGEST_PERIOD:
            yield invalid(f"{path}.periodSeconds", policy.periodSeconds, f"must be less than or equal to {LONGEST_PERIOD}")
    tolerance = getattr(rules, "tolerance", None)
    if tolerance is not None and quantity.parse(tolerance) < 0:
        yield invalid(f"{at}.tolerance", tolerance, "must be greater or equal to zero")
