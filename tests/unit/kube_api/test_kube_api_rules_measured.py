"""Rules that upstream's own server showed when both were sent the same objects: what its documents leave open.

Each row is an object and what validation says of it, in upstream's order.
"""

# ruff: noqa: E501 -- a row of a table stays on its line

from typing import Any

import pytest

from tests.unit.kube_api.admitting import complaints, new, row_of, tree

PATH = "rules: [{http: {paths: [{path: /, %s}]}}]"


def of(api_version: str, kind: str, more: str) -> str:
    return f"{{apiVersion: {api_version}, kind: {kind}, {more}}}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (of("networking.k8s.io/v1", "Ingress", "spec: {" + PATH % "backend: {resource: {}}" + "}"), ["spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified"]),
        (of("networking.k8s.io/v1", "Ingress", "spec: {" + PATH % "pathType: Exact, backend: {resource: {}}" + "}"),
         ["spec.rules[0].http.paths[0].backend.resource.kind: Required value: kind is required", "spec.rules[0].http.paths[0].backend.resource.name: Required value: name is required"]),
        (of("networking.k8s.io/v1", "NetworkPolicy", "spec: {ingress: [{from: [{podSelector: {}, ipBlock: {}}]}]}"),
         ["spec.ingress[0].from[0].ipBlock.cidr: Required value", "spec.ingress[0].from[0]: Forbidden: may not specify both ipBlock and another peer"]),
        (of("storage.k8s.io/v1", "StorageClass", "provisioner: p, reclaimPolicy: ''"), []),
        (of("storage.k8s.io/v1", "StorageClass", "provisioner: p, allowedTopologies: [{}]"), ['allowedTopologies[0].matchLabelExpressions: Duplicate value: ""']),
        (of("v1", "PersistentVolume", "spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], nfs: {server: s, path: /x}, flexVolume: {}}"), ["spec.flexVolume.driver: Required value"]),
        (of("v1", "Node", "spec: {podCIDRs: [10.1.0.0/24, 10.1.0.0/24]}"),
         ['spec.podCIDRs: Invalid value: ["10.1.0.0/24","10.1.0.0/24"]: may specify no more than one CIDR for each IP family', 'spec.podCIDRs[1]: Duplicate value: "10.1.0.0/24"']),
    ],
)  # fmt: skip
def test_what_is_said(text: str, expected: list[str]) -> None:
    assert complaints(text) == expected


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        (of("v1", "Node", "spec: {podCIDR: 10.1.0.0/24, podCIDRs: [10.2.0.0/24, 'fd00::/64']}"), "spec.podCIDRs", ["10.1.0.0/24"]),
        (of("v1", "Node", "spec: {podCIDR: 10.1.0.0/24, podCIDRs: [10.1.0.0/24, 'fd00::/64']}"), "spec.podCIDRs", ["10.1.0.0/24", "fd00::/64"]),
        (of("v1", "ServiceAccount", "secrets: [{name: s, namespace: d, kind: Secret}, {kind: Secret}]"), "secrets", [{"name": "s"}, {}]),
        (of("v1", "Pod", "spec: {volumes: [{awsElasticBlockStore: {}}]}"), "spec.volumes", [{"awsElasticBlockStore": {}}]),
    ],
)  # fmt: skip
def test_what_is_made_of_an_object(text: str, path: str, value: Any) -> None:
    found: Any = new(text)
    for step in path.split("."):
        found = found[step]
    assert found == value


@pytest.mark.parametrize(
    ("kind", "phase"), [("Namespace", "Active"), ("PersistentVolume", "Pending"), ("PersistentVolumeClaim", "Pending")]
)
def test_a_status_without_a_phase_gets_the_first_one(kind: str, phase: str) -> None:
    """Rule: kubernetes pkg/apis/core/v1/defaults.go"""
    made = tree(of("v1", kind, "status: {phase: ''}"))
    row_of(made).set_status_defaults(made)
    assert made["status"]["phase"] == phase
