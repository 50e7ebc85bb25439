"""What validation says of every kind but the pod: one table a group, each row an object and the starts of its complaints."""

# ruff: noqa: E501 -- a row of a table stays on its line

import pytest

from kube.api.resources import resource_for_kind
from kube.api.views import view
from tests.unit.kube_api.admitting import complaints, core, tree

POD = "spec: {containers: [{name: c, image: i}]}"
TEMPLATE = f"template: {{metadata: {{labels: {{a: b}}}}, {POD}}}"
SELECTOR = "selector: {matchLabels: {a: b}}"


def apps(kind: str, spec: str = "", selector: str = SELECTOR, template: str = TEMPLATE) -> str:
    return f"{{apiVersion: apps/v1, kind: {kind}, spec: {{{', '.join(part for part in (selector, template, spec) if part)}}}}}"


def of(group: str, kind: str, more: str) -> str:
    return f"{{apiVersion: {group}/v1, kind: {kind}, {more}}}"


def check(text: str, expected: list[str], old: str = "") -> None:
    found = complaints(text, old)
    assert len(found) == len(expected), found
    for complaint, part in zip(found, expected, strict=True):
        assert part in complaint


NEVER = f"template: {{metadata: {{labels: {{a: b}}}}, {POD.replace('spec: {', 'spec: {restartPolicy: Never, ')}}}"
ALWAYS_ONLY = 'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (apps("Deployment"), []),
        (apps("Deployment", selector=""), ["spec.selector: Required value", "`selector` does not match"]),
        (apps("Deployment", selector="selector: {matchLabels: {a: x}}"), ["spec.template.metadata.labels: Invalid value: {\"a\":\"b\"}: `selector` does not match template `labels`"]),
        (apps("Deployment", selector="selector: {matchLabels: {'-': x}}", template=f"template: {{{POD}}}"), ["spec.selector.matchLabels: Invalid", "spec.selector: Invalid value: {\"matchLabels\":{\"-\":\"x\"}}: invalid label selector"]),
        (apps("Deployment", selector="selector: {matchExpressions: [{key: a, operator: In}, {key: a, operator: Exists, values: [b]}, {key: '', operator: X}]}"),
         ["matchExpressions[0].values: Required value", "matchExpressions[1].values: Forbidden", 'matchExpressions[2].operator: Invalid value: "X": not a valid selector operator', "matchExpressions[2].key: Invalid", "matchExpressions[2].key: Invalid", "invalid label selector"]),
        (apps("Deployment", "replicas: -1, minReadySeconds: -1, revisionHistoryLimit: -1"), ["spec.replicas: Invalid value: -1: must be greater than or equal to 0", "spec.minReadySeconds", "spec.revisionHistoryLimit"]),
        (apps("Deployment", "minReadySeconds: 600"), ["spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds"]),
        (apps("Deployment", "strategy: {type: X}"), ['spec.strategy: Unsupported value: {"Type":"X","RollingUpdate":null}: supported values: "Recreate", "RollingUpdate"']),
        (apps("Deployment", "strategy: {type: Recreate, rollingUpdate: {maxSurge: 1}}"), ["spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"]),
        (apps("Deployment", "strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 0}}"), ["spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0"]),
        (apps("Deployment", "strategy: {rollingUpdate: {maxSurge: x, maxUnavailable: 200%}}"), ['maxSurge: Invalid value: "x": a valid percent string', 'maxUnavailable: Invalid value: "200%": must not be greater than 100%']),
        (apps("Deployment", template=NEVER), [ALWAYS_ONLY]),
        (apps("Deployment", template=TEMPLATE.replace("{a: b}", "{a: b, '-': c}").replace("labels", "annotations: {'/': x}, labels")), ["spec.template.labels: Invalid", *["spec.template.annotations: Invalid"] * 3]),
        (apps("Deployment", selector="selector: {matchExpressions: []}"), ["empty selector is invalid for deployment"]),
        (apps("ReplicaSet"), []),
        (apps("ReplicaSet", "replicas: -1", template=""), ["spec.replicas: Invalid", "spec.template.metadata.labels: Invalid value: null: `selector` does not match", "spec.template.spec.containers: Required"]),
        (apps("ReplicaSet", template=NEVER), [ALWAYS_ONLY]),
        (apps("DaemonSet"), []),
        (apps("DaemonSet", template=NEVER.replace("{restartPolicy", "{activeDeadlineSeconds: 5, restartPolicy")), [ALWAYS_ONLY, "activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in DaemonSet is not Supported"]),
        (apps("DaemonSet", "updateStrategy: {type: X}"), ["spec.updateStrategy: Unsupported"]),
        (apps("DaemonSet", "updateStrategy: {type: OnDelete}"), []),
        (apps("DaemonSet", "updateStrategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 1}}"), ["maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero"]),
        (apps("DaemonSet", "updateStrategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 0}}"), ["maxUnavailable: Required value: cannot be 0 when maxSurge is 0"]),
        (apps("StatefulSet", "serviceName: s"), []),
        (apps("StatefulSet", "podManagementPolicy: X, updateStrategy: {type: X}, persistentVolumeClaimRetentionPolicy: {whenDeleted: X}, ordinals: {start: -1}"),
         ['spec.podManagementPolicy: Invalid value: "X": must be \'OrderedReady\' or \'Parallel\'', 'spec.updateStrategy: Invalid value: {"Type":"X","RollingUpdate":null}: must be \'RollingUpdate\' or \'OnDelete\'', "whenDeleted: Unsupported", "spec.ordinals.start: Invalid"]),
        (apps("StatefulSet", "updateStrategy: {type: '', rollingUpdate: {partition: -1}}"), ["partition: Invalid"]),
        (apps("StatefulSet", "updateStrategy: {type: OnDelete, rollingUpdate: {partition: 1}}"), ["rollingUpdate: Invalid value: {\"Partition\":1,\"MaxUnavailable\":null}: only allowed for updateStrategy 'RollingUpdate'"]),
        (apps("StatefulSet", template=NEVER), [ALWAYS_ONLY]),
        (apps("StatefulSet", "volumeClaimTemplates: [{metadata: {name: v}, spec: {}}]", template=TEMPLATE.replace("image: i", "image: i, volumeMounts: [{name: v, mountPath: /v}]")), []),
        (of("apps", "ControllerRevision", "revision: -1"), ["data: Required value: data is mandatory", "revision: Invalid"]),
        (core("ReplicationController", "spec: {replicas: 1}"), ["spec.selector: Required", "spec.template: Required"]),
        (core("ReplicationController", f"spec: {{selector: {{a: x}}, {NEVER}}}"), ["`selector` does not match template `labels`", ALWAYS_ONLY]),
        (core("PodTemplate", TEMPLATE), []),
    ],
)  # fmt: skip
def test_workloads(text: str, expected: list[str]) -> None:
    """Rule: kubernetes pkg/apis/apps/validation"""
    check(text, expected)


