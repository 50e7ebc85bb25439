"""What is said of claims of devices, templates, classes and slices."""

import pytest

from kube.api.meta import Tree
from kube.api.resources import resource_for
from tests.unit.kube_api.admitting import complaints

CLAIM = "apiVersion: resource.k8s.io/v1, kind: ResourceClaim"
SLICE = "apiVersion: resource.k8s.io/v1, kind: ResourceSlice"
POOL = "driver: gpu.example.com, pool: {name: rack, generation: 1, resourceSliceCount: 1}"


def claim(requests: str, more: str = "") -> str:
    return f"{{{CLAIM}, spec: {{devices: {{requests: [{requests}]{more}}}}}}}"


CASES = {
    "a request of one class": (claim("{name: gpu, exactly: {deviceClassName: gpu.example.com}}"), ""),
    "neither one device nor alternatives": (
        claim("{name: gpu}"),
        "spec.devices.requests[0]: Required value: exactly one of `exactly` or `firstAvailable` is required",
    ),
    "two requests of one name": (
        claim("{name: gpu, exactly: {deviceClassName: a}}, {name: gpu, exactly: {deviceClassName: a}}"),
        'spec.devices.requests[1]: Duplicate value: "gpu"',
    ),
    "no class": (claim("{name: gpu, exactly: {}}"), "spec.devices.requests[0].exactly.deviceClassName: Required value"),
    "all of them, and how many": (
        claim("{name: gpu, exactly: {deviceClassName: a, allocationMode: All, count: 2}}"),
        "spec.devices.requests[0].exactly.count: Invalid value: 2: must not be specified when allocationMode is 'All'",
    ),
    "a constraint on a request that there is not": (
        claim("{name: a, exactly: {deviceClassName: a}}", ", constraints: [{requests: [b], matchAttribute: d.example.com/x}]"),
        'spec.devices.constraints[0].requests[0]: Invalid value: "b": must be the name of a request in the claim',
    ),
    "a slice on a node": (f"{{{SLICE}, spec: {{{POOL}, nodeName: one}}}}", ""),
    "a slice nowhere": (f"{{{SLICE}, spec: {{{POOL}}}}}", "spec: Required value: exactly one of `nodeName`"),
    "a device twice": (
        f"{{{SLICE}, spec: {{{POOL}, allNodes: true, devices: [{{name: a}}, {{name: a}}]}}}}",
        'spec.devices[1].name: Duplicate value: "a"',
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_said_of_devices(case: str) -> None:
    """Rule: https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/ (KEP-4381)"""
    text, expected = CASES[case]
    found = complaints(text, "")
    assert (found[0].startswith(expected) and len(found) == 1) if expected else not found, found


def test_a_request_is_for_one_device_unless_it_says_otherwise() -> None:
    """Rule: KEP-4381, allocationMode."""
    row = resource_for("resource.k8s.io", "v1", "resourceclaims")
    assert row is not None
    tree: Tree = {"spec": {"devices": {"requests": [{"name": "gpu", "exactly": {"deviceClassName": "gpu"}}]}}}
    row.set_defaults(tree)
    assert tree["spec"]["devices"]["requests"][0]["exactly"] == {
        "deviceClassName": "gpu", "allocationMode": "ExactCount", "count": 1,
    }  # fmt: skip
