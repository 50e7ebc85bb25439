"""The rows of every kind but the pod, and the rules of their cells."""

# ruff: noqa: E501 -- a row of a table stays on its line

from typing import Any

import pytest

from tests.unit.kube_api.admitting import cells, row_of, shown, tree

TEMPLATE = "template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: i}, {name: d, image: j}], nodeSelector: {disk: ssd}}}"
SELECTOR = "selector: {matchLabels: {a: b}, matchExpressions: [{key: x, operator: In, values: [y]}]}"
WIDE = ["c,d", "i,j", "a=b,x in (y)"]


def core(kind: str, more: str) -> str:
    return f"{{apiVersion: v1, kind: {kind}, {more}}}"


def of(group: str, kind: str, more: str) -> str:
    return f"{{apiVersion: {group}/v1, kind: {kind}, {more}}}"


ROWS: list[tuple[str, list[Any]]] = [
    (of("apps", "Deployment", f"spec: {{replicas: 3, {SELECTOR}, {TEMPLATE}}}, status: {{readyReplicas: 1, updatedReplicas: 2}}"), ["x", "1/3", 2, 0, "60m", *WIDE]),
    (of("apps", "ReplicaSet", f"spec: {{replicas: 3, {SELECTOR}, {TEMPLATE}}}, status: {{replicas: 2, readyReplicas: 1}}"), ["x", 3, 2, 1, "60m", *WIDE]),
    (core("ReplicationController", f"spec: {{replicas: 3, selector: {{a: b}}, {TEMPLATE}}}, status: {{replicas: 2}}"), ["x", 3, 2, 0, "60m", "c,d", "i,j", "a=b"]),
    (of("apps", "DaemonSet", f"spec: {{{SELECTOR}, {TEMPLATE}}}, status: {{desiredNumberScheduled: 3, currentNumberScheduled: 2, numberReady: 1, numberMisscheduled: 0}}"), ["x", 3, 2, 1, 0, 0, "disk=ssd", "60m", *WIDE]),
    (of("apps", "StatefulSet", f"spec: {{replicas: 2, serviceName: s, {SELECTOR}, {TEMPLATE}}}, status: {{replicas: 2, readyReplicas: 1}}"), ["x", "1/2", "60m", "c,d", "i,j"]),
    (of("apps", "ControllerRevision", "metadata: {ownerReferences: [{apiVersion: apps/v1, kind: StatefulSet, name: web, uid: u, controller: true}]}, revision: 4, data: {a: 1}"), ["x", "statefulset.apps/web", 4, "60m"]),
    (of("apps", "ControllerRevision", "revision: 4, data: {a: 1}"), ["x", "<none>", 4, "60m"]),
    (core("PodTemplate", TEMPLATE), ["x", "c,d", "i,j", "a=b"]),
    (of("batch", "CronJob", f"spec: {{schedule: '* * * * *', suspend: false, jobTemplate: {{spec: {{{TEMPLATE}}}}}}}, status: {{active: [{{}}], lastScheduleTime: '2026-01-01T00:59:00Z'}}"), ["x", "* * * * *", "<none>", "False", 1, "60s", "60m", "c,d", "i,j", "<none>"]),
    (of("batch", "CronJob", f"spec: {{schedule: '* * * * *', timeZone: Etc/UTC, jobTemplate: {{spec: {{{TEMPLATE}}}}}}}"), ["x", "* * * * *", "Etc/UTC", "<unset>", 0, "<none>", "60m", "c,d", "i,j", "<none>"]),
    ("{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, spec: {minReplicas: 1, maxReplicas: 3, scaleTargetRef: {kind: Deployment, name: d}}}", ["x", "Deployment/d", "<none>", "1", 3, 0, "60m"]),
    ("{apiVersion: autoscaling/v1, kind: HorizontalPodAutoscaler, spec: {maxReplicas: 3, targetCPUUtilizationPercentage: 50, scaleTargetRef: {kind: Deployment, name: d}}, status: {currentReplicas: 2, desiredReplicas: 2}}", ["x", "Deployment/d", "cpu: <unknown>/50%", "<unset>", 3, 2, "60m"]),
    ("{apiVersion: autoscaling/v1, kind: HorizontalPodAutoscaler, spec: {maxReplicas: 3, minReplicas: 2, scaleTargetRef: {kind: Deployment, name: d}}, status: {currentReplicas: 2, desiredReplicas: 2}}", ["x", "Deployment/d", "<none>", "2", 3, 2, "60m"]),
    (core("ConfigMap", "data: {a: b}, binaryData: {c: eA==}"), ["x", 2, "60m"]),
    (core("Secret", "type: Opaque, data: {a: eA==}"), ["x", "Opaque", 1, "60m"]),
    (core("ServiceAccount", "secrets: [{name: a}]"), ["x", 1, "60m"]),
    (core("Namespace", "status: {phase: Active}"), ["x", "Active", "60m"]),
    (core("ComponentStatus", "conditions: [{type: Healthy, status: 'True', message: ok}]"), ["x", "Healthy", "ok", ""]),
    (core("ComponentStatus", "conditions: [{type: Healthy, status: 'False', error: bad}]"), ["x", "Unhealthy", "", "bad"]),
    (core("ComponentStatus", "conditions: []"), ["x", "Unknown", "", ""]),
    (core("ResourceQuota", "status: {hard: {pods: 10, cpu: 2, limits.cpu: 4}, used: {pods: 3, cpu: 500m}}"), ["x", "cpu: 500m/2, pods: 3/10", "limits.cpu: 0/4", "60m"]),
    (core("Endpoints", "subsets: [{addresses: [{ip: 10.0.0.1}, {ip: 10.0.0.2}, {ip: 'fd00::1'}, {ip: 10.0.0.3}], ports: [{port: 80}]}]"), ["x", "10.0.0.1:80,10.0.0.2:80,[fd00::1]:80 + 1 more...", "60m"]),
    (core("Endpoints", "subsets: [{addresses: [{ip: 10.0.0.1}]}]"), ["x", "10.0.0.1", "60m"]),
    (core("Endpoints", "metadata: {}"), ["x", "<none>", "60m"]),
    (core("PersistentVolume", "spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteMany, ReadWriteOnce, ReadWriteOnce], claimRef: {namespace: n, name: c}, storageClassName: s, persistentVolumeReclaimPolicy: Retain, volumeMode: Block}, status: {phase: Bound}"), ["x", "1Gi", "RWO,RWX", "Retain", "Bound", "n/c", "s", "<unset>", "", "60m", "Block"]),
    (core("PersistentVolume", "metadata: {deletionTimestamp: '2026-01-01T00:00:00Z'}, spec: {}, status: {phase: Bound}"), ["x", "0", "", "", "Terminating", "", "", "<unset>", "", "60m", "<unset>"]),
    (core("PersistentVolumeClaim", "spec: {volumeName: v, storageClassName: s, volumeMode: Block}, status: {phase: Bound, capacity: {storage: 1Gi}, accessModes: [ReadOnlyMany, ReadWriteOncePod]}"), ["x", "Bound", "v", "1Gi", "ROX,RWOP", "s", "<unset>", "60m", "Block"]),
    (core("PersistentVolumeClaim", "metadata: {deletionTimestamp: '2026-01-01T00:00:00Z', annotations: {volume.beta.kubernetes.io/storage-class: old}}, spec: {}, status: {phase: Pending}"), ["x", "Terminating", "", "", "", "old", "<unset>", "60m", "<unset>"]),
    (of("networking.k8s.io", "Ingress", "spec: {ingressClassName: c, tls: [{}], rules: [{host: a}, {host: b}, {host: c}, {host: d}]}, status: {loadBalancer: {ingress: [{ip: 2.2.2.2}, {hostname: h}]}}"), ["x", "c", "a,b,c + 1 more...", "2.2.2.2,h", "80, 443", "60m"]),
    (of("networking.k8s.io", "Ingress", "spec: {rules: [{}]}"), ["x", "<none>", "*", "", "80", "60m"]),
    (of("networking.k8s.io", "IngressClass", "spec: {controller: a/b}"), ["x", "a/b", "<none>", "60m"]),
    (of("networking.k8s.io", "IngressClass", "spec: {controller: a/b, parameters: {apiGroup: g, kind: K, name: n}}"), ["x", "a/b", "K.g/n", "60m"]),
    (of("networking.k8s.io", "NetworkPolicy", "spec: {podSelector: {}}"), ["x", "<none>", "60m"]),
    (of("networking.k8s.io", "IPAddress", "spec: {parentRef: {resource: services, namespace: d, name: s}}"), ["x", "services/d/s"]),
    (of("discovery.k8s.io", "EndpointSlice", "addressType: IPv4, endpoints: [], ports: [{name: a}, {}, {port: 1}, {port: 2}]"), ["x", "IPv4", "a,*,1 + 1 more...", "<unset>", "60m"]),
    (of("policy", "PodDisruptionBudget", "spec: {minAvailable: 50%}, status: {disruptionsAllowed: 1, currentHealthy: 1, desiredHealthy: 1, expectedPods: 2}"), ["x", "50%", "N/A", 1, "60m"]),
    (of("rbac.authorization.k8s.io", "RoleBinding", "roleRef: {apiGroup: g, kind: Role, name: r}, subjects: [{kind: User, name: u}, {kind: User, name: v}, {kind: Group, name: g}, {kind: ServiceAccount, name: s, namespace: n}]"), ["x", "Role/r", "60m", "u, v", "g", "n/s"]),
    (of("storage.k8s.io", "StorageClass", "metadata: {annotations: {storageclass.kubernetes.io/is-default-class: 'true'}}, provisioner: p"), ["x (default)", "p", "Delete", "<unset>", False, "60m"]),
    (of("storage.k8s.io", "StorageClass", "provisioner: p, reclaimPolicy: Retain, volumeBindingMode: Immediate, allowVolumeExpansion: true"), ["x", "p", "Retain", "Immediate", True, "60m"]),
    (of("storage.k8s.io", "CSIDriver", "spec: {}"), ["x", False, False, False, "<unset>", False, "<none>", "60m"]),
    (of("storage.k8s.io", "CSINode", "spec: {drivers: []}"), ["x", 0, "60m"]),
    (of("coordination.k8s.io", "Lease", "metadata: {}"), ["x", "", "60m"]),
    (of("certificates.k8s.io", "CertificateSigningRequest", "spec: {request: eA==, signerName: s, username: u, expirationSeconds: 3600}, status: {conditions: [{type: Approved, status: 'True'}, {type: Failed, status: 'True'}], certificate: eA==}"), ["x", "60m", "s", "u", "60m", "Approved,Failed,Issued"]),
    (of("certificates.k8s.io", "CertificateSigningRequest", "spec: {request: eA==, signerName: s}, status: {conditions: [{type: Denied, status: 'True'}]}"), ["x", "60m", "s", "", "<none>", "Denied"]),
    (of("apiregistration.k8s.io", "APIService", "spec: {group: a, version: v1, groupPriorityMinimum: 1, versionPriority: 1}"), ["x", "Local", "Unknown", "60m"]),
    (of("apiregistration.k8s.io", "APIService", "spec: {group: a, version: v1, groupPriorityMinimum: 1, versionPriority: 1, service: {name: s, namespace: n}}, status: {conditions: [{type: Available, status: 'False', reason: Why}]}"), ["x", "n/s", "False (Why)", "60m"]),
    (of("flowcontrol.apiserver.k8s.io", "FlowSchema", "spec: {matchingPrecedence: 5, priorityLevelConfiguration: {name: p}}, status: {conditions: [{type: Dangling, status: 'False'}]}"), ["x", "p", 5, "<none>", "60m", "False"]),
    (of("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration", "spec: {type: Exempt}"), ["x", "Exempt", "<none>", "<none>", "<none>", "<none>", "60m"]),
    (of("admissionregistration.k8s.io", "ValidatingAdmissionPolicy", "spec: {}"), ["x", 0, "<unset>", "60m"]),
    (of("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding", "spec: {policyName: p}"), ["x", "p", "<unset>", "60m"]),
    (of("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding", "spec: {policyName: p, paramRef: {selector: {}}}"), ["x", "p", "*", "60m"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), ROWS, ids=lambda one: str(one)[:80] if isinstance(one, str) else "")
def test_rows(text: str, expected: list[Any]) -> None:
    """Rule: kubernetes pkg/printers/internalversion/printers.go"""
    assert cells(text) == expected


@pytest.mark.parametrize(
    ("spec", "status", "expected"),
    [
        ("type: ClusterIP, clusterIP: 10.0.0.1, ports: [{port: 80, protocol: TCP}]", "{}", ["10.0.0.1", "<none>", "80/TCP"]),
        (
            "type: NodePort, clusterIP: 10.0.0.1, externalIPs: [1.1.1.1, 2.2.2.2], ports: [{port: 80, nodePort: 30080, protocol: TCP}, {port: 53, protocol: UDP}]",
            "{}",
            ["10.0.0.1", "1.1.1.1,2.2.2.2", "80:30080/TCP,53/UDP"],
        ),
        ("type: LoadBalancer, clusterIP: 10.0.0.1", "{}", ["10.0.0.1", "<pending>", "<none>"]),
        (
            "type: LoadBalancer, clusterIP: 10.0.0.1, externalIPs: [3.3.3.3]",
            "{loadBalancer: {ingress: [{ip: 2.2.2.2}, {hostname: h}]}}",
            ["10.0.0.1", "2.2.2.2,h,3.3.3.3", "<none>"],
        ),
        ("type: ExternalName, externalName: example.com", "{}", ["<none>", "example.com", "<none>"]),
        ("type: ClusterIP, clusterIP: None", "{}", ["None", "<none>", "<none>"]),
    ],
)
def test_services(spec: str, status: str, expected: list[str]) -> None:
    found = shown(core("Service", f"spec: {{selector: {{a: b}}, {spec}}}, status: {status}"))
    assert [found[name] for name in ("Cluster-IP", "External-IP", "Port(s)")] == expected
    assert found["Selector"] == "a=b"


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ("status: {conditions: [{type: Ready, status: 'True'}]}", "Ready"),
        ("status: {conditions: [{type: Ready, status: 'False'}]}", "NotReady"),
        ("status: {conditions: [{type: Ready, status: Unknown}]}", "NotReady"),
        ("spec: {unschedulable: true}, status: {conditions: [{type: Ready, status: 'True'}]}", "Ready,SchedulingDisabled"),
        ("metadata: {}", "Unknown"),
    ],
)
def test_node_status(more: str, status: str) -> None:
    assert shown(core("Node", more))["Status"] == status


