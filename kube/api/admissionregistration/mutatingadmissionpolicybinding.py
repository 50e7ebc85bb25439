"""MutatingAdmissionPolicyBinding: where a MutatingAdmissionPolicy holds (admissionregistration.k8s.io/v1).

https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/
"""

from kube.api.resource import Resource
from kube.api.types import MutatingAdmissionPolicyBinding

RESOURCE = Resource(
    view=MutatingAdmissionPolicyBinding,
    group="admissionregistration.k8s.io",
    version="v1",
    kind="MutatingAdmissionPolicyBinding",
    plural="mutatingadmissionpolicybindings",
    namespaced=False,
    categories=("api-extensions",),
    unconditional_update=False,
)
