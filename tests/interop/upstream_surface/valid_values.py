"""Valid values: what must stand in a sample's fields that no general rule of repair.py can know, by kind, each with its reason."""

from typing import Any

from tests.interop.upstream_surface.paths import ABSENT

REQUEST = ""
WEBHOOK: dict[str, Any] = {
    r"webhooks\[0\].name": "one.example.com",  # three segments
    r"webhooks\[0\].clientConfig(\.url)?": {"service": {"namespace": "default", "name": "hook", "path": "/x", "port": 443}},
    r"webhooks\[0\].admissionReviewVersions.*": ["v1"],  # what is spoken
    r"webhooks\[0\].rules\[0\].*(apiGroups|apiVersions|resources).*": ["*"],
    r"webhooks\[0\].matchConditions\[0\].expression": "true",  # CEL
    r"webhooks\[0\].timeoutSeconds": 10,
}
OWN: dict[str, dict[str, Any]] = {
    "MutatingAdmissionPolicy": {r".*applyConfiguration.expression": "Object{}", r".*jsonPatch.expression": "[JSONPatch{}]", r".*expression": "true"},
    "ValidatingAdmissionPolicy": {r".*messageExpression": "'x'", r".*valueExpression": "'x'", r".*expression": "true"},
    "MutatingWebhookConfiguration": WEBHOOK,
    "ValidatingWebhookConfiguration": WEBHOOK,
    "LimitRange": {r"spec.limits\[0\].type": "Container"},
    "Node": {"spec.podCIDRs.*": ["10.1.0.0/24"]},
    "IPAddress": {"metadata.name": "10.96.3.3"},
    "Namespace": {"spec.finalizers": ["kubernetes"]},
    "PersistentVolume": {"spec.capacity.*": {"storage": "1"}},
    "Job": {"spec.managedBy": "example.com/x"},
}