def test_node_cells() -> None:
    labels = "metadata: {labels: {node-role.kubernetes.io/worker: '', node-role.kubernetes.io/control-plane: '', kubernetes.io/role: old, node-role.kubernetes.io/: ''}}"
    info = "architecture: a, bootID: b, containerRuntimeVersion: docker://20, kernelVersion: '6', kubeProxyVersion: v1, kubeletVersion: v1.36.0, machineID: m, operatingSystem: linux, osImage: Debian, systemUUID: u"
    found = shown(core("Node", f"{labels}, status: {{addresses: [{{type: InternalIP, address: 10.0.0.1}}], nodeInfo: {{{info}}}}}"))
    assert found["Roles"] == "control-plane,old,worker"
    assert [found[name] for name in ("Version", "Internal-IP", "External-IP", "OS-Image", "Kernel-Version", "Container-Runtime")] == [
        "v1.36.0", "10.0.0.1", "<none>", "Debian", "6", "docker://20",
    ]  # fmt: skip
    bare = shown(core("Node", "metadata: {}"))
    assert (bare["Roles"], bare["Version"], bare["OS-Image"]) == ("<none>", "", "<unknown>")


@pytest.mark.parametrize(
    ("spec", "status", "expected"),
    [
        ("completions: 3", "succeeded: 1, startTime: '2026-01-01T00:58:00Z'", ["Running", "1/3", "2m"]),
        (
            "completions: 3",
            "startTime: '2026-01-01T00:00:00Z', completionTime: '2026-01-01T00:00:05Z', conditions: [{type: Complete, status: 'True'}, {type: Failed, status: 'False'}]",
            ["Complete", "0/3", "5s"],
        ),
        ("parallelism: 4", "conditions: [{type: FailureTarget, status: 'True'}]", ["FailureTarget", "0/1 of 4", ""]),
        (
            "parallelism: 1",
            "conditions: [{type: Suspended, status: 'True'}, {type: FailureTarget, status: 'True'}]",
            ["Suspended", "0/1", ""],
        ),
        ("suspend: false", "conditions: [{type: Failed, status: 'True'}]", ["Failed", "0/1", ""]),
    ],
)
def test_jobs(spec: str, status: str, expected: list[str]) -> None:
    found = shown(of("batch", "Job", f"spec: {{{spec}, {TEMPLATE}}}, status: {{{status}}}"))
    assert [found[name] for name in ("Status", "Completions", "Duration")] == expected


