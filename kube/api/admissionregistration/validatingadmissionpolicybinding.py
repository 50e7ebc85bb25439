"""ValidatingAdmissionPolicyBinding: where a ValidatingAdmissionPolicy holds (admissionregistration.k8s.io/v1).

https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
"""

from kube.api.resource import Resource
from kube.api.types import ValidatingAdmissionPolicyBinding

RESOURCE = Resource(
    view=ValidatingAdmissionPolicyBinding,
    group="admissionregistration.k8s.io",
    version="v1",
    kind="ValidatingAdmissionPolicyBinding",
    plural="validatingadmissionpolicybindings",
    namespaced=False,
    categories=("api-extensions",),
    unconditional_update=False,
)
