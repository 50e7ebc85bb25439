"""Object rules: what objects of some kinds must keep beyond their form — their expressions must compile.

A kind's own module in kube.api says all that can be said without the API server; that CEL compiles is what it cannot. A rule takes
the new tree and the old one (None on a create) and gives field errors, which join those of the kind's module. It is not asked
about writes to a subresource. handlers/pipeline.py looks each row up here.
"""

from collections.abc import Callable, Iterable, Mapping

from apiserver.object_rules import admission_policy, webhook_configuration
from kube.api.meta import Tree
from kube.api.status import FieldError

Rule = Callable[[Tree, Tree | None], Iterable[FieldError]]

OBJECT_RULES: Mapping[tuple[str, str], Rule] = {
    ("admissionregistration.k8s.io", "mutatingadmissionpolicies"): admission_policy.mutating,
    ("admissionregistration.k8s.io", "mutatingadmissionpolicybindings"): admission_policy.binding,
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"): webhook_configuration.errors,
    ("admissionregistration.k8s.io", "validatingadmissionpolicies"): admission_policy.validating,
    ("admissionregistration.k8s.io", "validatingadmissionpolicybindings"): admission_policy.binding,
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations"): webhook_configuration.errors,
}
