"""How autoscaling/v1 writes metrics and behaviour in its annotations: flat, with names of its own, as upstream does.

    metrics           {"type": "Pods", "pods": {"metricName": "m", "targetAverageValue": "5"}}
    current-metrics   {"type": "Resource", "resource": {"name": "cpu", "currentAverageUtilization": 12, "currentAverageValue": "1"}}
    behavior          {"ScaleUp": {"Policies": [{"Type": "Pods", "Value": 4, "PeriodSeconds": 15}]}}

A metric in the newer form's fields, which no upstream writes, is taken as it is. Pure.
kubernetes pkg/apis/autoscaling/v1/conversion.go · staging k8s.io/api/autoscaling/v1/types.go
"""

from typing import Any

from kube.api.autoscaling.scaling_rules import SOURCES
from kube.api.meta import Tree

Pairs = tuple[tuple[str, str], ...]  # (its path in the newer form, its name in the older one)

_METRIC: Pairs = (("metric.name", "metricName"),)
_POD_METRIC: Pairs = (*_METRIC, ("metric.selector", "selector"))
_RESOURCE: Pairs = (("name", "name"), ("container", "container"))
TARGETS: dict[str, Pairs] = {
    "object": (
        ("describedObject", "target"), *_POD_METRIC, ("target.value", "targetValue"), ("target.averageValue", "averageValue"),
    ),
    "pods": (*_POD_METRIC, ("target.averageValue", "targetAverageValue")),
    "external": (
        *_METRIC, ("metric.selector", "metricSelector"), ("target.value", "targetValue"),
        ("target.averageValue", "targetAverageValue"),
    ),
    "resource": (
        *_RESOURCE, ("target.averageUtilization", "targetAverageUtilization"), ("target.averageValue", "targetAverageValue"),
    ),
}  # fmt: skip
CURRENT: dict[str, Pairs] = {
    "object": (
        ("describedObject", "target"), *_POD_METRIC, ("current.value", "currentValue"), ("current.averageValue", "averageValue"),
    ),
    "pods": (*_POD_METRIC, ("current.averageValue", "currentAverageValue")),
    "external": (
        *_METRIC, ("metric.selector", "metricSelector"), ("current.value", "currentValue"),
        ("current.averageValue", "currentAverageValue"),
    ),
    "resource": (
        *_RESOURCE, ("current.averageUtilization", "currentAverageUtilization"), ("current.averageValue", "currentAverageValue"),
    ),
}  # fmt: skip
TARGETS["containerResource"], CURRENT["containerResource"] = TARGETS["resource"], CURRENT["resource"]
# Which kind of target is meant, by the first field that is there.
TARGET_TYPES = (("averageUtilization", "Utilization"), ("averageValue", "AverageValue"), ("value", "Value"))
UNSAID = "0"  # how a quantity that is not there is written where it is no pointer


def older(metric: Tree, names: dict[str, Pairs]) -> Tree:
    """A metric, or what one is at, in autoscaling/v1's form."""
    field = SOURCES.get(metric.get("type", ""), "")
    source = metric.get(field)
    if not isinstance(source, dict):
        return metric
    found = {name: value for path, name in names[field] if (value := _at(source, path)) is not None}
    if field == "object":
        found.setdefault("targetValue" if names is TARGETS else "currentValue", UNSAID)
    return {"type": metric["type"], field: found}


def newer(metric: Tree, names: dict[str, Pairs]) -> Tree:
    """The other way round."""
    field = SOURCES.get(metric.get("type", ""), "")
    source = metric.get(field)
    inner = "target" if names is TARGETS else "current"
    if not isinstance(source, dict) or "metric" in source or (field.lower().endswith("resource") and inner in source):
        return metric
    made: Tree = {inner: {}}
    for path, name in names[field]:
        value = source.get(name)
        if value is None or (field == "object" and value == UNSAID and path.endswith(".value")):
            continue
        place, _, last = path.rpartition(".")
        (made.setdefault(place, {}) if place else made)[last] = value
    if inner == "target":
        made["target"] = {"type": _target_type(made["target"]), **made["target"]}
    return {"type": metric["type"], field: made}


def renamed(value: Any, *, capital: bool) -> Any:
    """Behaviour with Go's names of fields (upstream writes its internal type), or with the API's."""
    if isinstance(value, dict):
        return {(name[:1].upper() if capital else name[:1].lower()) + name[1:]: renamed(one, capital=capital)
                for name, one in value.items()}  # fmt: skip
    if isinstance(value, list):
        return [renamed(one, capital=capital) for one in value]
    return value


def _target_type(target: Tree) -> str:
    return next((type for field, type in TARGET_TYPES if field in target), "Value")


def _at(tree: Any, path: str) -> Any:
    for part in path.split("."):
        tree = tree.get(part) if isinstance(tree, dict) else None
    return tree
