"""Pods: defaults, rules, quality of service, requests, the row in a table."""

from typing import Any

import pytest

from kube.api import node_affinity, pod_resources, toleration
from kube.api.core.pod_spec import pull_policy
from kube.api.pod_qos import qos_class
from kube.api.resources import resource_for_kind
from kube.api.types import Node, Pod, Taint, Toleration
from kube.api.views import lenient_view, view
from tests.unit.kube_api.admitting import complaints, new, tree

POD = resource_for_kind("v1", "Pod")


def a_pod(container: str = "", spec: str = "") -> str:
    return f"""
apiVersion: v1
kind: Pod
spec:
  {spec}
  containers:
  - {{name: c, image: i{container}}}
"""


def test_a_pod_gets_every_default() -> None:
    """Rule: kubernetes pkg/apis/core/v1/defaults.go"""
    assert new(a_pod())["spec"] == {
        "containers": [
            {
                "name": "c", "image": "i", "imagePullPolicy": "Always", "resources": {},
                "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
            }
        ],
        "dnsPolicy": "ClusterFirst", "enableServiceLinks": True, "restartPolicy": "Always", "schedulerName": "default-scheduler",
        "securityContext": {}, "terminationGracePeriodSeconds": 30,
    }  # fmt: skip


def test_a_new_pod_is_pending_and_has_a_quality_of_service() -> None:
    assert new(a_pod())["status"] == {"phase": "Pending", "qosClass": "BestEffort"}
    gated = new(a_pod(spec="schedulingGates: [{name: example.com/a}]"))["status"]["conditions"][0]
    assert gated["reason"] == "SchedulingGated"


def test_parts_of_containers_get_defaults() -> None:
    made = new(
        a_pod(
            ", ports: [{containerPort: 80}], env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}}},"
            "{name: B, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}], livenessProbe: {httpGet: {port: 80}},"
            "readinessProbe: {grpc: {port: 1}}, lifecycle: {preStop: {httpGet: {port: 80}}},"
            "resources: {limits: {cpu: '1', memory: 1Gi}, requests: {cpu: 500m}}",
            "hostNetwork: true\n  serviceAccountName: robot\n  initContainers: [{name: i, image: 'x:1'}]",
        )
    )
    container = made["spec"]["containers"][0]
    assert container["ports"] == [{"containerPort": 80, "protocol": "TCP", "hostPort": 80}]
    assert container["env"][0]["valueFrom"]["fieldRef"]["apiVersion"] == "v1"
    assert container["env"][1]["valueFrom"]["resourceFieldRef"]["divisor"] == "0"
    assert container["livenessProbe"] == {
        "httpGet": {"port": 80, "path": "/", "scheme": "HTTP"}, "timeoutSeconds": 1, "periodSeconds": 10,
        "successThreshold": 1, "failureThreshold": 3,
    }  # fmt: skip
    assert container["readinessProbe"]["grpc"] == {"port": 1, "service": ""}
    assert container["lifecycle"]["preStop"]["httpGet"]["scheme"] == "HTTP"
    assert container["resources"]["requests"] == {"cpu": "500m", "memory": "1Gi"}
    assert made["spec"]["serviceAccount"] == "robot"
    assert made["spec"]["initContainers"][0]["imagePullPolicy"] == "IfNotPresent"
    assert made["status"]["qosClass"] == "Burstable"
    assert new(a_pod(spec="serviceAccount: robot"))["spec"]["serviceAccountName"] == "robot"
    assert new(a_pod(spec="ephemeralContainers: [{name: e, image: x}]"))["spec"]["ephemeralContainers"][0]["resources"] == {}


def test_volumes_get_defaults() -> None:
    made = new(
        a_pod(
            spec="volumes: [{name: a}, {name: b, configMap: {name: x}}, {name: c, hostPath: {path: /x}}, {name: d, downwardAPI:"
            " {items: [{path: x, fieldRef: {fieldPath: metadata.name}}, {path: y, resourceFieldRef: {resource: limits.cpu}}]}},"
            " {name: e, projected: {sources: [{serviceAccountToken: {path: t}}, {downwardAPI: {items: [{path: x, fieldRef:"
            " {fieldPath: metadata.name}}]}}]}}, {name: f, ephemeral: {volumeClaimTemplate: {spec: {}}}}]"
        )
    )
    a, b, c, d, e, f = made["spec"]["volumes"]
    assert a["emptyDir"] == {}
    assert b["configMap"]["defaultMode"] == 0o644
    assert c["hostPath"] == {"path": "/x", "type": ""}
    assert d["downwardAPI"]["items"][0]["fieldRef"]["apiVersion"] == "v1"
    assert d["downwardAPI"]["items"][1]["resourceFieldRef"]["divisor"] == "0"
    assert e["projected"]["sources"][0]["serviceAccountToken"]["expirationSeconds"] == 3600
    assert e["projected"]["sources"][1]["downwardAPI"]["items"][0]["fieldRef"]["apiVersion"] == "v1"
    assert f["ephemeral"]["volumeClaimTemplate"]["spec"]["volumeMode"] == "Filesystem"


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("nginx", "Always"), ("nginx:latest", "Always"), ("nginx:1", "IfNotPresent"), ("r:5000/nginx", "Always"),
        ("r:5000/nginx:1", "IfNotPresent"), ("nginx@sha256:" + "ab" * 32, "IfNotPresent"),
        ("nginx:latest@sha256:" + "ab" * 32, "Always"), ("", "IfNotPresent"), ("No/Name", "IfNotPresent"),
    ],
)  # fmt: skip
def test_untagged_images_are_always_pulled(image: str, policy: str) -> None:
    assert pull_policy(image) == policy


