"""MutatingAdmissionPolicyBinding: where a MutatingAdmissionPolicy holds (admissionregistration.k8s.io/v1).

https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/
"""

from collections.abc import Iterator

from kube.api.admissionregistration.policies import BINDING_COLUMNS, binding_errors, set_binding_defaults
from kube.api.resource import Resource
from kube.api.status import FieldError
from kube.api.types import MutatingAdmissionPolicyBinding


def validate(new: MutatingAdmissionPolicyBinding, old: MutatingAdmissionPolicyBinding | None) -> Iterator[FieldError]:
    yield from binding_errors(new)


RESOURCE = Resource(
    view=MutatingAdmissionPolicyBinding,
    group="admissionregistration.k8s.io",
    version="v1",
    kind="MutatingAdmissionPolicyBinding",
    plural="mutatingadmissionpolicybindings",
    namespaced=False,
    categories=("api-extensions",),
    unconditional_update=False,
    set_defaults=set_binding_defaults,
    validate=validate,
    columns=BINDING_COLUMNS,
)
