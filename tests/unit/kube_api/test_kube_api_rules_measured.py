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
        (of("node.k8s.io/v1", "RuntimeClass", "handler: h, overhead: {podFixed: {cpu: -1}}, scheduling: {nodeSelector: {a: '-'}, tolerations: [{key: a, operator: Exists}, {key: a, operator: Exists}, {operator: X}]}"),
         ['overhead.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0', 'scheduling.nodeSelector: Invalid value: "-"', "scheduling.tolerations.tolerations[2].operator: Invalid", "scheduling.tolerations.tolerations[2].operator: Unsupported",
          'scheduling.tolerations[1]: Duplicate value: {"Key":"a","Operator":"Exists","Value":"","Effect":"","TolerationSeconds":null}']),
        (of("storage.k8s.io/v1", "VolumeAttachment", "spec: {attacher: A_, nodeName: '', source: {persistentVolumeName: '', inlineVolumeSpec: {}}}"),
         ["spec.source: Forbidden: must specify exactly one of inlineVolumeSpec and persistentVolumeName", 'spec.nodeName: Invalid value: ""', 'spec.attacher: Invalid value: "A_"', 'spec.source.persistentVolumeName: Invalid value: ""']),
        (of("storage.k8s.io/v1", "CSINode", f"spec: {{drivers: [{{name: a, nodeID: {'n' * 193}, allocatable: {{count: -1}}, topologyKeys: [a, a, '']}}]}}"),
         ["spec.drivers[0].nodeID: Invalid", "spec.drivers[0].allocatable.count: Invalid", 'spec.drivers[0]: Duplicate value: "a"', "spec.drivers[0]: Required value", "spec.drivers[0]: Invalid", "spec.drivers[0]: Invalid"]),
        (of("apiregistration.k8s.io/v1", "APIService", "metadata: {name: v2.}, spec: {version: v2, groupPriorityMinimum: 1, versionPriority: 1, insecureSkipTLSVerify: true}"),
         ["spec.group: Required value: only v1 may have an empty group and it better be legacy kube", "spec.insecureSkipTLSVerify: Invalid value: true: local APIServices may not have insecureSkipTLSVerify"]),
        (of("autoscaling/v1", "HorizontalPodAutoscaler", "spec: {maxReplicas: 1, minReplicas: 0, targetCPUUtilizationPercentage: 0, scaleTargetRef: {kind: K, name: n}}"),
         ["spec.minReplicas: Invalid", "spec.metrics[0].resource.target.averageUtilization: Invalid value: 0: must be greater than 0", "spec.metrics: Forbidden: must specify at least one Object or External metric to support scaling to zero replicas"]),
        (of("autoscaling/v2", "HorizontalPodAutoscaler", "spec: {maxReplicas: 1, scaleTargetRef: {kind: K, name: n}, behavior: {scaleUp: {policies: [], selectPolicy: ''}}, metrics: [{}, {type: ContainerResource, containerResource: {name: a, container: A, target: {type: Value, averageValue: 1}}}]}"),
         ["spec.metrics[0].type: Required", "spec.metrics[0].type: Unsupported", "spec.metrics[0].type: Unsupported", "spec.metrics[1].containerResource.name: Invalid", "spec.metrics[1].containerResource.name: Invalid", "spec.metrics[1].containerResource.container: Invalid",
          'spec.behavior.scaleUp.selectPolicy: Unsupported value: ""', "spec.behavior.scaleUp.policies: Required value: must specify at least one Policy"]),
        (of("discovery.k8s.io/v1", "EndpointSlice", "addressType: IPv4, endpoints: [], ports: [{port: 1, protocol: ''}]"), ['ports[0].protocol: Unsupported value: ""']),
        (of("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "webhooks: [{name: A, sideEffects: None, admissionReviewVersions: [v1], clientConfig: {url: 'https:///x'}, rules: [{resources: [a, '*']}]}]"),
         ['webhooks[0].name: Invalid value: "A": a lowercase RFC 1123 subdomain', "rules[0].operations: Required", "rules[0].apiGroups: Required", "rules[0].apiVersions: Required", "clientConfig.url: Invalid value: \"\": host must be provided"]),
        (of("v1", "Pod", "spec: {containers: [{name: a, image: i, env: [{name: A, valueFrom: {fieldRef: {apiVersion: x, fieldPath: \"metadata.labels['a']\"}}}]}]}"),
         ["fieldRef.fieldPath: Invalid value: \"metadata.labels['a']\": error converting fieldPath: unsupported pod version: x"]),
    ],
)  # fmt: skip
def test_what_is_said(text: str, expected: list[str]) -> None:
    found = complaints(text)
    assert len(found) == len(expected), found
    for complaint, part in zip(found, expected, strict=True):
        assert part in complaint


