"""ValidatingAdmissionPolicyBinding: where a ValidatingAdmissionPolicy holds (admissionregistration.k8s.io/v1).

https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
"""

from collections.abc import Iterator

from kube.api.admissionregistration.policies import BINDING_COLUMNS, binding_errors, set_binding_defaults
from kube.api.resource import Resource
from kube.api.status import FieldError, duplicate, invalid, required, unsupported
from kube.api.types import ValidatingAdmissionPolicyBinding

ACTIONS = ("Audit", "Deny", "Warn")
SAID_TWICE = "repeating the same validation failure information in the API response and headers serves no purpose"


def validate(new: ValidatingAdmissionPolicyBinding, old: ValidatingAdmissionPolicyBinding | None) -> Iterator[FieldError]:
    yield from binding_errors(new)
    actions = (new.spec.validationActions if new.spec else None) or []
    if not actions:
        yield required("spec.validationActions")
    for index, action in enumerate(actions):
        if action not in ACTIONS:
            yield unsupported(f"spec.validationActions[{index}]", action, ACTIONS)
        if action in actions[:index]:
            yield duplicate(f"spec.validationActions[{index}]", action)
    if "Deny" in actions and "Warn" in actions:
        yield invalid("spec.validationActions", list(actions), f"must not contain both Deny and Warn ({SAID_TWICE})")


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
