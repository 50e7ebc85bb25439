"""HorizontalPodAutoscaler: the older form, which knows CPU alone, and the same stored object (autoscaling/v1).

What autoscaling/v2 says beyond that travels in annotations, in the form that upstream gives it (older_metrics.py), so that a
client of this version loses nothing. Without any metric it aims at the CPU, as the stored form does.
https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/horizontal-pod-autoscaler-v1/
kubernetes pkg/apis/autoscaling/v1/conversion.go
"""

from collections.abc import Iterator
from typing import Any

import orjson

from kube.api import validation
from kube.api.autoscaling.horizontalpodautoscaler import CPU_PERCENT, replica_errors, validate_status
from kube.api.autoscaling.older_metrics import CURRENT, TARGETS, newer, older, renamed
from kube.api.autoscaling.scaling_rules import reference_errors, zero_errors
from kube.api.columns import AGE, UNKNOWN, UNSET, plain
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import FieldError, invalid
from kube.api.types import HorizontalPodAutoscalerV1

METRICS = "autoscaling.alpha.kubernetes.io/metrics"
CURRENT_METRICS = "autoscaling.alpha.kubernetes.io/current-metrics"
CONDITIONS = "autoscaling.alpha.kubernetes.io/conditions"
BEHAVIOR = "autoscaling.alpha.kubernetes.io/behavior"


def set_defaults(tree: Tree) -> None:
    spec = tree.setdefault("spec", {})
    spec.setdefault("minReplicas", 1)
    if METRICS not in ((tree.get("metadata") or {}).get("annotations") or {}):
        spec.setdefault("targetCPUUtilizationPercentage", CPU_PERCENT)


def prepare(new: Tree, old: Tree | None) -> None:
    if old is None:
        new["status"] = {"currentReplicas": 0, "desiredReplicas": 0}


def from_v2(tree: Tree) -> Tree:
    """This version's form of a stored autoscaler."""
    spec, status = dict(tree.get("spec") or {}), dict(tree.get("status") or {})
    annotations = dict(tree["metadata"].get("annotations") or {})
    cpu, others = _parted(spec.pop("metrics", None) or [])
    if cpu is not None:
        spec["targetCPUUtilizationPercentage"] = cpu["resource"]["target"]["averageUtilization"]
    current = status.pop("currentMetrics", None) or []
    current_cpu, _ = _parted(current, "current")
    if current_cpu is not None:
        status["currentCPUUtilizationPercentage"] = current_cpu["resource"]["current"]["averageUtilization"]
    extras = {
        METRICS: [older(one, TARGETS) for one in others],
        CURRENT_METRICS: [older(one, CURRENT) for one in current],  # that of the CPU too: it says more there
        CONDITIONS: status.pop("conditions", None),
        BEHAVIOR: renamed(spec.pop("behavior", None), capital=True),
    }
    annotations |= {name: orjson.dumps(value).decode() for name, value in extras.items() if value}
    return _object(tree, "autoscaling/v1", annotations, spec, status)


def to_v2(tree: Tree) -> Tree:
    """The form that is stored."""
    spec, status = dict(tree.get("spec") or {}), dict(tree.get("status") or {})
    annotations = dict(tree["metadata"].get("annotations") or {})
    extras = {name: _json(annotations.pop(name, "")) for name in (METRICS, CURRENT_METRICS, CONDITIONS, BEHAVIOR)}
    metrics = [newer(one, TARGETS) for one in _trees(extras[METRICS])]
    percent = spec.pop("targetCPUUtilizationPercentage", None)
    if percent is not None:
        target = {"type": "Utilization", "averageUtilization": percent}
        metrics.append({"type": "Resource", "resource": {"name": "cpu", "target": target}})
    if metrics:
        spec["metrics"] = metrics
    current = [newer(one, CURRENT) for one in _trees(extras[CURRENT_METRICS])]
    percent = status.pop("currentCPUUtilizationPercentage", None)
    if percent is not None and not current:
        current.append({"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": percent}}})
    for field, value in (("currentMetrics", current), ("conditions", extras[CONDITIONS])):
        if value:
            status[field] = value
    if extras[BEHAVIOR]:
        spec["behavior"] = renamed(extras[BEHAVIOR], capital=False)
    return _object(tree, "autoscaling/v2", annotations, spec, status)


def validate(new: HorizontalPodAutoscalerV1, old: HorizontalPodAutoscalerV1 | None) -> Iterator[FieldError]:
    yield from replica_errors(new.spec)
    yield from reference_errors(new.spec.scaleTargetRef, "spec.scaleTargetRef")
    percent, others = new.spec.targetCPUUtilizationPercentage, _trees(_json((new.metadata.annotations or {}).get(METRICS, "")))
    if percent is not None and percent < 1:
        at = f"spec.metrics[{len(others)}].resource.target.averageUtilization"
        yield invalid(at, percent, validation.AT_LEAST_ONE)
    yield from zero_errors(new.spec.minReplicas, {str(one.get("type")) for one in others})


def _parted(metrics: list[Tree], field: str = "target") -> tuple[Tree | None, list[Tree]]:
    """The metric that this version has a field for, and the others."""
    for index, one in enumerate(metrics):
        resource = one.get("resource") or {}
        if resource.get("name") == "cpu" and (resource.get(field) or {}).get("averageUtilization") is not None:
            return one, metrics[:index] + metrics[index + 1 :]
    return None, metrics


def _object(tree: Tree, api_version: str, annotations: dict[str, str], spec: Tree, status: Tree) -> Tree:
    metadata = {name: value for name, value in tree["metadata"].items() if name != "annotations"}
    if annotations:
        metadata["annotations"] = annotations
    made = {"kind": tree.get("kind"), "apiVersion": api_version, "metadata": metadata, "spec": spec}
    if "status" in tree:
        made["status"] = status
    return made


def _json(text: str) -> Any:
    try:
        return orjson.loads(text) if text else None
    except orjson.JSONDecodeError:
        return None


def _trees(value: Any) -> list[Tree]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def targets(autoscaler: HorizontalPodAutoscalerV1) -> str:
    wanted, have = autoscaler.spec.targetCPUUtilizationPercentage, autoscaler.status.currentCPUUtilizationPercentage
    if wanted is None:
        return "<none>"
    return f"cpu: {UNKNOWN if have is None else f'{have}%'}/{wanted}%"


RESOURCE = Resource(
    view=HorizontalPodAutoscalerV1,
    group="autoscaling",
    version="v1",
    kind="HorizontalPodAutoscaler",
    plural="horizontalpodautoscalers",
    short_names=("hpa",),
    categories=("all",),
    subresources=("status",),
    has_generation=False,
    stored_in="autoscaling",
    view_tree=from_v2,
    stored_tree=to_v2,
    set_defaults=set_defaults,
    prepare=prepare,
    validate=validate,
    validate_status=validate_status,
    columns=(
        plain("Reference", lambda one: f"{one.spec.scaleTargetRef.kind}/{one.spec.scaleTargetRef.name}"),
        plain("Targets", targets),
        plain("MinPods", lambda one: UNSET if one.spec.minReplicas is None else str(one.spec.minReplicas)),
        plain("MaxPods", lambda one: one.spec.maxReplicas or 0),
        plain("Replicas", lambda one: one.status.currentReplicas or 0),
        AGE,
    ),
)
