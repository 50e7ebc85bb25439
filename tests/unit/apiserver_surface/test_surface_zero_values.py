"""Fields that are written whatever is in them."""

from copy import deepcopy
from typing import Any

import pytest

from apiserver.zero_values import fill, fill_status
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.resources import RESOURCES, resource_for_kind


@pytest.mark.parametrize(
    ("version", "kind", "given", "path", "value"),
    [
        ("apps/v1", "StatefulSet", {"spec": {"ordinals": {}}}, ("spec", "serviceName"), ""),
        ("apps/v1", "StatefulSet", {"spec": {"ordinals": {}}}, ("spec", "ordinals", "start"), 0),
        ("apps/v1", "Deployment", {}, ("status",), {}),
        ("apps/v1", "DaemonSet", {}, ("status", "numberReady"), 0),
        ("v1", "Pod", {"spec": {"containers": [{}]}}, ("spec", "containers", 0, "resources"), {}),
        ("v1", "Pod", {"spec": {"containers": [{"ports": [{}]}]}}, ("spec", "containers", 0, "ports", 0, "protocol"), "TCP"),
        ("v1", "Node", {}, ("status", "daemonEndpoints", "kubeletEndpoint", "Port"), 0),
        ("coordination.k8s.io/v1", "Lease", {}, ("spec",), {}),
        (
            "apiextensions.k8s.io/v1",
            "CustomResourceDefinition",
            {"status": {"conditions": [{}]}},
            ("status", "conditions", 0, "type"),
            "",
        ),
    ],
)
def test_what_is_always_written_is_there(
    version: str, kind: str, given: dict[str, Any], path: tuple[str | int, ...], value: Any
) -> None:
    """Rule: encoding/json, fields without `omitempty` and structs."""
    fill(_row(version, kind), given)
    found: Any = given
    for step in path:
        found = found[step]
    assert found == value


@pytest.mark.parametrize("status", [None, {}, {"phase": ""}, {"conditions": [{"type": "A"}], "containerStatuses": [{"name": "c"}]}])
def test_a_status_is_completed_by_itself(status: Tree | None) -> None:
    """A write to /status completes the status alone: no kind has defaults of its own in there, and the rest of what is stored is
    complete. Rule: pipeline.status_updated; encoding/json"""
    for row in (one for one in RESOURCES if "status" in one.subresources):
        whole: Tree = {"apiVersion": row.api_version, "kind": row.kind, "metadata": {"name": "x"}, "spec": {}}
        row.set_defaults(whole)
        assert "status" not in whole
        fill(row, whole)
        whole = {name: value for name, value in whole.items() if name != "status"} | ({} if status is None else {"status": status})
        alone = deepcopy(whole)
        row.set_defaults(whole)
        fill(row, whole)
        fill_status(row, alone)
        assert alone == whole, row.qualified


def test_what_is_there_stays_and_pointers_stay_away() -> None:
    """Rule: encoding/json, `omitempty`; a null that a kind writes itself is no list to look into."""
    tree: dict[str, Any] = {"spec": {"replicas": 0}, "status": {"currentMetrics": None, "desiredReplicas": 3}}
    fill(_row("autoscaling/v2", "HorizontalPodAutoscaler"), tree)
    assert tree["status"] == {"currentMetrics": None, "desiredReplicas": 3}
    pod: dict[str, Any] = {"spec": {"imagePullSecrets": [{}]}}
    fill(_row("v1", "Pod"), pod)
    assert pod["spec"] == {"imagePullSecrets": [{}]}


def _row(version: str, kind: str) -> Resource:
    row = resource_for_kind(version, kind)
    assert row is not None
    return row
