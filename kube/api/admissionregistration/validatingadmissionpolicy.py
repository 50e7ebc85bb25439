"""ValidatingAdmissionPolicy: rules for objects on their way in, in CEL (admissionregistration.k8s.io/v1).

https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
"""

from kube.api.resource import Resource
from kube.api.types import ValidatingAdmissionPolicy

RESOURCE = Resource(
    view=ValidatingAdmissionPolicy,
    group="admissionregistration.k8s.io",
    version="v1",
    kind="ValidatingAdmissionPolicy",
    plural="validatingadmissionpolicies",
    namespaced=False,
    categories=("api-extensions",),
    subresources=("status",),
    unconditional_update=False,
)
