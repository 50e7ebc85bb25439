"""What the API promises to be there: defaults and first statuses of every kind but the pod."""

# ruff: noqa: E501 -- a row of a table stays on its line

from typing import Any

import pytest

from kube.api.resources import resource_for_kind
from tests.unit.kube_api.admitting import new, row_of, tree

TEMPLATE = "template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: i}]}}"


def at(made: Any, path: str) -> Any:
    for step in path.split("."):
        made = made[int(step)] if isinstance(made, list) else made[step]
    return made


def apps(kind: str, spec: str = "") -> str:
    return f"{{apiVersion: apps/v1, kind: {kind}, spec: {{selector: {{matchLabels: {{a: b}}}}, {TEMPLATE}{spec}}}}}"


DEFAULTS: list[tuple[str, dict[str, Any]]] = [
    (apps("Deployment"), {
        "spec.replicas": 1,
        "spec.strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
        "spec.revisionHistoryLimit": 10, "spec.progressDeadlineSeconds": 600, "spec.template.spec.restartPolicy": "Always",
        "status": {},
    }),
    (apps("Deployment", ", strategy: {type: Recreate}"), {"spec.strategy": {"type": "Recreate"}}),
    (apps("ReplicaSet"), {"spec.replicas": 1, "spec.template.spec.dnsPolicy": "ClusterFirst", "status": {"replicas": 0}}),
    (apps("DaemonSet"), {
        "spec.updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}},
        "spec.revisionHistoryLimit": 10, "status.numberReady": 0,
    }),
    (apps("DaemonSet", ", updateStrategy: {type: OnDelete}"), {"spec.updateStrategy": {"type": "OnDelete"}}),
    (apps("StatefulSet", ", serviceName: s, volumeClaimTemplates: [{metadata: {name: v}, spec: {}}]"), {
        "spec.replicas": 1, "spec.podManagementPolicy": "OrderedReady", "spec.revisionHistoryLimit": 10,
        "spec.updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0, "maxUnavailable": 1}},
        "spec.persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
        "spec.volumeClaimTemplates.0.spec": {"volumeMode": "Filesystem"},
        "spec.volumeClaimTemplates.0.status": {"phase": "Pending"},
    }),
    (f"{{apiVersion: v1, kind: ReplicationController, spec: {{{TEMPLATE}}}}}", {
        "spec.replicas": 1, "spec.selector": {"a": "b"}, "metadata.labels": {"a": "b"}, "status": {"replicas": 0},
    }),
    ("{apiVersion: v1, kind: ReplicationController, spec: {}}", {"spec": {"replicas": 1}}),
    (f"{{apiVersion: v1, kind: PodTemplate, {TEMPLATE}}}", {"template.spec.restartPolicy": "Always"}),
    (f"{{apiVersion: batch/v1, kind: Job, spec: {{{TEMPLATE}}}}}", {
        "spec.completions": 1, "spec.parallelism": 1, "spec.backoffLimit": 6, "spec.completionMode": "NonIndexed",
        "spec.suspend": False, "spec.manualSelector": False, "spec.podReplacementPolicy": "TerminatingOrFailed",
        "spec.selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": "u"}}, "metadata.labels": {"a": "b"},
        "spec.template.metadata.labels": {
            "a": "b", "batch.kubernetes.io/controller-uid": "u", "batch.kubernetes.io/job-name": "x", "controller-uid": "u",
            "job-name": "x",
        },
    }),
    (f"{{apiVersion: batch/v1, kind: Job, spec: {{parallelism: 3, backoffLimitPerIndex: 1, podFailurePolicy: {{rules: [{{action:"
     f" Ignore, onPodConditions: [{{type: A}}]}}]}}, {TEMPLATE}}}}}", {
        "spec.backoffLimit": 2**31 - 1, "spec.podReplacementPolicy": "Failed",
        "spec.podFailurePolicy.rules.0.onPodConditions.0.status": "True",
    }),
    (f"{{apiVersion: batch/v1, kind: CronJob, spec: {{schedule: '* * * * *', jobTemplate: {{spec: {{{TEMPLATE}}}}}}}}}", {
        "spec.concurrencyPolicy": "Allow", "spec.suspend": False, "spec.successfulJobsHistoryLimit": 3,
        "spec.failedJobsHistoryLimit": 1, "spec.jobTemplate.spec.template.spec.dnsPolicy": "ClusterFirst", "status": {},
    }),
    ("{apiVersion: v1, kind: Service, spec: {ports: [{port: 80}, {port: 81, targetPort: x}]}}", {
        "spec.type": "ClusterIP", "spec.sessionAffinity": "None", "spec.internalTrafficPolicy": "Cluster",
        "spec.ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}, {"port": 81, "protocol": "TCP", "targetPort": "x"}],
        "status": {"loadBalancer": {}},
    }),
    ("{apiVersion: v1, kind: Service, spec: {type: LoadBalancer, sessionAffinity: ClientIP}}", {
        "spec.sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 10800}}, "spec.externalTrafficPolicy": "Cluster",
        "spec.allocateLoadBalancerNodePorts": True,
    }),
    ("{apiVersion: v1, kind: Endpoints, subsets: [{ports: [{port: 1}]}]}", {"subsets.0.ports.0.protocol": "TCP"}),
    ("{apiVersion: v1, kind: Secret, stringData: {a: hello}, data: {b: eA==}}",
     {"type": "Opaque", "data": {"a": "aGVsbG8=", "b": "eA=="}}),
    ("{apiVersion: v1, kind: Namespace}", {
        "metadata.labels": {"kubernetes.io/metadata.name": "x"}, "spec.finalizers": ["kubernetes"], "status.phase": "Active",
    }),
    ("{apiVersion: v1, kind: Node, status: {capacity: {cpu: '2'}}}", {"status.allocatable": {"cpu": "2"}}),
    ("{apiVersion: v1, kind: PersistentVolumeClaim, spec: {}}", {"spec.volumeMode": "Filesystem", "status": {"phase": "Pending"}}),
    ("{apiVersion: v1, kind: PersistentVolume, spec: {hostPath: {path: /x}}}", {
        "spec.persistentVolumeReclaimPolicy": "Retain", "spec.volumeMode": "Filesystem", "spec.hostPath.type": "",
        "status": {"phase": "Pending"},
    }),
    ("{apiVersion: v1, kind: LimitRange, spec: {limits: [{type: Container, max: {cpu: '2'}, min: {memory: 1Mi}}, {type: Pod}]}}", {
        "spec.limits.0.default": {"cpu": "2"}, "spec.limits.0.defaultRequest": {"cpu": "2", "memory": "1Mi"},
        "spec.limits.1": {"type": "Pod"},
    }),
    ("{apiVersion: v1, kind: LimitRange, spec: {limits: [{type: Container}]}}", {"spec.limits.0": {"type": "Container"}}),
    ("{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, spec: {maxReplicas: 3, behavior: {scaleUp: {selectPolicy:"
     " Min}}}}", {
        "spec.minReplicas": 1, "spec.metrics.0.resource.target": {"type": "Utilization", "averageUtilization": 80},
        "spec.behavior.scaleUp.selectPolicy": "Min", "spec.behavior.scaleUp.stabilizationWindowSeconds": 0,
        "spec.behavior.scaleDown.policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
    }),
    ("{apiVersion: autoscaling/v1, kind: HorizontalPodAutoscaler, spec: {maxReplicas: 3}}", {"spec.minReplicas": 1}),
    ("{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, spec: {egress: [{ports: [{port: 1}]}]}}", {
        "spec.podSelector": {}, "spec.policyTypes": ["Ingress", "Egress"], "spec.egress.0.ports.0.protocol": "TCP",
    }),
    ("{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, spec: {}}", {"spec.policyTypes": ["Ingress"]}),
    ("{apiVersion: networking.k8s.io/v1, kind: IngressClass, spec: {controller: a/b, parameters: {kind: K, name: n}}}",
     {"spec.parameters.scope": "Cluster"}),
    ("{apiVersion: networking.k8s.io/v1, kind: Ingress, spec: {}}", {"status": {"loadBalancer": {}}}),
    ("{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, addressType: IPv4, endpoints: [], ports: [{port: 1}]}",
     {"ports.0": {"port": 1, "name": "", "protocol": "TCP"}}),
    ("{apiVersion: policy/v1, kind: PodDisruptionBudget, spec: {}}", {"status.disruptionsAllowed": 0}),
    ("{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, roleRef: {kind: Role, name: r}, subjects: [{kind: User, name: u},"
     " {kind: ServiceAccount, name: s, namespace: d}]}", {
        "roleRef.apiGroup": "rbac.authorization.k8s.io", "subjects.0.apiGroup": "rbac.authorization.k8s.io",
        "subjects.1": {"kind": "ServiceAccount", "name": "s", "namespace": "d"},
    }),
    ("{apiVersion: storage.k8s.io/v1, kind: StorageClass, provisioner: a/b}",
     {"reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"}),
    ("{apiVersion: storage.k8s.io/v1, kind: CSIDriver, spec: {}}", {
        "spec": {
            "attachRequired": True, "podInfoOnMount": False, "storageCapacity": False, "fsGroupPolicy": "ReadWriteOnceWithFSType",
            "volumeLifecycleModes": ["Persistent"], "requiresRepublish": False, "seLinuxMount": False,
        },
    }),
    ("{apiVersion: storage.k8s.io/v1, kind: VolumeAttachment, spec: {}}", {"status": {"attached": False}}),
    ("{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass}", {"value": 0, "preemptionPolicy": "PreemptLowerPriority"}),
    ("{apiVersion: admissionregistration.k8s.io/v1, kind: MutatingWebhookConfiguration, webhooks: [{name: a.b.c, rules: [{operations:"
     " ['*']}], clientConfig: {service: {name: s, namespace: d}}}]}", {
        "webhooks.0.failurePolicy": "Fail", "webhooks.0.matchPolicy": "Equivalent", "webhooks.0.timeoutSeconds": 10,
        "webhooks.0.reinvocationPolicy": "Never", "webhooks.0.rules.0.scope": "*", "webhooks.0.clientConfig.service.port": 443,
        "webhooks.0.namespaceSelector": {}, "webhooks.0.objectSelector": {},
    }),
    ("{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicy, spec: {matchConstraints: {resourceRules:"
     " [{}]}}}", {
        "spec.failurePolicy": "Fail", "spec.matchConstraints.matchPolicy": "Equivalent",
        "spec.matchConstraints.resourceRules.0.scope": "*",
    }),
    ("{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicyBinding, spec: {policyName: p}}", {}),
    ("{apiVersion: apiregistration.k8s.io/v1, kind: APIService, spec: {service: {name: s, namespace: d}}}",
     {"spec.service.port": 443, "status": {}}),
    ("{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, spec: {names: {kind: Thing, plural: things}, conversion:"
     " {strategy: Webhook, webhook: {conversionReviewVersions: [v1], clientConfig: {service: {name: s, namespace: d}}}},"
     " versions: [{name: v1, served: true, storage: true}]}}", {
        "spec.names.singular": "thing", "spec.names.listKind": "ThingList", "status.storedVersions": ["v1"],
        "spec.conversion.webhook.clientConfig.service.port": 443,
    }),
    ("{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, spec: {}}", {"spec.conversion": {"strategy": "None"}}),
    ("{apiVersion: flowcontrol.apiserver.k8s.io/v1, kind: FlowSchema, spec: {priorityLevelConfiguration: {name: x}}}",
     {"spec.matchingPrecedence": 1000}),
    ("{apiVersion: flowcontrol.apiserver.k8s.io/v1, kind: PriorityLevelConfiguration, spec: {type: Limited, limited: {limitResponse:"
     " {type: Queue, queuing: {queues: 8}}}}}", {
        "spec.limited.nominalConcurrencyShares": 30, "spec.limited.lendablePercent": 0,
        "spec.limited.limitResponse.queuing": {"queues": 8, "handSize": 8, "queueLengthLimit": 50},
    }),
    ("{apiVersion: flowcontrol.apiserver.k8s.io/v1, kind: PriorityLevelConfiguration, spec: {type: Exempt}}",
     {"spec.exempt": {"nominalConcurrencyShares": 0, "lendablePercent": 0}}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), DEFAULTS, ids=lambda one: str(one)[:70] if isinstance(one, str) else "")