@pytest.mark.parametrize(
    ("new", "old", "expected"),
    [
        (apps("Deployment", "replicas: 5"), apps("Deployment"), []),
        (apps("Deployment", selector="selector: {matchLabels: {c: d}}", template=TEMPLATE.replace("a: b", "c: d")), apps("Deployment"), ['spec.selector: Invalid value: {"matchLabels":{"c":"d"}}: field is immutable']),
        (apps("ReplicaSet", selector="selector: {matchLabels: {c: d}}", template=TEMPLATE.replace("a: b", "c: d")), apps("ReplicaSet"), ["spec.selector: Invalid"]),
        (apps("DaemonSet", selector="selector: {matchLabels: {c: d}}", template=TEMPLATE.replace("a: b", "c: d")), apps("DaemonSet"), ["field is immutable"]),
        (apps("StatefulSet", "replicas: 4"), apps("StatefulSet"), []),
        (apps("StatefulSet", "serviceName: y"), apps("StatefulSet", "serviceName: x"), ["spec: Forbidden: updates to statefulset spec for fields other than 'replicas'"]),
        (of("apps", "ControllerRevision", "revision: 2, data: {a: 1}"), of("apps", "ControllerRevision", "revision: 1, data: {a: 2}"), ["data: Invalid value: {\"a\":1}: field is immutable"]),
        (core("ConfigMap", "data: {a: b}"), core("ConfigMap", "immutable: true, data: {a: c}"), ["immutable: Forbidden: field is immutable when `immutable` is set", "data: Forbidden: field is immutable when `immutable` is set"]),
        (core("Secret", "data: {a: eA==}, type: t"), core("Secret", "immutable: true"), ['type: Invalid value: "t": field is immutable', "immutable: Forbidden", "data: Forbidden"]),
        (core("Node", "spec: {podCIDR: 10.0.0.0/24}"), core("Node", "spec: {podCIDR: 10.0.1.0/24}"), ["spec.podCIDRs: Forbidden"]),
        (core("Service", "spec: {clusterIP: 10.0.0.2, ports: [{port: 1}]}"), core("Service", "spec: {clusterIP: 10.0.0.1, ports: [{port: 1}]}"), ['spec.clusterIPs[0]: Invalid value: ["10.0.0.2"]: may not change once set']),
        (core("ResourceQuota", "spec: {scopes: [Terminating]}"), core("ResourceQuota"), ['spec.scopes: Invalid value: ["Terminating"]: field is immutable']),
        (core("PersistentVolumeClaim", "spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 2Gi}}}"), core("PersistentVolumeClaim", "spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}"), ["spec: Forbidden: spec is immutable after creation"]),
        (core("PersistentVolumeClaim", "spec: {accessModes: [ReadWriteOnce], volumeName: v, resources: {requests: {storage: 1Gi}}}"), core("PersistentVolumeClaim", "spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}"), []),
        (core("PersistentVolume", "spec: {accessModes: [ReadWriteOnce], capacity: {storage: 1}, volumeMode: Block, hostPath: {path: /y}}"), core("PersistentVolume", "spec: {accessModes: [ReadWriteOnce], capacity: {storage: 1}, hostPath: {path: /x}}"), ["spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation", "volumeMode: Invalid"]),
        (of("networking.k8s.io", "IngressClass", "spec: {controller: a/c}"), of("networking.k8s.io", "IngressClass", "spec: {controller: a/b}"), ['spec.controller: Invalid value: "a/c": field is immutable']),
        (of("networking.k8s.io", "IPAddress", "spec: {parentRef: {resource: services, name: b}}"), of("networking.k8s.io", "IPAddress", "spec: {parentRef: {resource: services, name: a}}"), ["spec.parentRef: Invalid"]),
        (of("networking.k8s.io", "ServiceCIDR", "spec: {cidrs: [10.0.0.0/8]}"), of("networking.k8s.io", "ServiceCIDR", "spec: {cidrs: [10.1.0.0/16]}"), ["spec.cidrs[0]: Invalid"]),
        (of("discovery.k8s.io", "EndpointSlice", "addressType: IPv6, endpoints: []"), of("discovery.k8s.io", "EndpointSlice", "addressType: IPv4, endpoints: []"), ["addressType: Invalid"]),
        (of("rbac.authorization.k8s.io", "RoleBinding", "roleRef: {kind: Role, name: b}"), of("rbac.authorization.k8s.io", "RoleBinding", "roleRef: {kind: Role, name: a}"), ["roleRef: Invalid value: {", ]),
        (of("storage.k8s.io", "StorageClass", "provisioner: a/c, parameters: {x: y}, reclaimPolicy: Retain, volumeBindingMode: WaitForFirstConsumer"), of("storage.k8s.io", "StorageClass", "provisioner: a/b"), ["parameters: Forbidden: updates to parameters are forbidden.", "provisioner: Forbidden", "reclaimPolicy: Forbidden", "volumeBindingMode: Invalid"]),
        (of("storage.k8s.io", "CSIDriver", "spec: {attachRequired: false}"), of("storage.k8s.io", "CSIDriver", "spec: {}"), ["spec.attachedRequired: Invalid value: false: field is immutable"]),
        (of("storage.k8s.io", "VolumeAttachment", "spec: {attacher: a, nodeName: m, source: {persistentVolumeName: v}}"), of("storage.k8s.io", "VolumeAttachment", "spec: {attacher: a, nodeName: n, source: {persistentVolumeName: v}}"), ["spec: Invalid"]),
        (of("storage.k8s.io", "VolumeAttributesClass", "driverName: b.c, parameters: {a: c}"), of("storage.k8s.io", "VolumeAttributesClass", "driverName: a.b, parameters: {a: b}"), ["parameters: Forbidden", "driverName: Forbidden"]),
        (of("storage.k8s.io", "CSIStorageCapacity", "storageClassName: b"), of("storage.k8s.io", "CSIStorageCapacity", "storageClassName: a"), ["storageClassName: Invalid"]),
        (of("scheduling.k8s.io", "PriorityClass", "value: 2, preemptionPolicy: Never"), of("scheduling.k8s.io", "PriorityClass", "value: 1"), ["Value: Forbidden: may not be changed in an update.", "preemptionPolicy: Invalid value: \"Never\": field is immutable"]),
        (of("node.k8s.io", "RuntimeClass", "handler: b"), of("node.k8s.io", "RuntimeClass", "handler: a"), ["handler: Invalid"]),
        (of("batch", "Job", f"spec: {{completions: 3, completionMode: Indexed, {NEVER}}}"), of("batch", "Job", f"spec: {{completions: 2, {NEVER}}}"), ["spec.completions: Invalid", "spec.completionMode: Invalid"]),
        (of("batch", "Job", f"spec: {{completions: 1, {NEVER.replace('image: i', 'image: j')}}}"), of("batch", "Job", f"spec: {{completions: 1, {NEVER}}}"), ["spec.template: Invalid"]),
        (of("batch", "Job", f"spec: {{suspend: true, {NEVER.replace('restartPolicy', 'nodeSelector: {a: b}, restartPolicy')}}}"), of("batch", "Job", f"spec: {{suspend: true, {NEVER}}}"), []),
    ],
)  # fmt: skip
def test_what_may_not_change(new: str, old: str, expected: list[str]) -> None:
    if "kind: Job" in new:  # its selector and labels were made when it was created
        made = "batch.kubernetes.io/controller-uid: u, batch.kubernetes.io/job-name: x, controller-uid: u, job-name: x"
        new = new.replace("labels: {a: b}", f"labels: {{a: b, {made}}}")
        new = new.replace("spec: {", "spec: {selector: {matchLabels: {batch.kubernetes.io/controller-uid: u}}, ", 1)
    check(new, expected, old)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (core("ConfigMap", "data: {'a/b': x, c: y}, binaryData: {c: eA==}"), ["data[a/b]: Invalid", "data[c]: Invalid value: \"c\": duplicate of key present in binaryData"]),
        (core("ConfigMap", f"data: {{a: {'x' * (1 << 20)}, b: y}}"), ["Too long: may not be more than 1048576 bytes"]),
        (core("Secret", "data: {'a/b': eA==}"), ["data[a/b]: Invalid"]),
        (core("Secret", f"data: {{a: {'QUFB' * 350000}}}"), ["data: Too long"]),
        (core("Secret", "type: kubernetes.io/service-account-token"), ["metadata.annotations[kubernetes.io/service-account.name]: Required"]),
        (core("Secret", "type: kubernetes.io/basic-auth"), ["data[username]: Required", "data[password]: Required"]),
        (core("Secret", "type: kubernetes.io/tls"), ["data[tls.crt]: Required", "data[tls.key]: Required"]),
        (core("Secret", "type: kubernetes.io/dockerconfigjson"), ["data[.dockerconfigjson]: Required"]),
        (core("Secret", "type: kubernetes.io/dockercfg, stringData: {.dockercfg: '{'}"), ['data[.dockercfg]: Invalid value: "<secret contents redacted>"']),
        (core("Secret", "type: kubernetes.io/dockercfg, stringData: {.dockercfg: '{}'}"), []),
        (core("Namespace", "spec: {finalizers: ['-']}"), ["spec.finalizers: Invalid", "name is neither a standard finalizer name nor is it fully qualified"]),
        (core("Node", "spec: {taints: [{key: a, effect: NoSchedule}, {key: a, effect: NoSchedule}, {key: '-', effect: X, value: '-'}]}"), ["metadata.taints[1]: Duplicate value: {\"Key\":\"a\",\"Value\":\"\",\"Effect\":\"NoSchedule\",\"TimeAdded\":null}: taints must be unique by key and effect pair", "metadata.taints[2].key", "metadata.taints[2].value", "metadata.taints[2].effect: Unsupported"]),
        (core("Event", "involvedObject: {namespace: other}"), ['involvedObject.namespace: Invalid value: "other": does not match event.namespace']),
        (core("Event", "involvedObject: {namespace: d}, eventTime: '2026-01-01T00:00:00.000000Z', action: A, reason: R, reportingInstance: i"),
         ["reportingComponent: Required", "reportingComponent: Invalid", "reportingComponent: Invalid"]),
        ("{apiVersion: events.k8s.io/v1, kind: Event, regarding: {namespace: other}, eventTime: null}",
         ["involvedObject.namespace: Invalid", "eventTime: Required", "type: Invalid value: \"\": has invalid value: "]),
        ("{apiVersion: events.k8s.io/v1, kind: Event, eventTime: '2026-01-01T00:00:00.000000Z', type: Normal, regarding: {namespace: d}, deprecatedCount: 1, series: {count: 1}}",
         ["reportingController: Required", "reportingController: Invalid", "reportingController: Invalid", "reportingInstance: Required", "action: Required", "reason: Required", "series.count: Invalid", "series.lastObservedTime: Required", "count: Invalid value: \"\": needs to be unset"]),
        (core("LimitRange", "spec: {limits: [{type: Container, min: {cpu: 2}, max: {cpu: 1}}, {type: Container}, {type: Pod, default: {cpu: 1}, maxLimitRequestRatio: {cpu: 500m}}]}"),
         ['spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1', "min value 2 is greater than default request value 1", "spec.limits[0].default[cpu]: Invalid value: \"2\": min value 2 is greater than default value 1", "spec.limits[1].type: Duplicate", "spec.limits[2].default: Forbidden", "maxLimitRequestRatio[cpu]: Invalid"]),
        (core("ResourceQuota", "spec: {hard: {'-': 1, pods: -1}, scopes: [X, BestEffort, NotBestEffort]}"), ["spec.hard[-]: Invalid", "spec.hard[-]: Invalid value: \"-\": must be a standard resource for quota", "spec.hard[pods]: Invalid", "spec.scopes: Invalid value: [\"X\",\"BestEffort\",\"NotBestEffort\"]: unsupported scope", "spec.scopes: Invalid value: [\"X\",\"BestEffort\",\"NotBestEffort\"]: conflicting scopes"]),
        (core("Endpoints", "subsets: [{addresses: [{ip: x}], ports: [{port: 0, protocol: X}, {port: 1, name: A}]}, {}]"), ["subsets[0].addresses[0].ip: Invalid", "subsets[0].addresses[0].ip: Invalid value: \"x\": must be a valid IP address", "ports[0].name: Required", "ports[0].port: Invalid", "ports[0].protocol: Unsupported", "ports[1].name: Invalid", "subsets[1]: Required value: must specify `addresses` or `notReadyAddresses`"]),
        (core("PersistentVolumeClaim"), ["spec.accessModes: Required value: at least 1 access mode is required", "spec.resources[storage]: Required"]),
        (core("PersistentVolumeClaim", "spec: {accessModes: [X, ReadWriteOncePod], volumeMode: X, resources: {requests: {storage: 0}}}"), ["spec.accessModes: Unsupported", "spec.resources[storage]: Invalid value: \"0\": must be greater than zero", "spec.volumeMode: Unsupported"]),
        (core("PersistentVolume"), ["spec.accessModes: Required", "spec.capacity: Required", "spec.capacity: Unsupported value: null: supported values: \"storage\"", "spec: Required value: must specify a volume type"]),
        (core("PersistentVolume", "spec: {accessModes: [ReadWriteOnce], capacity: {storage: 1Gi}, hostPath: {path: a/../b}, local: {path: /x}, persistentVolumeReclaimPolicy: X, volumeMode: X}"), ["spec.persistentVolumeReclaimPolicy: Unsupported", "spec.hostPath.path: Invalid", "spec.local: Forbidden: may not specify more than 1 volume type", "spec.volumeMode: Unsupported"]),
    ],
)  # fmt: skip
def test_core_kinds(text: str, expected: list[str]) -> None:
    """Rule: kubernetes pkg/apis/core/validation/validation.go"""
    check(text, expected)


