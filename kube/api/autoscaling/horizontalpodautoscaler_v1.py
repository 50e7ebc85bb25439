"""HorizontalPodAutoscaler: the older form, which knows CPU alone, and the same stored object (autoscaling/v1).

What autoscaling/v2 says beyond that travels in annotations, so that a client of this version loses nothing. They hold the
newer version's own JSON (upstream writes that of its alpha).
https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/horizontal-pod-autoscaler-v1/
kubernetes pkg/apis/autoscaling/v1/conversion.go
"""

from collections.abc import Iterator
from typing import Any

import orjson

from kube.api.autoscaling.horizontalpodautoscaler import replica_errors, validate_status
from kube.api.autoscaling.scaling_rules import reference_errors
from kube.api.columns import AGE, UNKNOWN, UNSET, number, plain
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import FieldError
from kube.api.types import HorizontalPodAutoscalerV1

METRICS = "autoscaling.alpha.kubernetes.io/metrics"
CURRENT_METRICS = "autoscaling.alpha.kubernetes.io/current-metrics"
CONDITIONS = "autoscaling.alpha.kubernetes.io/conditions"
BEHAVIOR = "autoscaling.alpha.kubernetes.io/behavior"


def set_defaults(tree: Tree) -> None:
    tree.setdefault("spec", {}).setdefault("minReplicas", 1)


def from_v2(tree: Tree) -> Tree:
    """This version's form of a stored autoscaler."""
    spec, status = dict(tree.get("spec") or {}), dict(tree.get("status") or {})
    annotations = dict(tree["metadata"].get("annotations") or {})
    cpu, others = _parted(spec.pop("metrics", None) or [])
    if cpu is not None:
        spec["targetCPUUtilizationPercentage"] = cpu["resource"]["target"]["averageUtilization"]
    current_cpu, other_current = _parted(status.pop("currentMetrics", None) or [], "current")
    if current_cpu is not None:
        status["currentCPUUtilizationPercentage"] = current_cpu["resource"]["current"]["averageUtilization"]
    extras = {
        METRICS: others,
        CURRENT_METRICS: other_current,
        CONDITIONS: status.pop("conditions", None),
        BEHAVIOR: spec.pop("behavior", None),
    }
    annotations |= {name: orjson.dumps(value).decode() for name, value in extras.items() if value}
    return _object(tree, "autoscaling/v1", annotations, spec, status)


def to_v2(tree: Tree) -> Tree:
    """The form that is stored."""
    spec, status = dict(tree.get("spec") or {}), dict(tree.get("status") or {})
    annotations = dict(tree["metadata"].get("annotations") or {})
    extras = {name: _json(annotations.pop(name, "")) for name in (METRICS, CURRENT_METRICS, CONDITIONS, BEHAVIOR)}
    metrics = list(extras[METRICS] or ())
    percent = spec.pop("targetCPUUtilizationPercentage", None)
    if percent is not None:
        target = {"type": "Utilization", "averageUtilization": percent}
        metrics.append({"type": "Resource", "resource": {"name": "cpu", "target": target}})
    if metrics:
        spec["metrics"] = metrics
    current = list(extras[CURRENT_METRICS] or ())
    percent = status.pop("currentCPUUtilizationPercentage", None)
    if percent is not None:
        current.append({"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": percent}}})
    for field, value in (("currentMetrics", current), ("conditions", extras[CONDITIONS])):
        if value:
            status[field] = value
    if extras[BEHAVIOR]:
        spec["behavior"] = extras[BEHAVIOR]
    return _object(tree, "autoscaling/v2", annotations, spec, status)


def validate(new: HorizontalPodAutoscalerV1, old: HorizontalPodAutoscalerV1 | None) -> Iterator[FieldError]:
    yield from replica_errors(new.spec)
    yield from reference_errors(new.spec.scaleTargetRef, "spec.scaleTargetRef")


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
    validate=validate,
    validate_status=validate_status,
    columns=(
        plain("Reference", lambda one: f"{one.spec.scaleTargetRef.kind}/{one.spec.scaleTargetRef.name}"),
        plain("Targets", targets),
        plain("MinPods", lambda one: UNSET if one.spec.minReplicas is None else str(one.spec.minReplicas)),
        number("MaxPods", lambda one: one.spec.maxReplicas),
        number("Replicas", lambda one: one.status.currentReplicas),
        AGE,
    ),
)