def test_an_update_is_told_only_what_may_not_change() -> None:
    """Rule: kubernetes pkg/apis/scheduling/validation (ValidatePriorityClassUpdate)"""
    one = of("scheduling.k8s.io/v1", "PriorityClass", "value: %s")
    assert complaints(one % "2000000000", one % "5") == ["Value: Forbidden: may not be changed in an update."]


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


def test_a_driver_of_a_node_stays_what_it_is() -> None:
    """Rule: kubernetes pkg/apis/storage/validation (ValidateCSINodeUpdate); KEP-4876"""
    node = of("storage.k8s.io/v1", "CSINode", "spec: {drivers: [{name: a, nodeID: %s, allocatable: {count: %s}}]}")
    assert complaints(node % ("n", 2), node % ("n", 1)) == []
    found = complaints(node % ("m", 1), node % ("n", 1))
    assert len(found) == 1
    assert found[0].startswith("CSINodeDriver: Invalid value")
    assert found[0].endswith("field is immutable")


BALANCED = "type: LoadBalancer, clusterIP: 10.96.0.9, ports: [{port: 1, nodePort: 30001}]"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"{BALANCED}, externalTrafficPolicy: Local, healthCheckNodePort: 30002", f"{BALANCED}, healthCheckNodePort: 30002"),
        ("clusterIP: 10.96.0.9, ports: [{port: 1}], externalIPs: [192.0.2.1], externalTrafficPolicy: Cluster",
         "clusterIP: 10.96.0.9, ports: [{port: 1}], externalTrafficPolicy: Cluster"),
    ],
)  # fmt: skip
def test_what_a_service_can_no_longer_have_and_was_not_changed_goes(before: str, after: str) -> None:
    """Rule: kubernetes pkg/registry/core/service (dropTypeDependentFields)"""
    assert complaints(of("v1", "Service", f"spec: {{{after}}}"), of("v1", "Service", f"spec: {{{before}}}")) == []


@pytest.mark.parametrize(
    ("kind", "phase"), [("Namespace", "Active"), ("PersistentVolume", "Pending"), ("PersistentVolumeClaim", "Pending")]
)
def test_a_status_without_a_phase_gets_the_first_one(kind: str, phase: str) -> None:
    """Rule: kubernetes pkg/apis/core/v1/defaults.go"""
    made = tree(of("v1", kind, "status: {phase: ''}"))
    row_of(made).set_status_defaults(made)
    assert made["status"]["phase"] == phase


@pytest.mark.parametrize(
    ("status", "found"),
    [
        ({}, {"qosClass": "Burstable"}),
        ({"podIP": "192.0.2.1"}, {"podIP": "192.0.2.1", "podIPs": [{"ip": "192.0.2.1"}]}),
        ({"podIPs": [{"ip": "192.0.2.1"}]}, {"podIP": "192.0.2.1", "podIPs": [{"ip": "192.0.2.1"}]}),
        (
            {"podIP": "192.0.2.2", "podIPs": [{"ip": "192.0.2.1"}, {"ip": "2001:db8::1"}]},
            {"podIP": "192.0.2.2", "podIPs": [{"ip": "192.0.2.2"}]},
        ),
    ],
)
def test_what_a_writer_of_a_pods_status_leaves_out(status: dict[str, Any], found: dict[str, Any]) -> None:
    """Rule: kubernetes pkg/registry/core/pod (podStatusStrategy), pkg/apis/core/v1 (Convert_v1_PodStatus_To_core_PodStatus)"""
    row = row_of({"apiVersion": "v1", "kind": "Pod"})
    new = {"status": status}
    row.prepare_status(new, {"status": {"qosClass": "Burstable"}})
    assert new["status"] == {"qosClass": "Burstable", **found}


@pytest.mark.parametrize(
    ("api_version", "kind", "kept"),
    [
        ("v1", "Pod", {"ownerReferences"}),
        ("v1", "Service", set()),
        ("apps/v1", "Deployment", {"labels"}),
        ("storage.k8s.io/v1", "VolumeAttachment", {"annotations", "finalizers", "labels", "ownerReferences"}),
    ],
)
def test_what_a_write_to_status_leaves_as_it_is(api_version: str, kind: str, kept: set[str]) -> None:
    """Rule: kubernetes pkg/registry, each kind's status strategy"""
    assert set(row_of({"apiVersion": api_version, "kind": kind}).status_keeps) == kept
