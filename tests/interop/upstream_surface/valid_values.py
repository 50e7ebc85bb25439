"""Valid values: what must stand in a sample's fields that no general rule of repair.py can know, by kind, each with its reason."""

from base64 import b64encode
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.interop.upstream_surface.paths import ABSENT
from tests.interop.upstream_surface.valid_pods import pod

WEBHOOK: dict[str, Any] = {
    r"webhooks\[0\].name": "one.example.com",  # three segments
    r"webhooks\[0\].clientConfig(\.url)?": {"service": {"namespace": "default", "name": "hook", "path": "/x", "port": 443}},
    r"webhooks\[0\].admissionReviewVersions.*": ["v1"],  # what is spoken
    r"webhooks\[0\].rules\[0\].*(apiGroups|apiVersions|resources).*": ["*"],
    r"webhooks\[0\].matchConditions\[0\].expression": "true",  # CEL
    r"webhooks\[0\].timeoutSeconds": 10,
}
USER = {"subjects[0].kind": "User", "subjects[0].apiGroup": "rbac.authorization.k8s.io", "subjects[0].namespace": ABSENT}
BACKEND = {"service": {"name": "x", "port": {"number": 80}}}  # the alternative to a resource


def _request() -> str:
    """A certificate signing request, as the field has it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sample")])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return b64encode(made.public_bytes(serialization.Encoding.PEM)).decode()


def _devices(at: str) -> dict[str, Any]:
    """A claim: one request, of one kind of device, and what speaks of it by its name."""
    return {
        f"{at}.requests[0].name": "one",
        f"{at}.requests[0].firstAvailable": ABSENT,  # the alternative to `exactly`
        f"{at}.constraints[0].requests[0]": "one",
        f"{at}.constraints[0].matchAttribute": "example.com/x",
        f"{at}.constraints[0].distinctAttribute": ABSENT,  # the alternative to matchAttribute
        f"{at}.config[0].requests[0]": "one",
    }


def _job(at: str) -> dict[str, Any]:
    """`at` is what stands before a field of a job's spec."""
    rules = f"{at}podFailurePolicy.rules[0]"
    return {
        **pod(f"{at}template."),
        f"{at}template.spec.restartPolicy": "Never",  # a job's end, and its failures are counted
        f"{rules}.action": "FailJob",
        f"{rules}.onExitCodes": {"containerName": "one", "operator": "In", "values": [3]},
        f"{rules}.onPodConditions": ABSENT,  # the alternative to onExitCodes
        f"{at}successPolicy.rules[0].succeededIndexes": "0-1",
        f"{at}maxFailedIndexes": 1,  # of two
        f"{at}completionMode": "Indexed",
        f"{at}podReplacementPolicy": "Failed",
        f"{at}managedBy": "example.com/x",
    }