REQUIRED = "Required value"


@pytest.mark.parametrize(
    ("container", "spec", "expected"),
    [
        ("", "", []),
        (", name: ''", "", [f"spec.containers[0].name: {REQUIRED}"]),
        (", name: A", "", ['spec.containers[0].name: Invalid value: "A": a lowercase RFC 1123 label must consist']),
        (", image: ''", "", [f"spec.containers[0].image: {REQUIRED}"]),
        (", image: ' i'", "", ['spec.containers[0].image: Invalid value: " i": must not have leading or trailing whitespace']),
        (", imagePullPolicy: x", "",
         ['spec.containers[0].imagePullPolicy: Unsupported value: "x": supported values: "Always", "IfNotPresent", "Never"']),
        (", ports: [{containerPort: 0}]", "", [f"spec.containers[0].ports[0].containerPort: {REQUIRED}"]),
        (", ports: [{containerPort: 70000, hostPort: -1, protocol: X, name: 'A'}]", "",
         ["ports[0].name: Invalid", "ports[0].name: Invalid",
          "ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
          "ports[0].hostPort: Invalid value: -1",
          'ports[0].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"']),
        (", ports: [{containerPort: 1, name: a}, {containerPort: 2, name: a}]", "", ['ports[1].name: Duplicate value: "a"']),
        (", env: [{name: ''}]", "", [f"env[0].name: {REQUIRED}"]),
        (", env: [{name: 1a}, {name: 'a=b'}]", "",
         ['env[1].name: Invalid value: "a=b": a valid environment variable name must consist only of printable ASCII']),
        (", env: [{name: A, value: x, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]", "",
         ["env[0].valueFrom: Invalid value: \"\": may not be specified when `value` is not empty"]),
        (", volumeMounts: [{name: v, mountPath: /x}]", "", ['volumeMounts[0].name: Not found: "v"']),
        (", volumeMounts: [{name: '', mountPath: ''}]", "",
         [f"volumeMounts[0].name: {REQUIRED}", "Not found", f"volumeMounts[0].mountPath: {REQUIRED}"]),
        (", volumeMounts: [{name: v, mountPath: /x, subPath: /a}, {name: v, mountPath: /x, subPath: a/../b}]",
         "volumes: [{name: v}]",
         ['volumeMounts.subPath: Invalid value: "/a": must be a relative path',
          'volumeMounts[1].mountPath: Invalid value: "/x": must be unique',
          'volumeMounts.subPath: Invalid value: "a/../b": must not contain \'..\'']),
        (", resources: {limits: {cpu: '-1'}}", "",
         ["resources.limits[cpu]: Invalid value: \"-1\": must be greater than or equal to 0", "resources.requests[cpu]"]),
        (", resources: {limits: {cpu: '1'}, requests: {cpu: '2'}}", "",
         ['spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1']),
        (", livenessProbe: {}", "", ["livenessProbe: Required value: must specify a handler type"]),
        (", livenessProbe: {exec: {command: [x]}, httpGet: {port: 1}, successThreshold: 2, periodSeconds: -1}", "",
         ["livenessProbe.httpGet: Forbidden: may not specify more than 1 handler type", "periodSeconds: Invalid value: -1",
          "livenessProbe.successThreshold: Invalid value: 2: must be 1"]),
        ("", "restartPolicy: x", ['spec.restartPolicy: Unsupported value: "x"']),
        ("", "dnsPolicy: x", ['spec.dnsPolicy: Unsupported value: "x"']),
        ("", "dnsPolicy: None", ["spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"]),
        ("", "dnsPolicy: None\n  dnsConfig: {searches: [a.b]}",
         ["spec.dnsConfig.nameservers: Required value: must provide at least one DNS nameserver when `dnsPolicy` is None"]),
        ("", "activeDeadlineSeconds: 0",
         ["spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive"]),
        ("", "hostname: A", ['spec.hostname: Invalid value: "A"']),
        ("", "volumes: [{name: a}, {name: a}, {name: ''}, {name: A}]",
         ['spec.volumes[1].name: Duplicate value: "a"', f"spec.volumes[2].name: {REQUIRED}", "spec.volumes[3].name: Invalid"]),
        ("", "initContainers: [{name: c, image: i, restartPolicy: Never, livenessProbe: {exec: {command: [x]}}}]",
         ['spec.initContainers[0].name: Duplicate value: "c"',
          "initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always"]),
        ("", "tolerations: [{operator: Equal}, {key: a, operator: X}, {key: a, operator: Exists, value: v}, {key: a, effect: X},"
             " {key: a, effect: NoSchedule, tolerationSeconds: 1}, {key: '-'}]",
         ["tolerations[0].operator: Invalid value: \"Equal\": operator must be Exists when `key` is empty",
          'tolerations[1].operator: Unsupported value: "X"', "tolerations[2].operator: Invalid value: \"v\": value must be empty",
          'tolerations[3].effect: Unsupported value: "X"',
          "tolerations[4].effect: Invalid value: \"NoSchedule\": effect must be 'NoExecute'", "tolerations[5].key: Invalid"]),
    ],
)  # fmt: skip
def test_pod_rules(container: str, spec: str, expected: list[str]) -> None:
    """Rule: kubernetes pkg/apis/core/validation/validation.go"""
    found = complaints(a_pod(container, spec))
    assert len(found) == len(expected), found
    for complaint, start in zip(found, expected, strict=True):
        assert start in complaint


