"""An autoscaler in its two versions: what the older one has no fields for stands in its annotations as upstream writes it."""

import json
from copy import deepcopy

import pytest

from kube.api.autoscaling import older_metrics
from kube.api.autoscaling.older_metrics import CURRENT, TARGETS
from kube.api.meta import Tree
from kube.api.resources import resource_for_kind

OLDER = resource_for_kind("autoscaling/v1", "HorizontalPodAutoscaler")
ALPHA = "autoscaling.alpha.kubernetes.io/"
SELECTOR = {"matchLabels": {"a": "b"}}
DESCRIBED = {"kind": "Service", "name": "s"}
CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}


@pytest.mark.parametrize(
    ("field", "newer", "older"),
    [
        ("pods", {"metric": {"name": "m", "selector": SELECTOR}, "target": {"type": "AverageValue", "averageValue": "5"}},
         {"metricName": "m", "selector": SELECTOR, "targetAverageValue": "5"}),
        ("resource", {"name": "memory", "target": {"type": "Utilization", "averageUtilization": 7}},
         {"name": "memory", "targetAverageUtilization": 7}),
        ("resource", {"name": "memory", "target": {"type": "AverageValue", "averageValue": "7Mi"}},
         {"name": "memory", "targetAverageValue": "7Mi"}),
        ("containerResource", {"name": "cpu", "container": "c", "target": {"type": "Utilization", "averageUtilization": 7}},
         {"name": "cpu", "container": "c", "targetAverageUtilization": 7}),
        ("external", {"metric": {"name": "m", "selector": SELECTOR}, "target": {"type": "Value", "value": "5"}},
         {"metricName": "m", "metricSelector": SELECTOR, "targetValue": "5"}),
        ("object", {"metric": {"name": "m"}, "describedObject": DESCRIBED, "target": {"type": "Value", "value": "5"}},
         {"metricName": "m", "target": DESCRIBED, "targetValue": "5"}),
        ("object", {"metric": {"name": "m"}, "describedObject": DESCRIBED, "target": {"type": "AverageValue", "averageValue": "5"}},
         {"metricName": "m", "target": DESCRIBED, "targetValue": "0", "averageValue": "5"}),
    ],
)  # fmt: skip
def test_targets_go_there_and_back(field: str, newer: Tree, older: Tree) -> None:
    """Rule: kubernetes pkg/apis/autoscaling/v1/conversion.go"""
    type = field[:1].upper() + field[1:]
    assert older_metrics.older({"type": type, field: newer}, TARGETS) == {"type": type, field: older}
    assert older_metrics.newer({"type": type, field: older}, TARGETS) == {"type": type, field: newer}
    assert older_metrics.newer({"type": type, field: newer}, TARGETS) == {"type": type, field: newer}, "it is that already"


@pytest.mark.parametrize(
    ("field", "newer", "older"),
    [
        ("pods", {"metric": {"name": "m"}, "current": {"averageValue": "5"}}, {"metricName": "m", "currentAverageValue": "5"}),
        ("resource", {"name": "cpu", "current": {"averageUtilization": 7, "averageValue": "70m"}},
         {"name": "cpu", "currentAverageUtilization": 7, "currentAverageValue": "70m"}),
        ("object", {"metric": {"name": "m"}, "describedObject": DESCRIBED, "current": {"value": "3"}},
         {"metricName": "m", "target": DESCRIBED, "currentValue": "3"}),
    ],
)  # fmt: skip
def test_what_is_goes_there_and_back(field: str, newer: Tree, older: Tree) -> None:
    """Rule: kubernetes pkg/apis/autoscaling/v1/conversion.go"""
    type = field[:1].upper() + field[1:]
    assert older_metrics.older({"type": type, field: newer}, CURRENT) == {"type": type, field: older}
    assert older_metrics.newer({"type": type, field: older}, CURRENT) == {"type": type, field: newer}


def _stored(**more: object) -> Tree:
    return {
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "x", "namespace": "d"},
        "spec": {"maxReplicas": 3, "minReplicas": 1, "scaleTargetRef": {"kind": "Deployment", "name": "d"}, **more},
    }  # fmt: skip


def test_all_of_the_stored_form_survives_a_client_of_the_older_version() -> None:
    """Rule: kubernetes pkg/apis/autoscaling/v1/conversion.go"""
    memory = {"type": "Resource", "resource": {"name": "memory", "target": {"type": "Utilization", "averageUtilization": 7}}}
    behavior = {"scaleUp": {"policies": [{"type": "Pods", "value": 4, "periodSeconds": 15}], "selectPolicy": "Max"}}
    stored = _stored(metrics=[memory, CPU], behavior=behavior)
    current = [{"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 7, "averageValue": "70m"}}}]
    stored["status"] = {"desiredReplicas": 1, "currentMetrics": current, "conditions": [{"type": "AbleToScale", "status": "True"}]}
    shown = OLDER.view_tree(deepcopy(stored))
    assert shown["spec"]["targetCPUUtilizationPercentage"] == 50
    assert shown["status"]["currentCPUUtilizationPercentage"] == 7
    told = {name.removeprefix(ALPHA): json.loads(text) for name, text in shown["metadata"]["annotations"].items()}
    assert told == {
        "metrics": [{"type": "Resource", "resource": {"name": "memory", "targetAverageUtilization": 7}}],
        "current-metrics": [
            {"type": "Resource", "resource": {"name": "cpu", "currentAverageUtilization": 7, "currentAverageValue": "70m"}}
        ],
        "conditions": [{"type": "AbleToScale", "status": "True"}],
        "behavior": {"ScaleUp": {"Policies": [{"Type": "Pods", "Value": 4, "PeriodSeconds": 15}], "SelectPolicy": "Max"}},
    }
    OLDER.set_defaults(shown)
    assert OLDER.stored_tree(shown) == stored


def test_without_metrics_the_cpu_is_aimed_at() -> None:
    """Rule: kubernetes pkg/apis/autoscaling/v2/defaults.go, which every stored autoscaler passes"""
    bare = {**_stored(), "apiVersion": "autoscaling/v1"}
    OLDER.set_defaults(bare)
    assert OLDER.stored_tree(bare)["spec"]["metrics"][0]["resource"]["target"] == {
        "type": "Utilization", "averageUtilization": 80,
    }  # fmt: skip
    others = OLDER.view_tree(
        _stored(metrics=[{"type": "Pods", "pods": {"metric": {"name": "m"}, "target": {"averageValue": "1"}}}])
    )
    OLDER.set_defaults(others)
    assert "targetCPUUtilizationPercentage" not in others["spec"]


def test_annotations_that_are_no_metrics_are_passed_over() -> None:
    for text in ("{", "3", '["a"]', '{"a": 1}'):
        odd = {**_stored(), "apiVersion": "autoscaling/v1"}
        odd["metadata"] = {**odd["metadata"], "annotations": {f"{ALPHA}metrics": text, f"{ALPHA}current-metrics": text}}
        assert "metrics" not in OLDER.stored_tree(odd)["spec"]