# Kinds that are no objects of their own: bodies of subresources, answers, what upstream keeps in etcd alone.
NOT_STORED = frozenset((
    "Binding", "ComponentStatus", "Eviction", "PodStatusResult", "RangeAllocation", "Scale", "Status", "TokenRequest",
))  # fmt: skip
# What samples speak of and must be there.
BEFORE: tuple[tuple[str, dict[str, Any]], ...] = (
    ("/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "default"}}),
)
OWN: dict[str, dict[str, Any]] = {
    "MutatingAdmissionPolicy": {
        r".*applyConfiguration.expression": "Object{}", r".*jsonPatch.expression": "[JSONPatch{}]", r".*expression": "true",  # CEL
    },
    "ValidatingAdmissionPolicy": {
        r".*messageExpression": "'x'", r".*valueExpression": "'x'", r".*expression": "true",  # CEL
    },
    "MutatingWebhookConfiguration": WEBHOOK,
    "ValidatingWebhookConfiguration": WEBHOOK,
    "LimitRange": {"spec.limits[0].type": "Container"},
    "Secret": {"stringData": ABSENT},  # goes into data
    "Event": {
        "firstTimestamp": ABSENT, "lastTimestamp": ABSENT, "count": ABSENT, "source": ABSENT,  # the old form's
        "deprecatedSource": ABSENT, "deprecatedFirstTimestamp": ABSENT, "deprecatedLastTimestamp": ABSENT,
        "deprecatedCount": ABSENT, "type": "Normal", "series.count": 2, "action": "x", "involvedObject.namespace": "default",
        "regarding.namespace": "default",
    },
    "ResourceQuota": {
        "spec.scopes": ["BestEffort"], "spec.hard": {"pods": "1"},  # what a scope can count
        "spec.scopeSelector.matchExpressions": [{"scopeName": "PriorityClass", "operator": "In", "values": ["x"]}],
    },
    "Node": {
        "spec.taints[0].effect": "NoSchedule",
        "spec.podCIDR": "10.1.0.0/24", "spec.podCIDRs": ["10.1.0.0/24"],  # the first of them is podCIDR
    },
    "IPAddress": {"metadata.name": "10.96.3.3"},  # its name is the address
    "Namespace": {"spec.finalizers": ["kubernetes"]},  # a standard one
    "PersistentVolume": {
        "spec.capacity": {"storage": "1"}, "spec.volumeAttributesClassName": ABSENT,  # of a CSI volume alone
        "spec.nodeAffinity.required.nodeSelectorTerms[0].matchFields[0].key": "metadata.name", "spec.hostPath.type": "",
        "spec.cephfs": ABSENT,  # a volume is of one type
    },
    "PersistentVolumeClaim": {
        "spec.accessModes": ["ReadWriteOnce"], "spec.resources": {"requests": {"storage": "1"}, "limits": {"storage": "2"}},
        "spec.dataSourceRef": ABSENT,  # says the same as dataSource
    },
    "LocalSubjectAccessReview": {"spec.resourceAttributes.namespace": "default"},
    "CertificateSigningRequest": {
        "spec.request": _request(), "spec.signerName": "example.com/x", "spec.expirationSeconds": 600,
        **{f"spec.{name}": ABSENT for name in ("username", "uid", "groups", "extra")},  # say who asks; the server writes them
    },
    "Service": {
        "spec.type": "LoadBalancer", "spec.ports[0].nodePort": 30001, "spec.healthCheckNodePort": ABSENT,
        "spec.loadBalancerSourceRanges[0]": "10.1.0.0/24", "spec.externalName": ABSENT,
        "spec.clusterIP": "10.96.5.5", "spec.clusterIPs": ["10.96.5.5"],  # in the cluster's range, and the first
    },
    "EndpointSlice": {"addressType": "IPv4", "endpoints[0].addresses[0]": "10.1.2.3"},
    "PriorityLevelConfiguration": {"spec.type": "Limited", "spec.exempt": ABSENT},  # the alternative to `limited`
    "Ingress": {"spec.defaultBackend.resource": ABSENT, "spec.rules[0].http.paths[0].backend": BACKEND},
    "IngressClass": {"spec.parameters.scope": "Namespace"},
    "NetworkPolicy": {"spec.ingress[0].from[0].ipBlock": ABSENT, "spec.egress[0].to[0].ipBlock": ABSENT},  # or selectors
    "RuntimeClass": {
        "overhead.podFixed": {"cpu": "1"},  # resources have names of their own
        "scheduling.tolerations": [{"key": "x", "operator": "Equal", "value": "x", "effect": "NoExecute", "tolerationSeconds": 1}],
    },
    "ServiceAccount": {"secrets": [{"name": "x"}]},  # upstream keeps nothing else of a secret
    "VolumeAttachment": {"spec.source.inlineVolumeSpec": ABSENT},  # the alternative to persistentVolumeName
    "PodDisruptionBudget": {"spec.maxUnavailable": ABSENT},  # the alternative to minAvailable
    "ClusterRoleBinding": USER,
    "RoleBinding": USER,
    "ResourceClaim": _devices("spec.devices"),
    "ResourceClaimTemplate": _devices("spec.spec.devices"),
    "ResourceSlice": {
        **{f"spec.{name}": ABSENT for name in ("nodeSelector", "allNodes", "perDeviceNodeSelection", "sharedCounters")},
        **{f"spec.devices[0].{name}": ABSENT for name in ("nodeSelector", "allNodes", "nodeName")},
        "spec.devices[0].attributes.attributesKey": {"string": "x"},  # of its values one is set
    },
    "HorizontalPodAutoscaler": {
        "spec.metrics[0].type": "Resource", "spec.metrics[0].resource.target": {"type": "AverageValue", "averageValue": "1"},
        **{f"spec.metrics[0].{name}": ABSENT for name in ("object", "pods", "containerResource", "external")},
    },
    "Pod": pod("", alone=True),
    "PodTemplate": pod("template."),
    "CronJob": {
        "spec.schedule": "1 2 * * *", "spec.timeZone": "Europe/Paris",
        **_job("spec.jobTemplate.spec."),
        "spec.jobTemplate.spec.manualSelector": ABSENT, "spec.jobTemplate.spec.selector": ABSENT,  # made for each job
    },
    "Job": _job("spec."),
    "StatefulSet": {
        **pod("spec.template."), "spec.podManagementPolicy": "Parallel",
        "spec.updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 1, "maxUnavailable": 1}},
    },
    "DaemonSet": {
        **pod("spec.template."),
        "spec.updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}},
    },
    "Deployment": {
        **pod("spec.template."),
        "spec.strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 1}},
    },
    **{kind: pod("spec.template.") for kind in ("ReplicaSet", "ReplicationController")},
}  # fmt: skip