def a_service(spec: str) -> str:
    return core("Service", f"spec: {{{spec}}}")


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("ports: [{port: 80}]", []), ("", ["spec.ports: Required value"]), ("clusterIP: None", []),
        ("type: ExternalName, externalName: example.com", []), ("type: ExternalName", ["spec.externalName: Required value"]),
        ("type: X, ports: [{port: 80}]", ['spec.type: Unsupported value: "X": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"']),
        ("ports: [{port: 80}, {port: 81}]", ["spec.ports[0].name: Required value", "spec.ports[1].name: Required value"]),
        ("ports: [{port: 80, name: a}, {port: 80, name: a}]", ['spec.ports[1].name: Duplicate value: "a"', 'spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}']),
        ("ports: [{port: 70000, protocol: X, targetPort: -1}]", ["spec.ports[0].port: Invalid value: 70000: must be between 1 and 65535, inclusive", "spec.ports[0].protocol: Unsupported", "spec.ports[0].targetPort: Invalid"]),
        ("ports: [{port: 80, targetPort: 'A'}]", ["spec.ports[0].targetPort: Invalid", "spec.ports[0].targetPort: Invalid"]),
        ("ports: [{port: 80, nodePort: 30000}]", ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"]),
        ("type: NodePort, ports: [{port: 80, name: a, nodePort: 30000}, {port: 81, name: b, nodePort: 30000}]", ["spec.ports[1].nodePort: Duplicate value: 30000"]),
        ("type: NodePort, clusterIP: None, ports: [{port: 80}]", ["spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort services"]),
        ("clusterIP: x, ports: [{port: 80}]", ['spec.clusterIPs[0]: Invalid value: "x": must be a valid IP address']),
        ("type: ExternalName, clusterIP: 10.0.0.1, externalName: a", ["spec.clusterIPs: Forbidden: may not be set for ExternalName services"]),
        ("sessionAffinity: X, ports: [{port: 80}]", ["spec.sessionAffinity: Unsupported"]),
        ("sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 0}}, ports: [{port: 80}]", ["timeoutSeconds: Invalid value: 0: must be greater than 0 and less than 86400"]),
        ("externalIPs: [x], loadBalancerSourceRanges: [y], ports: [{port: 80}]", ["spec.externalIPs[0]: Invalid", "spec.LoadBalancerSourceRanges: Forbidden", "spec.LoadBalancerSourceRanges[0]: Invalid"]),
        ("internalTrafficPolicy: X, externalTrafficPolicy: Y, ports: [{port: 80}]", ["spec.externalTrafficPolicy: Invalid value: \"Y\": may only be set for externally-accessible services", "spec.internalTrafficPolicy: Unsupported"]),
        ("selector: {'-': a}, ports: [{port: 80}]", ["spec.selector: Invalid"]),
    ],
)  # fmt: skip
def test_services(spec: str, expected: list[str]) -> None:
    """Rule: kubernetes pkg/apis/core/validation ValidateService"""
    check(a_service(spec), expected)