def test_defaults(text: str, expected: dict[str, Any]) -> None:
    """Rule: kubernetes pkg/apis/*/v1/defaults.go"""
    made = new(text)
    for path, value in expected.items():
        assert at(made, path) == value, path


def test_changing_a_services_type_takes_what_the_new_one_cannot_have() -> None:
    row = resource_for_kind("v1", "Service")
    old = new("{apiVersion: v1, kind: Service, spec: {type: LoadBalancer, ports: [{port: 1}]}}")
    changed = {**old, "spec": {**old["spec"], "type": "ClusterIP"}}
    row.prepare(changed, old)
    assert "externalTrafficPolicy" not in changed["spec"]
    assert "allocateLoadBalancerNodePorts" not in changed["spec"]
    named = {**old, "spec": {**old["spec"], "type": "ExternalName"}}
    row.prepare(named, old)
    assert "externalTrafficPolicy" not in named["spec"]
    same = {**old}
    row.prepare(same, old)
    assert same == old


def test_a_namespaces_finalizers_hold_it_and_only_finalize_changes_them() -> None:
    row = resource_for_kind("v1", "Namespace")
    old = new("{apiVersion: v1, kind: Namespace}")
    assert row.held(old)
    row.mark_deleted(old)
    assert old["status"]["phase"] == "Terminating"
    changed = tree("{apiVersion: v1, kind: Namespace, spec: {finalizers: []}}")
    row.prepare(changed, old)
    assert changed["spec"] == {"finalizers": ["kubernetes"]}
    assert not row.held({"spec": {}})