def test_a_job_that_is_being_deleted() -> None:
    found = shown(of("batch", "Job", f"metadata: {{deletionTimestamp: '2026-01-01T00:00:00Z'}}, spec: {{{TEMPLATE}}}"))
    assert found["Status"] == "Terminating"


METRICS = "metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}, %s]"


@pytest.mark.parametrize(
    ("more", "current", "expected"),
    [
        ("{type: Pods, pods: {metric: {name: m}, target: {type: AverageValue, averageValue: 5}}}", "[]", "cpu: <unknown>/80%, <unknown>/5"),
        ("{type: Object, object: {metric: {name: m}, describedObject: {kind: K, name: n}, target: {type: Value, value: 5}}}",
         "[{type: Resource, resource: {name: cpu, current: {averageUtilization: 12}}}, {type: Object, object: {metric: {name: m}, describedObject: {kind: K, name: n}, current: {value: 3}}}]", "cpu: 12%/80%, 3/5"),
        ("{type: External, external: {metric: {name: m}, target: {type: AverageValue, averageValue: 5}}}, {type: X}", "[]", "cpu: <unknown>/80%, <unknown>/5 (avg) + 1 more..."),
        ("{type: X}", "[]", "cpu: <unknown>/80%, <unknown type>"),
        ("{type: Resource, resource: {name: memory, target: {type: AverageValue, averageValue: 5Mi}}}", "[]", "cpu: <unknown>/80%, memory: <unknown>/5Mi"),
    ],
)  # fmt: skip
def test_autoscalers_targets(more: str, current: str, expected: str) -> None:
    spec = f"spec: {{maxReplicas: 3, scaleTargetRef: {{kind: D, name: d}}, {METRICS % more}}}"
    text = f"{{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, {spec}, status: {{desiredReplicas: 1, currentMetrics: {current}}}}}"
    assert shown(text)["Targets"] == expected