FAILURE = "podFailurePolicy: {rules: [%s]}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (of("batch", "Job", f"spec: {{{NEVER}}}"), []),
        (of("batch", "Job", f"spec: {{{TEMPLATE}}}"), ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"']),
        (of("batch", "Job", f"spec: {{{NEVER.replace('Never', 'X')}}}"), ["spec.template.spec.restartPolicy: Unsupported", "spec.template.spec.restartPolicy: Unsupported"]),
        (of("batch", "Job", f"spec: {{parallelism: -1, completions: -1, backoffLimit: -1, completionMode: X, {NEVER}}}"), ["spec.parallelism: Invalid", "spec.completions: Invalid", "spec.backoffLimit: Invalid", "spec.completionMode: Unsupported"]),
        (of("batch", "Job", f"spec: {{parallelism: 1, completionMode: Indexed, {NEVER}}}"), ["spec.completions: Required value: when completion mode is Indexed"]),
        (of("batch", "Job", f"spec: {{backoffLimitPerIndex: 1, successPolicy: {{rules: []}}, {NEVER}}}"), ["spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode", "spec.successPolicy: Invalid"]),
        (of("batch", "Job", f"spec: {{manualSelector: true, {NEVER}}}"), ["spec.selector: Required", "`selector` does not match"]),
        (of("batch", "Job", f"spec: {{selector: {{matchLabels: {{a: b}}}}, {NEVER}}}"), ["`selector` not auto-generated"]),
        (of("batch", "Job", f"spec: {{maxFailedIndexes: 1, managedBy: x, {NEVER}}}"), ["spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified", "spec.managedBy: Invalid", "spec.maxFailedIndexes: Invalid value: 1: requires indexed"]),
        (of("batch", "Job", f"spec: {{completionMode: Indexed, completions: 5, successPolicy: {{rules: [{{}}, {{succeededIndexes: '0-2,4', succeededCount: 5}}, {{succeededIndexes: '9'}}]}}, {NEVER}}}"),
         ["rules[0]: Required value: at least one of succeededCount or succeededIndexes", "must be less than or equal to 4 (the number of indexes", 'error parsing succeededIndexes: too large index: "9"']),
        (of("batch", "Job", f"spec: {{manualSelector: true, selector: {{matchLabels: {{a: x}}}}, {NEVER}}}"), ["`selector` does not match template `labels`"]),
        (of("batch", "Job", f"spec: {{{FAILURE % '{action: X}, {action: Ignore, onExitCodes: {operator: In, values: [0, 0], containerName: z}}, {action: Ignore, onExitCodes: {operator: X, values: []}}'}, {TEMPLATE.replace('spec: {', 'spec: {restartPolicy: OnFailure, ', 1)}}}"),
         ["rules[0].action: Unsupported", "rules[0]: Invalid value: specifying one of OnExitCodes", "containerName: Invalid", "values[0]: Invalid value: 0: must not be 0 for the In operator", "values[1]: Invalid", "values[1]: Duplicate value: 0", "operator: Unsupported", "values: Invalid value: []: at least one value is required", 'only "Never" is supported when podFailurePolicy is specified']),
        (of("batch", "Job", f"spec: {{{FAILURE % ', '.join(['{action: Count, onPodConditions: [{type: A}]}'] * 21)}, {NEVER}}}"), ["rules: Too many: 21: must have at most 20 items"]),
        (of("batch", "CronJob", f"spec: {{schedule: '* * * * *', jobTemplate: {{spec: {{{NEVER}}}}}}}"), []),
        (of("batch", "CronJob", f"spec: {{schedule: '', startingDeadlineSeconds: -1, concurrencyPolicy: X, jobTemplate: {{spec: {{{NEVER}}}}}}}"), ["spec.schedule: Required", "spec.startingDeadlineSeconds: Invalid", "spec.concurrencyPolicy: Unsupported"]),
        (of("batch", "CronJob", f"spec: {{schedule: '* * *', timeZone: Nowhere/Else, jobTemplate: {{spec: {{{NEVER}}}}}}}"), ['spec.schedule: Invalid value: "* * *": expected exactly 5 fields, found 3: [* * *]', 'spec.timeZone: Invalid value: "Nowhere/Else": unknown time zone Nowhere/Else']),
        (of("batch", "CronJob", f"spec: {{schedule: 'TZ=UTC * * * * *', timeZone: Etc/UTC, jobTemplate: {{spec: {{{NEVER}}}}}}}"), ["cannot use both timeZone field and TZ or CRON_TZ in schedule"]),
        (of("batch", "CronJob", f"spec: {{schedule: 'CRON_TZ=UTC * * * * *', jobTemplate: {{spec: {{{NEVER}}}}}}}"), ["cannot use TZ or CRON_TZ in schedule, use timeZone field instead"]),
    ],
)  # fmt: skip
def test_jobs(text: str, expected: list[str]) -> None:
    """Rule: kubernetes pkg/apis/batch/validation"""
    check(text, expected)


