"""The metadata of every kind."""

from typing import Any

import pytest

from kube.api.metadata import metadata_errors
from kube.api.resources import resource_for, resource_for_kind

POD, NODE, SERVICE = (resource_for_kind("v1", kind) for kind in ("Pod", "Node", "Service"))
OWNER = {"apiVersion": "v1", "kind": "K", "name": "o", "uid": "u"}


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({}, []),
        ({"name": ""}, ["metadata.name: Required value: name or generateName is required"]),
        ({"name": "A"}, ['metadata.name: Invalid value: "A": a lowercase RFC 1123 subdomain must consist']),
        ({"namespace": ""}, ["metadata.namespace: Required value"]),
        ({"namespace": "A"}, ['metadata.namespace: Invalid value: "A"']),
        ({"labels": {"a/b/c": "x", "ok": "-"}}, ['metadata.labels: Invalid value: "a/b/c"', 'metadata.labels: Invalid value: "-"']),
        ({"annotations": {"UPPER.example.com/a": "anything goes"}}, []),
        ({"annotations": {"-": ""}}, ['metadata.annotations: Invalid value: "-"']),
        ({"annotations": {"a": "x" * (256 << 10)}}, ["metadata.annotations: Too long: may not be more than 262144 bytes"]),
        ({"finalizers": ["a.b/c", "-"]},
         ['metadata.finalizers: Invalid value: "-"', "name is neither a standard finalizer name nor is it fully"]),
        ({"finalizers": ["orphan", "foregroundDeletion"]}, ["finalizer orphan and foregroundDeletion cannot be both set"]),
        ({"generateName": "A--"}, ['metadata.generateName: Invalid value: "A--"']),
        ({"generation": -1}, ["metadata.generation: Invalid value: -1"]),
        ({"managedFields": [{"operation": "x", "fieldsType": "y", "manager": "m" * 129, "subresource": "s" * 257}]},
         ["managedFields[0].operation: Invalid", "fieldsType: Invalid", "manager: Too long", "subresource: Too long"]),
        ({"ownerReferences": [{"apiVersion": "v1", "kind": "Event", "name": "e", "uid": "u"}]},
         ["/v1, Kind=Event is disallowed from being an owner"]),
        ({"ownerReferences": [OWNER]}, []),
        ({"ownerReferences": [{}]}, ["apiVersion: Invalid", "kind: Invalid", "name: Invalid", "uid: Invalid"]),
        ({"ownerReferences": [{**OWNER, "controller": True}, {**OWNER, "controller": True}]},
         ["Only one reference can have Controller set to true"]),
    ],
)  # fmt: skip
def test_metadata_rules(metadata: dict[str, Any], expected: list[str]) -> None:
    """Rule: apimachinery pkg/api/validation/objectmeta.go"""
    found = [str(error) for error in metadata_errors(POD, {"metadata": {"name": "x", "namespace": "d", **metadata}})]
    assert len(found) == len(expected), found
    for complaint, part in zip(found, expected, strict=True):
        assert part in complaint


def test_cluster_scoped_objects_have_no_namespace() -> None:
    found = [str(error) for error in metadata_errors(NODE, {"metadata": {"name": "x", "namespace": "d"}})]
    assert found == ["metadata.namespace: Forbidden: not allowed on this type"]


@pytest.mark.parametrize(
    ("row", "name", "good"),
    [
        (SERVICE, "1a.b", False),
        (SERVICE, "1a", True),
        (resource_for("rbac.authorization.k8s.io", "v1", "roles"), "system:a", True),
        (resource_for("", "v1", "namespaces"), "a.b", False),
        (resource_for("networking.k8s.io", "v1", "ipaddresses"), "10.0.0.1", True),
        (resource_for("networking.k8s.io", "v1", "ipaddresses"), "x", False),
        (resource_for("networking.k8s.io", "v1", "ipaddresses"), "fd00:0::1", False),
    ],
)  # fmt: skip
def test_kinds_have_their_own_rules_for_names(row: Any, name: str, good: bool) -> None:
    metadata = {"name": name, **({"namespace": "d"} if row.namespaced else {})}
    assert (not list(metadata_errors(row, {"metadata": metadata}))) is good


def test_identity_does_not_change_and_deleted_objects_get_no_new_finalizers() -> None:
    old = {"metadata": {"name": "x", "namespace": "d", "uid": "1", "deletionTimestamp": "T", "finalizers": ["a.b/c"]}}
    new = {"metadata": {**old["metadata"], "uid": "2", "finalizers": ["a.b/c", "a.b/d"]}}
    found = [str(error) for error in metadata_errors(POD, new, old)]
    assert found == [
        "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, "
        'found new finalizers []string{"a.b/d"}',
        'metadata.uid: Invalid value: "2": field is immutable',
    ]
    assert not list(metadata_errors(POD, old, old))
