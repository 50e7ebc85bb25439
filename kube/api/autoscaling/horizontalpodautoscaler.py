"""HorizontalPodAutoscaler: sets the size of a workload by what its pods use (autoscaling/v2).

https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/
"""

from collections.abc import Iterator
from typing import Any

from kube.api import validation
from kube.api.autoscaling.scaling_rules import SOURCES, behavior_errors, metric_errors, reference_errors, zero_errors
from kube.api.columns import AGE, UNKNOWN, UNSET, plain
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import FieldError, invalid
from kube.api.types import HorizontalPodAutoscaler

CPU_PERCENT = 80  # what a HorizontalPodAutoscaler without metrics aims at
SHOWN_METRICS = 2
SCALE_UP = {
    "stabilizationWindowSeconds": 0,
    "selectPolicy": "Max",
    "policies": [{"type": "Pods", "value": 4, "periodSeconds": 15}, {"type": "Percent", "value": 100, "periodSeconds": 15}],
}
SCALE_DOWN = {"selectPolicy": "Max", "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}]}


def set_defaults(tree: Tree) -> None:
    spec = tree.setdefault("spec", {})
    spec.setdefault("minReplicas", 1)
    if not spec.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": CPU_PERCENT}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    behavior = spec.get("behavior")
    if behavior:
        for field, defaults in (("scaleUp", SCALE_UP), ("scaleDown", SCALE_DOWN)):
            rules = behavior.setdefault(field, {})
            for name, value in defaults.items():
                if rules.get(name) is None:
                    rules[name] = [dict(one) for one in value] if isinstance(value, list) else value


def prepare(new: Tree, old: Tree | None) -> None:
    if old is None:
        new["status"] = {"currentMetrics": None, "desiredReplicas": 0}


def validate(new: HorizontalPodAutoscaler, old: HorizontalPodAutoscaler | None) -> Iterator[FieldError]:
    spec = new.spec
    yield from replica_errors(spec)
    yield from reference_errors(spec.scaleTargetRef, "spec.scaleTargetRef")
    for index, metric in enumerate(spec.metrics or ()):
        yield from metric_errors(metric, f"spec.metrics[{index}]")
    yield from zero_errors(spec.minReplicas, {metric.type for metric in spec.metrics or ()})
    yield from behavior_errors(spec.behavior, "spec.behavior")


def replica_errors(spec: Any) -> Iterator[FieldError]:
    """Of the bounds, in either version."""
    least, most = spec.minReplicas, spec.maxReplicas or 0
    if least is not None and least < 1:
        yield invalid("spec.minReplicas", least, "must be greater than or equal to 1")
    if most < 1:
        yield invalid("spec.maxReplicas", most, validation.AT_LEAST_ONE)
    if least is not None and most < least:
        yield invalid("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`")


def validate_status(new: Any, old: Any) -> Iterator[FieldError]:
    yield from validation.count_errors(new.status, "status", ("currentReplicas", "desiredReplicas"))


def reference(autoscaler: HorizontalPodAutoscaler) -> str:
    target = autoscaler.spec.scaleTargetRef
    return f"{target.kind}/{target.name}"


def targets(autoscaler: HorizontalPodAutoscaler) -> str:
    """`cpu: 12%/80%`: what is, and what is aimed at."""
    current = autoscaler.status.currentMetrics or ()
    found = []
    for index, metric in enumerate(autoscaler.spec.metrics or ()):
        field = SOURCES.get(metric.type, "")
        source = getattr(metric, field, None)
        if source is None:
            found.append("<unknown type>")
            continue
        now = getattr(current[index], field, None) if index < len(current) else None
        found.append(_shown(metric.type, source, now.current if now is not None else None))
    if not found:
        return "<none>"
    more = f" + {len(found) - SHOWN_METRICS} more..." if len(found) > SHOWN_METRICS else ""
    return ", ".join(found[:SHOWN_METRICS]) + more


def _shown(type: str, source: Any, current: Any) -> str:
    target = source.target
    prefix = f"{source.name}: " if type in ("Resource", "ContainerResource") else ""
    if target.averageUtilization is not None and prefix:
        have = current.averageUtilization if current is not None else None
        return f"{prefix}{UNKNOWN if have is None else f'{have}%'}/{target.averageUtilization}%"
    if target.averageValue is not None:
        have = current.averageValue if current is not None else None
        suffix = "" if type in ("Resource", "ContainerResource", "Pods") else " (avg)"
        return f"{prefix}{have or UNKNOWN}/{target.averageValue}{suffix}"
    have = current.value if current is not None else None
    return f"{prefix}{have or UNKNOWN}/{target.value}"


RESOURCE = Resource(
    view=HorizontalPodAutoscaler,
    group="autoscaling",
    version="v2",
    kind="HorizontalPodAutoscaler",
    plural="horizontalpodautoscalers",
    short_names=("hpa",),
    categories=("all",),
    subresources=("status",),
    has_generation=False,
    set_defaults=set_defaults,
    prepare=prepare,
    validate=validate,
    validate_status=validate_status,
    columns=(
        plain("Reference", reference),
        plain("Targets", targets),
        plain("MinPods", lambda one: UNSET if one.spec.minReplicas is None else str(one.spec.minReplicas)),
        plain("MaxPods", lambda one: one.spec.maxReplicas or 0),
        plain("Replicas", lambda one: one.status.currentReplicas or 0),
        AGE,
    ),
)