TARGET = "scaleTargetRef: {kind: Deployment, name: d}"
HTTP = "backend: {service: {name: s, port: {number: 80}}}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, spec: {%s, maxReplicas: 3}}" % TARGET, []),  # noqa: UP031
        ("{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, spec: {minReplicas: 0}}", ["spec.minReplicas: Invalid", "spec.maxReplicas: Invalid value: 0: must be greater than 0", "scaleTargetRef.kind: Required", "scaleTargetRef.name: Required", "spec.metrics: Forbidden"]),
        ("{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, spec: {%s, minReplicas: 4, maxReplicas: 3, metrics: [{type: X}, {type: ''}, {type: Resource},"  # noqa: UP031
         " {type: Resource, resource: {name: cpu, target: {type: Utilization}}}, {type: Pods, pods: {metric: {name: m}, target: {type: AverageValue, averageValue: 0}}},"
         " {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 0}}}]}}" % TARGET,
         ["spec.maxReplicas: Invalid value: 3: must be greater than or equal to `minReplicas`", "metrics[0].type: Unsupported", "metrics[0].type: Unsupported", "metrics[1].type: Required", "metrics[1].type: Unsupported", "metrics[1].type: Unsupported", "metrics[2].resource: Required", "metrics[3].resource.target.averageUtilization: Required", "metrics[4].pods.target.averageValue: Invalid", "metrics[5].resource.target.averageUtilization: Invalid"]),
        ("{apiVersion: autoscaling/v1, kind: HorizontalPodAutoscaler, spec: {minReplicas: 0}}", ["spec.minReplicas", "spec.maxReplicas", "scaleTargetRef.kind: Required", "scaleTargetRef.name: Required", "spec.metrics: Forbidden"]),
        ("{apiVersion: autoscaling/v1, kind: HorizontalPodAutoscaler, spec: {minReplicas: 5, maxReplicas: 2}}", ["spec.maxReplicas", "scaleTargetRef.kind: Required", "scaleTargetRef.name: Required"]),
        (of("networking.k8s.io", "Ingress", "spec: {}"), ["spec: Invalid value: null: either `defaultBackend` or `rules` must be specified"]),
        (of("networking.k8s.io", "Ingress", f"spec: {{rules: [{{host: '*.a.b', http: {{paths: [{{path: /, pathType: Prefix, {HTTP}}}]}}}}, {{}}]}}"), []),
        (of("networking.k8s.io", "Ingress", f"spec: {{rules: [{{host: A, http: {{paths: [{{path: x, pathType: Exact, {HTTP}}}, {{{HTTP}}}, {{pathType: X, backend: {{}}}}]}}}}, {{http: {{paths: []}}}}]}}"),
         ["rules[0].host: Invalid", "paths[0].path: Invalid value: \"x\": must be an absolute path", "paths[1].pathType: Required value: pathType must be specified", "paths[2].pathType: Unsupported", "paths[2].backend: Invalid value: \"\": resource or service backend is required", "rules[1].http.paths: Required"]),
        (of("networking.k8s.io", "Ingress", "metadata: {annotations: {kubernetes.io/ingress.class: x}}, spec: {ingressClassName: A, defaultBackend: {service: {name: '', port: {}}}}"), ["defaultBackend.service.name: Required", "spec.defaultBackend: Required value: port name or number is required", "spec.ingressClassName: Invalid", "annotations.kubernetes.io/ingress.class: Invalid value: \"x\": must match `ingressClassName` when both are specified"]),
        (of("networking.k8s.io", "Ingress", "spec: {defaultBackend: {service: {name: s, port: {name: a, number: 1}}}}"), ["cannot set both port name & port number"]),
        (of("networking.k8s.io", "Ingress", "spec: {defaultBackend: {service: {name: s, port: {name: A}}}}"), ["port.name: Invalid", "port.name: Invalid"]),
        (of("networking.k8s.io", "Ingress", "spec: {defaultBackend: {resource: {kind: K, name: n}, service: {name: s}}}"), ["cannot set both resource and service backends"]),
        (of("networking.k8s.io", "Ingress", "spec: {defaultBackend: {resource: {kind: K, name: n}}}"), []),
        (of("networking.k8s.io", "IngressClass", "spec: {}"), ["spec.controller: Required"]),
        (of("networking.k8s.io", "IngressClass", "spec: {controller: a/b, parameters: {kind: K, name: n, scope: Namespace}}"), ["spec.parameters.namespace: Required"]),
        (of("networking.k8s.io", "IngressClass", "spec: {controller: a/b, parameters: {kind: K, name: n, namespace: d}}"), ["spec.parameters.namespace: Forbidden"]),
        (of("networking.k8s.io", "NetworkPolicy", "spec: {podSelector: {}, ingress: [{from: [{}, {podSelector: {}, ipBlock: {cidr: 10.0.0.0/8}}, {ipBlock: {cidr: ''}}, {ipBlock: {cidr: 10.0.0.0/8, except: [x, 11.0.0.0/16, 10.1.0.0/16]}}]}], policyTypes: [X]}"),
         ["from[0]: Required value: must specify a peer", "from[1]: Forbidden: may not specify both ipBlock and another peer", "from[2].ipBlock.cidr: Required", "except[0]: Invalid", "except[1]: Invalid value: \"11.0.0.0/16\": must be a strict subset of `cidr`", "spec.policyTypes[0]: Unsupported"]),
        (of("networking.k8s.io", "NetworkPolicy", "spec: {egress: [{to: [{ipBlock: {cidr: x}}], ports: [{port: 0}, {port: A, protocol: X}, {port: 5, endPort: 4}, {endPort: 4}]}]}"),
         ["ports[0].port: Invalid", "ports[1].protocol: Unsupported", "ports[1].port: Invalid", "ports[1].port: Invalid", "ports[2].endPort: Invalid", "ports[3].endPort: Invalid value: 4: may not be specified when `port` is not specified", "cidr: Invalid"]),
        (of("networking.k8s.io", "IPAddress", "spec: {}"), ["spec.parentRef.resource: Required", "spec.parentRef.name: Required"]),
        (of("networking.k8s.io", "ServiceCIDR", "spec: {}"), ["spec.cidrs: Required"]),
        (of("networking.k8s.io", "ServiceCIDR", "spec: {cidrs: [x, 10.0.0.0/8, 10.0.0.0/9]}"), ["spec.cidrs: Invalid value: {\"CIDRs\":[\"x\",\"10.0.0.0/8\",\"10.0.0.0/9\"]}: may only hold up to 2 values"]),
        (of("networking.k8s.io", "ServiceCIDR", "spec: {cidrs: [10.0.0.1/8]}"), ["spec.cidrs[0]: Invalid value: \"10.0.0.1/8\": must not have bits set beyond the prefix length"]),
        (of("networking.k8s.io", "ServiceCIDR", "spec: {cidrs: [10.0.0.0/8, 10.0.0.0/9]}"), ["may specify no more than one IP for each IP family"]),
        (of("discovery.k8s.io", "EndpointSlice", "endpoints: []"), ["addressType: Required"]),
        (of("discovery.k8s.io", "EndpointSlice", "addressType: IPv4, endpoints: [{addresses: []}, {addresses: [x, 'fd00::1'], hostname: A}], ports: [{port: 1}, {port: 0, protocol: X, name: ''}, {name: A}]"),
         ["endpoints[0].addresses: Required value: must contain at least 1 address", "endpoints[1].addresses[0]: Invalid", "addresses[0]: Invalid value: \"x\": must be a valid IP address", "endpoints[1].addresses[1]: Invalid value: \"fd00::1\": must be a valid IPv4 address", "endpoints[1].hostname: Invalid", "ports[1].name: Duplicate", "ports[1].protocol: Unsupported", "ports[2].name: Invalid"]),
        (of("discovery.k8s.io", "EndpointSlice", "addressType: FQDN, endpoints: [{addresses: [a.b, '-']}]"), ["addresses[1]: Invalid"]),
        (of("discovery.k8s.io", "EndpointSlice", f"addressType: X, endpoints: [{', '.join(['{addresses: []}'] * 1001)}]"), ["addressType: Unsupported", "endpoints: Too many: 1001: must have at most 1000 items"]),
        (of("discovery.k8s.io", "EndpointSlice", f"addressType: IPv4, endpoints: [{{addresses: [{', '.join(['10.0.0.1'] * 101)}]}}]"), ["addresses: Too many: 101: must have at most 100 items"]),
        (of("policy", "PodDisruptionBudget", "spec: {minAvailable: 1, maxUnavailable: 200%, unhealthyPodEvictionPolicy: X}"), ["minAvailable and maxUnavailable cannot be both set", "spec.maxUnavailable: Invalid", "spec.unhealthyPodEvictionPolicy: Unsupported"]),
        (of("policy", "PodDisruptionBudget", "metadata: {}"), []),
    ],
)  # fmt: skip
def test_scaling_and_networking(text: str, expected: list[str]) -> None:
    check(text, expected)