EVENT = "involvedObject: {kind: Pod, name: p, fieldPath: 'spec.containers{c}'}, type: Normal, reason: Why, message: ' hello '"


def test_events_come_in_their_own_order() -> None:
    found = cells(
        core(
            "Event",
            f"{EVENT}, count: 3, firstTimestamp: '2026-01-01T00:00:00Z', lastTimestamp: '2026-01-01T00:59:00Z', source: {{component: kubelet, host: n}}",
        )
    )
    assert found == ["60s", "Normal", "Why", "pod/p", "spec.containers{c}", "kubelet, n", "hello", "60m", 3, "x"]
    series = cells(
        core(
            "Event",
            f"{EVENT}, eventTime: '2026-01-01T00:00:00.000000Z', series: {{count: 7, lastObservedTime: '2026-01-01T00:59:00.000000Z'}}, reportingComponent: scheduler, reportingInstance: i",
        )
    )
    assert series == ["60s", "Normal", "Why", "pod/p", "spec.containers{c}", "scheduler, i", "hello", "60m", 7, "x"]
    bare = cells(core("Event", "involvedObject: {kind: Pod}, metadata: {}"))
    assert bare == ["<unknown>", "", "", "pod", "", "", "", "<unknown>", 1, "x"]


def test_the_newer_events_have_the_same_row() -> None:
    regarding = "regarding: {kind: Pod, name: p}, type: Normal, reason: Why, note: hello, eventTime: '2026-01-01T00:00:00.000000Z'"
    found = cells(of("events.k8s.io", "Event", f"{regarding}, reportingController: scheduler, reportingInstance: i"))
    assert found == ["60m", "Normal", "Why", "pod/p", "", "scheduler, i", "hello", "60m", 1, "x"]
    series = cells(
        of(
            "events.k8s.io",
            "Event",
            f"{regarding}, series: {{count: 2, lastObservedTime: '2026-01-01T00:59:00.000000Z'}}, deprecatedSource: {{component: c}}",
        )
    )
    assert (series[0], series[5], series[8]) == ("60s", "c", 2)
    bare = cells(of("events.k8s.io", "Event", "eventTime: null"))
    assert bare == ["<unknown>", "", "", "", "", "", "", "<unknown>", 1, "x"]
    unnamed = cells(of("events.k8s.io", "Event", "regarding: {kind: Pod}, eventTime: null"))
    assert unnamed[3] == "pod"


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        (core("Event", EVENT), "involvedObject.name", "p"), (core("Event", EVENT), "reason", "Why"),
        (core("Event", "reportingComponent: c, involvedObject: {}"), "source", "c"),
        (of("events.k8s.io", "Event", "regarding: {name: p}, eventTime: null"), "regarding.name", "p"),
        (of("events.k8s.io", "Event", "type: Normal, eventTime: null"), "type", "Normal"),
        (core("Secret", "type: t"), "type", "t"), (core("Namespace", "status: {phase: Active}"), "status.phase", "Active"),
        (core("Node", "spec: {unschedulable: true}"), "spec.unschedulable", "true"), (core("Node", "spec: {}"), "spec.unschedulable", "false"),
        (core("Service", "spec: {clusterIP: 10.0.0.1}"), "spec.clusterIP", "10.0.0.1"), (core("Service", "spec: {type: NodePort}"), "spec.type", "NodePort"),
        (core("ReplicationController", "status: {replicas: 3}"), "status.replicas", "3"), (of("apps", "ReplicaSet", "spec: {}"), "status.replicas", "0"),
        (of("batch", "Job", "status: {succeeded: 2}"), "status.successful", "2"),
        (of("certificates.k8s.io", "CertificateSigningRequest", "spec: {request: eA==, signerName: s}"), "spec.signerName", "s"),
    ],
)  # fmt: skip
def test_objects_are_selected_by_fields(text: str, field: str, value: str) -> None:
    """Rule: the GetAttrs of each kind's strategy"""
    made = tree(text)
    assert row_of(made).field_selectors[field](made) == value