def test_what_was_asked_to_be_signed_stays() -> None:
    row = resource_for_kind("certificates.k8s.io/v1", "CertificateSigningRequest")
    old = {"spec": {"request": "a"}}
    changed = {"spec": {"request": "b"}}
    row.prepare(changed, old)
    assert changed["spec"] == {"request": "a"}


def test_a_definition_remembers_every_version_that_objects_may_be_stored_in() -> None:
    text = (
        "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition,"
        " spec: {versions: [{name: v1, served: true, storage: true}]}}"
    )
    old = new(text)
    changed = {**tree(text.replace("v1, served", "v2, served")), "status": old["status"]}
    row_of(changed).prepare(changed, old)
    assert changed["status"]["storedVersions"] == ["v1", "v2"]


def test_a_daemon_set_counts_its_templates() -> None:
    """Rule: kubernetes pkg/registry/apps/daemonset/strategy.go, pkg/apis/apps/v1/conversion.go"""
    name = "deprecated.daemonset.template.generation"
    text = "{apiVersion: apps/v1, kind: DaemonSet, spec: {template: {spec: {containers: [{name: c, image: i}]}}}}"
    row = row_of(tree(text))
    first = new(text)
    assert first["metadata"]["annotations"] == {name: "1"}
    same, other = tree(text), tree(text.replace("image: i", "image: j"))
    for one, expected in ((same, "1"), (other, "2")):
        one["metadata"]["annotations"] = {name: "7", "mine": "kept"}
        row.set_defaults(one)
        row.prepare(one, first)
        assert one["metadata"]["annotations"] == {name: expected, "mine": "kept"}


