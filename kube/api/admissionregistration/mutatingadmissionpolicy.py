"""MutatingAdmissionPolicy: changes to objects on their way in, in CEL (admissionregistration.k8s.io/v1).

https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/
"""

from collections.abc import Iterator

from kube.api.admissionregistration.policies import match_errors, param_kind, set_policy_defaults
from kube.api.columns import AGE, plain
from kube.api.resource import Resource
from kube.api.status import FieldError, required
from kube.api.types import MutatingAdmissionPolicy


def validate(new: MutatingAdmissionPolicy, old: MutatingAdmissionPolicy | None) -> Iterator[FieldError]:
    yield from match_errors(new)
    if new.spec is not None and not new.spec.mutations:
        yield required("spec.mutations", "mutations must contain at least one item")


RESOURCE = Resource(
    view=MutatingAdmissionPolicy,
    group="admissionregistration.k8s.io",
    version="v1",
    kind="MutatingAdmissionPolicy",
    plural="mutatingadmissionpolicies",
    namespaced=False,
    categories=("api-extensions",),
    unconditional_update=False,
    set_defaults=set_policy_defaults,
    validate=validate,
    columns=(
        plain("Mutations", lambda policy: len(policy.spec.mutations or ()), type="integer"),
        plain("ParamKind", param_kind),
        AGE,
    ),
)