def test_the_same_amount_written_otherwise_is_no_change() -> None:
    old, same = (view(Pod, new(a_pod(", resources: {requests: {cpu: '1'}}"))) for _ in range(2))
    same.spec.containers[0].resources.requests["cpu"] = "1000m"
    assert not list(POD.validate(same, old))


def test_a_pod_needs_containers() -> None:
    found = complaints("{apiVersion: v1, kind: Pod, spec: {}}")
    assert found == ["spec.containers: Required value"]


@pytest.mark.parametrize(
    ("new_spec", "old_spec", "expected"),
    [
        ("", "", []),
        ("activeDeadlineSeconds: 5", "", []),
        ("overhead: {cpu: 1}", "overhead: {cpu: 1}", []),
        ("tolerations: [{key: a, operator: Exists}]", "", []),
        ("nodeName: n", "", ["spec: Forbidden: pod updates may not change fields other than"]),
        ("", "tolerations: [{key: a, operator: Exists}]", ["spec.tolerations: Forbidden: existing toleration can not be modified"]),
        ("schedulingGates: [{name: a.b/g}]\n  nodeSelector: {a: b}", "schedulingGates: [{name: a.b/g}]", []),
    ],
)
def test_little_of_a_pods_spec_may_change(new_spec: str, old_spec: str, expected: list[str]) -> None:
    found = complaints(a_pod(", image: other", new_spec), a_pod("", old_spec))
    assert len(found) == len(expected), found
    for complaint, start in zip(found, expected, strict=True):
        assert start in complaint


@pytest.mark.parametrize(
    ("spec", "status", "asked", "seconds"),
    [
        ({"nodeName": "n"}, {}, None, 30), ({"nodeName": "n", "terminationGracePeriodSeconds": 5}, {}, None, 5),
        ({"nodeName": "n"}, {}, 7, 7), ({"nodeName": "n"}, {}, 0, 0), ({}, {}, None, 0),
        ({"nodeName": "n"}, {"phase": "Failed"}, 9, 0),
        ({"nodeName": "n", "terminationGracePeriodSeconds": -5}, {}, None, 1),
    ],
)  # fmt: skip
def test_grace_is_what_was_asked_or_the_specs(
    spec: dict[str, Any], status: dict[str, Any], asked: int | None, seconds: int
) -> None:
    """Rule: kubernetes pkg/registry/core/pod/strategy.go CheckGracefulDelete"""
    assert POD.grace_seconds({"spec": spec, "status": status}, asked) == seconds


def test_ended_pods_rows_are_completed() -> None:
    assert POD.row_conditions({"status": {"phase": "Succeeded"}})[0]["message"] == "The pod has completed successfully."
    assert POD.row_conditions({"status": {"phase": "Running"}}) == []


