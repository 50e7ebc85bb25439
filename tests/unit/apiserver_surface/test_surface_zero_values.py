"""Fields that are written whatever is in them."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from apiserver.zero_values import drop, drop_status, fill, fill_status
from kube.api.definitions import BOOLEAN, INTEGER, LIST, MAP, NUMBER, STRUCT, Type, of_kind
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


def made_of(kind: Type, without: str, depth: int = 0) -> Any:
    """Something of a type, with every field that has not this name."""
    if depth > 6:
        return None
    if kind.form == STRUCT:
        parts = {name: made_of(one, without, depth + 1) for name, one in kind.fields.items() if name != without}
        return {name: part for name, part in parts.items() if part is not None}
    if kind.form in (LIST, MAP):
        item = made_of(kind.item, without, depth + 1)
        return ([item] if kind.form == LIST else {"a": item}) if item is not None else None
    return {INTEGER: 1, NUMBER: 1, BOOLEAN: True}.get(kind.form, "1")


def names_in(kind: Type, depth: int = 0) -> Iterator[str]:
    if kind.form in (LIST, MAP):
        yield from names_in(kind.item, depth)
    elif kind.form == STRUCT and depth <= 6:
        for name, one in kind.fields.items():
            yield name
            yield from names_in(one, depth + 1)


@pytest.mark.parametrize("row", [one for one in RESOURCES if "status" in one.subresources], ids=lambda row: row.qualified)
def test_a_status_is_completed_by_itself(row: Resource) -> None:
    """A write to /status completes the status alone, to the same as all completed anew: the rest of what is stored is complete.

    Rule: pipeline.status_updated; encoding/json
    """
    whole: Tree = {"apiVersion": row.api_version, "kind": row.kind, "metadata": {"name": "x"}, "spec": {}}
    row.set_defaults(whole)
    fill(row, whole)
    kind = of_kind(row.group, row.version, row.kind)
    assert kind is not None
    status = kind.fields["status"]
    for missing in {"", *names_in(status)}:
        given = {**deepcopy(whole), "status": made_of(status, missing)}
        alone = deepcopy(given)
        row.set_defaults(given)
        fill(row, given)
        row.set_status_defaults(alone)
        fill_status(row, alone)
        assert alone == given, missing


def test_what_is_there_stays_and_pointers_stay_away() -> None:
    """Rule: encoding/json, `omitempty`; a null that a kind writes itself is no list to look into."""
    tree: dict[str, Any] = {"spec": {"replicas": 0}, "status": {"currentMetrics": None, "desiredReplicas": 3}}
    fill(_row("autoscaling/v2", "HorizontalPodAutoscaler"), tree)
    assert tree["status"] == {"currentMetrics": None, "desiredReplicas": 3}
    pod: dict[str, Any] = {"spec": {"imagePullSecrets": [{}]}}
    fill(_row("v1", "Pod"), pod)
    assert pod["spec"] == {"imagePullSecrets": [{}], "containers": None}


def test_a_zero_that_says_nothing_goes_and_one_of_a_pointer_stays() -> None:
    """Rule: encoding/json, `omitempty`; an empty managedFields asks for something."""
    tree: dict[str, Any] = {
        "metadata": {"labels": {}, "managedFields": []},
        "spec": {"replicas": 0, "paused": False, "selector": {"matchLabels": {}}, "template": {"spec": {"containers": [
            {"name": "", "env": [], "stdin": False, "securityContext": {"privileged": False}, "resources": {"limits": {}}},
        ]}}},
    }  # fmt: skip
    drop(_row("apps/v1", "Deployment"), tree)
    assert tree == {
        "metadata": {"managedFields": []},
        "spec": {"replicas": 0, "selector": {}, "template": {"spec": {"containers": [
            {"name": "", "securityContext": {"privileged": False}, "resources": {}},
        ]}}},
    }  # fmt: skip
    claim: dict[str, Any] = {"spec": {"storageClassName": "", "volumeName": ""}, "status": {"accessModes": []}}
    drop_status(_row("v1", "PersistentVolumeClaim"), claim)
    assert claim == {"spec": {"storageClassName": "", "volumeName": ""}, "status": {}}


@pytest.mark.parametrize("row", RESOURCES, ids=lambda row: f"{row.qualified}-{row.version}")
def test_what_defaults_put_there_is_not_dropped_again(row: Resource) -> None:
    """An object that is complete stays as it is when it is written once more.

    Rule: pipeline: drop, set_defaults, fill
    """
    kind = of_kind(row.group, row.version, row.kind)
    assert kind is not None
    for tree in ({}, made_of(kind, "")):
        row.set_defaults(tree)
        fill(row, tree)
        before = deepcopy(tree)
        drop(row, tree)
        assert tree == before


def _row(version: str, kind: str) -> Resource:
    row = resource_for_kind(version, kind)
    assert row is not None
    return row


@pytest.mark.parametrize("rules", [{}, {"rules": []}, {"rules": None}])
def test_an_empty_list_that_is_always_written_is_null(rules: dict[str, Any]) -> None:
    """Rule: encoding/json writes a nil slice without `omitempty` as null, and what is stored knows no other empty one."""
    role = dict(rules)
    fill(_row("rbac.authorization.k8s.io/v1", "Role"), role)
    assert role["rules"] == rules.get("rules"), "who sent an empty list has set it"
    fill(_row("rbac.authorization.k8s.io/v1", "Role"), role, last=True)
    assert role["rules"] is None
    slice_: dict[str, Any] = {"endpoints": [{"addresses": ["192.0.2.1"], "conditions": {}}], "ports": []}
    fill(_row("discovery.k8s.io/v1", "EndpointSlice"), slice_, last=True)
    assert (slice_["endpoints"][0]["addresses"], slice_["ports"]) == (["192.0.2.1"], None)


def test_a_pointer_that_is_always_written_is_null_until_it_is_set() -> None:
    """Rule: encoding/json; an apiGroup of "" is not the same as none."""
    claim: dict[str, Any] = {"spec": {"dataSource": {"kind": "PersistentVolumeClaim", "name": "old"}}}
    fill(_row("v1", "PersistentVolumeClaim"), claim)
    assert claim["spec"]["dataSource"]["apiGroup"] is None
    claim["spec"]["dataSource"]["apiGroup"] = ""
    fill(_row("v1", "PersistentVolumeClaim"), claim)
    assert claim["spec"]["dataSource"]["apiGroup"] == ""
