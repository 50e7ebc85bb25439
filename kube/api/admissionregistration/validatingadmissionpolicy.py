"""ValidatingAdmissionPolicy: rules for objects on their way in, in CEL (admissionregistration.k8s.io/v1).

https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
"""

from collections.abc import Iterator

from kube.api.admissionregistration.policies import match_errors, param_kind, set_policy_defaults
from kube.api.columns import AGE, plain
from kube.api.meta import Tree
from kube.api.resource import OWN_METADATA, Resource
from kube.api.status import FieldError, required
from kube.api.types import ValidatingAdmissionPolicy


def prepare(new: Tree, old: Tree | None) -> None:
    if old is None:
        new["status"] = {}


def validate(new: ValidatingAdmissionPolicy, old: ValidatingAdmissionPolicy | None) -> Iterator[FieldError]:
    yield from match_errors(new)
    spec = new.spec
    if spec is not None and not spec.validations and not spec.auditAnnotations:
        text = "validations or auditAnnotations must contain at least one item"
        yield required("spec.validations", text)
        yield required("spec.auditAnnotations", text)
    for index, one in enumerate((spec.validations if spec else None) or ()):
        if not (one.expression or "").strip():
            yield required(f"spec.validations[{index}].expression", "expression is not specified")


RESOURCE = Resource(
    view=ValidatingAdmissionPolicy,
    group="admissionregistration.k8s.io",
    version="v1",
    kind="ValidatingAdmissionPolicy",
    plural="validatingadmissionpolicies",
    namespaced=False,
    categories=("api-extensions",),
    subresources=("status",),
    status_keeps=OWN_METADATA,
    unconditional_update=False,
    set_defaults=set_policy_defaults,
    prepare=prepare,
    validate=validate,
    columns=(
        plain("Validations", lambda policy: len(policy.spec.validations or ()), type="integer"),
        plain("ParamKind", param_kind),
        AGE,
    ),
)
