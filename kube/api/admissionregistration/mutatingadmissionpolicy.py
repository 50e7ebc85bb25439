"""MutatingAdmissionPolicy: changes to objects on their way in, in CEL (admissionregistration.k8s.io/v1).

https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/
"""

from kube.api.resource import Resource
from kube.api.types import MutatingAdmissionPolicy

RESOURCE = Resource(
    view=MutatingAdmissionPolicy,
    group="admissionregistration.k8s.io",
    version="v1",
    kind="MutatingAdmissionPolicy",
    plural="mutatingadmissionpolicies",
    namespaced=False,
    categories=("api-extensions",),
    unconditional_update=False,
)
