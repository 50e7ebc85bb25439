"""ValidatingAdmissionPolicyBinding: where a ValidatingAdmissionPolicy holds (admissionregistration.k8s.io/v1).

https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
"""

from collections.abc import Iterator

from kube.api.admissionregistration.policies import BINDING_COLUMNS, binding_errors, set_binding_defaults
from kube.api.resource import Resource
from kube.api.status import FieldError, required, unsupported
from kube.api.types import ValidatingAdmissionPolicyBinding

ACTIONS = ("Audit", "Deny", "Warn")


def validate(new: ValidatingAdmissionPolicyBinding, old: ValidatingAdmissionPolicyBinding | None) -> Iterator[FieldError]:
    yield from binding_errors(new)
    if not (new.spec.validationActions if new.spec else None):
        yield required("spec.validationActions")
    for index, action in enumerate((new.spec.validationActions if new.spec else None) or ()):
        if action not in ACTIONS:
            yield unsupported(f"spec.validationActions[{index}]", action, ACTIONS)


RESOURCE = Resource(
    view=ValidatingAdmissionPolicyBinding,
    group="admissionregistration.k8s.io",
    version="v1",
    kind="ValidatingAdmissionPolicyBinding",
    plural="validatingadmissionpolicybindings",
    namespaced=False,
    categories=("api-extensions",),
    unconditional_update=False,
    set_defaults=set_binding_defaults,
    validate=validate,
    columns=BINDING_COLUMNS,
)