ROLE = "roleRef: {kind: ClusterRole, name: r}"
WEBHOOK = "name: a.b.c, sideEffects: None, admissionReviewVersions: [v1], clientConfig: {url: 'https://x'}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (of("rbac.authorization.k8s.io", "Role", "rules: [{verbs: []}, {verbs: [get], nonResourceURLs: [/x], apiGroups: ['']}]"), ["rules[0].verbs: Required", "rules[0].apiGroups: Required", "rules[0].resources: Required", "rules[1].nonResourceURLs: Invalid", "rules[1].nonResourceURLs: Invalid"]),
        (of("rbac.authorization.k8s.io", "ClusterRole", "rules: [{verbs: [get], nonResourceURLs: [/x]}]"), []),
        (of("rbac.authorization.k8s.io", "ClusterRole", "aggregationRule: {}"), ["aggregationRule.clusterRoleSelectors: Required"]),
        (of("rbac.authorization.k8s.io", "ClusterRole", "aggregationRule: {clusterRoleSelectors: [{matchLabels: {'-': a}}]}"), ["clusterRoleSelectors[0].matchLabels: Invalid", "clusterRoleSelectors[0]: Invalid value: \"null\": invalid label selector."]),
        (of("rbac.authorization.k8s.io", "RoleBinding", f"{ROLE}, subjects: [{{kind: User, name: u}}, {{kind: X, name: x}}, {{kind: ServiceAccount, name: A}}, {{kind: Group, name: '', apiGroup: z}}]"),
         ["subjects[1].kind: Unsupported", "subjects[2].name: Invalid", "subjects[3].name: Required", "subjects[3].apiGroup: Unsupported"]),
        (of("rbac.authorization.k8s.io", "ClusterRoleBinding", "roleRef: {kind: ClusterRole, name: a, apiGroup: ''}"), []),
        (of("rbac.authorization.k8s.io", "ClusterRoleBinding", "roleRef: {kind: Role, name: '', apiGroup: x}"), ["roleRef.apiGroup: Unsupported", "roleRef.kind: Unsupported", "roleRef.name: Required"]),
        (of("storage.k8s.io", "StorageClass", "provisioner: '', reclaimPolicy: X, volumeBindingMode: X, parameters: {'': a}"), ["provisioner: Required", "parameters: Invalid", "reclaimPolicy: Unsupported", "volumeBindingMode: Unsupported"]),
        (of("storage.k8s.io", "CSIDriver", "spec: {volumeLifecycleModes: [X], fsGroupPolicy: X}"), ["spec.volumeLifecycleModes: Unsupported", "spec.fsGroupPolicy: Unsupported"]),
        (of("storage.k8s.io", "CSINode", "spec: {drivers: [{name: a, nodeID: n}, {name: a, nodeID: ''}]}"), ["spec.drivers[1].nodeID: Required", "spec.drivers[1].name: Duplicate"]),
        (of("storage.k8s.io", "VolumeAttachment", "spec: {}"), ["spec.attacher: Required", "spec.source: Required", "spec.nodeName: Invalid", "spec.attacher: Required", "spec.attacher: Invalid"]),
        (of("storage.k8s.io", "VolumeAttributesClass", "driverName: a.b"), ["parameters: Required"]),
        (of("storage.k8s.io", "CSIStorageCapacity", "storageClassName: a, capacity: -1"), ["capacity: Invalid"]),
        (of("coordination.k8s.io", "Lease", "spec: {leaseDurationSeconds: 0, leaseTransitions: -1, preferredHolder: x}"), ["spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0", "spec.leaseTransitions: Invalid", "spec.strategy: Required"]),
        (of("scheduling.k8s.io", "PriorityClass", "metadata: {name: system-x}, value: 1"), ["metadata.name: Forbidden"]),
        (of("scheduling.k8s.io", "PriorityClass", "metadata: {name: system-node-critical}, value: 2000001000"), []),
        (of("scheduling.k8s.io", "PriorityClass", "value: 1000000001, preemptionPolicy: X"), ["value: Forbidden: maximum allowed value of a user defined priority is 1000000000", "preemptionPolicy: Unsupported"]),
        (of("node.k8s.io", "RuntimeClass", "handler: A"), ["handler: Invalid"]),
        (of("certificates.k8s.io", "CertificateSigningRequest", "spec: {request: '', usages: [x, x], signerName: a, expirationSeconds: 5}"), ["spec.request: Invalid value: \"\": PEM block type must be CERTIFICATE REQUEST", "spec.usages[0]: Unsupported", "spec.usages[1]: Unsupported", "spec.usages[1]: Duplicate", "spec.signerName: Invalid", "spec.expirationSeconds: Invalid"]),
        (of("certificates.k8s.io", "CertificateSigningRequest", "spec: {request: eA==, usages: []}"), ["spec.request: Invalid", "spec.usages: Required", "spec.signerName: Required"]),
        (of("admissionregistration.k8s.io", "ValidatingWebhookConfiguration", f"webhooks: [{{{WEBHOOK}}}, {{{WEBHOOK}}}]"), ["webhooks[1].name: Duplicate"]),
        (of("admissionregistration.k8s.io", "MutatingWebhookConfiguration", "webhooks: [{name: a, failurePolicy: X, matchPolicy: X, timeoutSeconds: 31, sideEffects: X, admissionReviewVersions: [v1], rules: [{operations: [X]}]}, {name: a.b.c}]"),
         ["webhooks[0].name: Invalid value: \"a\": should be a domain with at least three segments", "operations[0]: Unsupported", "apiGroups: Required", "apiVersions: Required", "resources: Required", "failurePolicy: Unsupported", "matchPolicy: Unsupported", "sideEffects: Unsupported", "timeoutSeconds: Invalid", "clientConfig: Required", "webhooks[1].sideEffects: Required", "webhooks[1].clientConfig: Required", "webhooks[1].admissionReviewVersions: Required"]),
        (of("admissionregistration.k8s.io", "ValidatingAdmissionPolicy", "spec: {validations: [{expression: ' '}]}"), ["spec.matchConstraints: Required", "spec.validations[0].expression: Required"]),
        (of("admissionregistration.k8s.io", "ValidatingAdmissionPolicy", "spec: {matchConstraints: {}}"), ["spec.matchConstraints.resourceRules: Required", "spec.validations: Required", "spec.auditAnnotations: Required"]),
        (of("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding", "spec: {validationActions: [X]}"), ["spec.policyName: Required", "spec.validationActions[0]: Unsupported"]),
        (of("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding", "spec: {policyName: x}"), ["spec.validationActions: Required"]),
        (of("admissionregistration.k8s.io", "MutatingAdmissionPolicy", "spec: {matchConstraints: {resourceRules: [{}]}}"), ["spec.mutations: Required"]),
        (of("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding", "spec: {}"), ["spec.policyName: Required"]),
        (of("apiregistration.k8s.io", "APIService", "metadata: {name: v1.a.b}, spec: {group: a.b, version: v1, groupPriorityMinimum: 1, versionPriority: 1}"), []),
        (of("apiregistration.k8s.io", "APIService", "spec: {group: a.b, version: v1, caBundle: eA==}"), ["metadata.name: Invalid", "groupPriorityMinimum: Invalid", "versionPriority: Invalid", "spec.caBundle: Invalid"]),
        (of("apiregistration.k8s.io", "APIService", "metadata: {name: v1.a.b}, spec: {group: a.b, version: v1, groupPriorityMinimum: 1, versionPriority: 1, service: {}, caBundle: eA==, insecureSkipTLSVerify: true}"), ["spec.service.namespace: Required", "spec.service.name: Required", "spec.insecureSkipTLSVerify: Invalid"]),
        (of("flowcontrol.apiserver.k8s.io", "FlowSchema", "spec: {matchingPrecedence: 10001, priorityLevelConfiguration: {name: ''}, distinguisherMethod: {type: X}}"), ["spec.matchingPrecedence: Invalid", "spec.priorityLevelConfiguration.name: Required", "spec.distinguisherMethod.type: Unsupported"]),
        (of("flowcontrol.apiserver.k8s.io", "FlowSchema", "spec: {matchingPrecedence: -1, priorityLevelConfiguration: {name: a}}"), ["must be a positive value"]),
        (of("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration", "spec: {type: Exempt, limited: {}}"), ["spec.limited: Forbidden"]),
        (of("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration", "spec: {type: Limited}"), ["spec.limited: Required"]),
        (of("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration", "spec: {type: Limited, limited: {limitResponse: {type: X}}}"), ["spec.limited.limitResponse.type: Unsupported"]),
    ],
)  # fmt: skip
def test_other_groups(text: str, expected: list[str]) -> None:
    check(text, expected)


CLAIM = "spec: {accessModes: [ReadWriteOnce], volumeName: v, resources: {requests: {storage: %s}}}"
BOUND = "status: {phase: Bound, capacity: {storage: 2Gi}}"


@pytest.mark.parametrize(
    ("size", "expected"),
    [("5Gi", []), ("1Gi", ["spec.resources.requests.storage: Forbidden: field can not be less than"]), ("3Gi", [])],
)
def test_a_bound_claim_may_grow(size: str, expected: list[str]) -> None:
    """Rule: kubernetes pkg/apis/core/validation ValidatePersistentVolumeClaimUpdate"""
    row = resource_for_kind("v1", "PersistentVolumeClaim")
    old, new_ = (tree(core("PersistentVolumeClaim", f"{CLAIM % amount}, {BOUND}")) for amount in ("4Gi", size))
    for one in (old, new_):
        row.set_defaults(one)
    found = [str(error) for error in row.validate(view(row.view, new_), view(row.view, old))]
    assert len(found) == len(expected), found
    assert all(part in complaint for complaint, part in zip(found, expected, strict=True))