def test_autoscalers_of_the_older_version_lose_nothing() -> None:
    row = resource_for_kind("autoscaling/v1", "HorizontalPodAutoscaler")
    stored = new(
        "{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, spec: {maxReplicas: 3, behavior: {scaleDown: {selectPolicy: Min}}}}"
    )
    stored["spec"]["metrics"].append({"type": "Pods", "pods": {"metric": {"name": "m"}, "target": {"type": "AverageValue"}}})
    current = {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 5}}}
    stored["status"] = {"currentMetrics": [current], "conditions": [{"type": "AbleToScale", "status": "True"}]}
    older = row.view_tree(stored)
    assert older["spec"]["targetCPUUtilizationPercentage"] == 80
    assert older["status"]["currentCPUUtilizationPercentage"] == 5
    back = row.stored_tree(older)
    assert sorted(one["type"] for one in back["spec"]["metrics"]) == ["Pods", "Resource"]
    assert back["spec"]["behavior"] == stored["spec"]["behavior"]
    assert back["status"] == stored["status"]
    assert back["metadata"] == stored["metadata"]
    odd = {**older, "metadata": {"name": "x", "annotations": {"autoscaling.alpha.kubernetes.io/metrics": "{"}}}
    assert len(row.stored_tree(odd)["spec"]["metrics"]) == 1