def test_pods_are_selected_by_their_fields() -> None:
    made = new(a_pod(spec="nodeName: n\n  hostNetwork: true"))
    assert POD.field_selectors["spec.nodeName"](made) == "n"
    assert POD.field_selectors["spec.hostNetwork"](made) == "true"
    assert POD.field_selectors["status.phase"](made) == "Pending"
    assert POD.field_selectors["status.podIP"]({}) == ""


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ("", "BestEffort"), ("limits: {cpu: '1', memory: 1Gi}", "Guaranteed"),
        ("limits: {cpu: '1', memory: 1Gi}, requests: {cpu: '1', memory: 500Mi}", "Burstable"), ("limits: {cpu: '1'}", "Burstable"),
        ("requests: {cpu: '0'}", "BestEffort"), ("limits: {example.com/gpu: '1'}", "BestEffort"),
    ],
)  # fmt: skip
def test_quality_of_service(resources: str, expected: str) -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/"""
    assert qos_class(view(Pod, new(a_pod(f", resources: {{{resources}}}")))) == expected


def test_effective_requests_count_sidecars_and_the_greediest_init_container() -> None:
    """Rule: KEP-753"""
    pod = view(
        Pod,
        new(
            a_pod(
                ", resources: {requests: {cpu: 100m, memory: 1Ki}, limits: {cpu: 200m}}",
                "overhead: {cpu: 10m}\n  initContainers: [{name: s, image: i, restartPolicy: Always, resources:"
                " {requests: {cpu: 50m}}}, {name: i, image: i, resources: {requests: {cpu: 300m}}}]",
            )
        ),
    )
    assert pod_resources.requests(pod) == {"cpu": 360, "memory": 1024}
    assert pod_resources.limits(pod) == {"cpu": 210}


def test_what_the_whole_pod_asks_for_takes_the_place_of_its_containers_sum() -> None:
    """Rule: KEP-2837: CPU, memory and huge pages; the quality of service follows from the pod's own then."""
    container = ", resources: {requests: {cpu: 100m, memory: 1Ki, example.com/gpu: 1}, limits: {example.com/gpu: 1}}"
    tree = new(a_pod(container, "resources: {requests: {cpu: 1, memory: 1Mi}, limits: {cpu: 1, memory: 1Mi}}"))
    pod = view(Pod, tree)
    assert pod_resources.requests(pod) == {"cpu": 1000, "memory": 1 << 20, "example.com/gpu": 1}
    assert pod_resources.limits(pod) == {"cpu": 1000, "memory": 1 << 20, "example.com/gpu": 1}
    assert qos_class(pod) == "Guaranteed"


@pytest.mark.parametrize(
    ("key", "operator", "value", "effect", "expected"),
    [
        ("k", "Equal", "v", "NoSchedule", True), ("k", None, "v", None, True), ("k", "Equal", "x", "NoSchedule", False),
        ("k", "Exists", None, None, True), (None, "Exists", None, None, True), ("other", "Exists", None, None, False),
        ("k", "Equal", "v", "NoExecute", False),
    ],
)  # fmt: skip
def test_tolerations(key: Any, operator: Any, value: Any, effect: Any, expected: bool) -> None:
    taint = Taint(key="k", value="v", effect="NoSchedule")
    assert toleration.tolerates(Toleration(key=key, operator=operator, value=value, effect=effect), taint) is expected


def test_taints_without_a_toleration() -> None:
    taints = [Taint(key="k", value="v", effect="NoSchedule"), Taint(key="k", value="v", effect="NoExecute")]
    assert toleration.untolerated(None, taints, ("NoSchedule",)) == taints[:1]
    assert toleration.untolerated([Toleration(operator="Exists")], taints, ("NoSchedule", "NoExecute")) == []


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("", True), ("nodeSelector: {zone: a}", True), ("nodeSelector: {zone: b}", False),
        ("key: zone, operator: In, values: [a]", True), ("key: zone, operator: NotIn, values: [a]", False),
        ("key: zone, operator: Exists", True), ("key: rack, operator: DoesNotExist", True),
        ("key: size, operator: Gt, values: ['4']", True), ("key: size, operator: Lt, values: ['4']", False),
        ("key: zone, operator: Gt, values: ['4']", False), ("key: zone, operator: X", False), ("key:", False),
    ],
)  # fmt: skip
def test_required_node_affinity(spec: str, expected: bool) -> None:
    """Rule: https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/"""
    if spec.startswith("key"):
        spec = spec if spec != "key:" else ""
        terms = f"{{nodeSelectorTerms: [{{matchExpressions: [{f'{{{spec}}}' if spec else ''}]}}]}}"
        spec = f"affinity: {{nodeAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: {terms}}}}}"
    node = view(Node, {"metadata": {"name": "n", "labels": {"zone": "a", "size": "5"}}})
    assert node_affinity.wanted(view(Pod, new(a_pod(spec=spec))), node) is expected


def test_a_lenient_view_of_a_pod_can_be_validated() -> None:
    made = tree("{apiVersion: v1, kind: Pod, spec: {containers: [{}]}}")
    POD.set_defaults(made)
    found = [str(error) for error in POD.validate(lenient_view(Pod, made), None)]
    assert found == ["spec.containers[0].name: Required value", "spec.containers[0].image: Required value"]
