"""ValidatingAdmissionPolicy: every policy that matches is asked, for each of its bindings and their parameters.

A binding's validationActions say what a failed validation does: Deny refuses the request, Warn tells the client, Audit writes it
into the audit event. All are asked before anything is decided; the first refusal is told.
https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
apiserver pkg/admission/plugin/policy/validating/dispatcher.go
"""

from dataclasses import dataclass
from functools import partial

import orjson

from apiserver.admission.matching import request
from apiserver.admission.policy import evaluation
from apiserver.admission.policy.asking import Asking
from apiserver.admission.policy.definition import Binding, Policy, validating
from apiserver.admission.policy.evaluation import Decision, Outcome
from apiserver.admission.policy.known import Known
from apiserver.admission.policy.parameters import Misconfigured, parameters
from apiserver.context import AdmissionAttributes, Server
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.resources import resource_of
from kube.api.status import ApiError, Forbidden, Invalid, TooLarge, Unauthorized, is_forbidden
from kube.api.types import ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding

FAILURE_ANNOTATION = "validation.policy.admission.k8s.io/validation_failure"
ERRORS: dict[str, type[ApiError]] = {
    "Forbidden": Forbidden, "Invalid": Invalid, "RequestEntityTooLarge": TooLarge, "Unauthorized": Unauthorized,
}  # fmt: skip


@dataclass(frozen=True)
class Denial:
    policy: str
    binding: str
    decision: Decision

    def error(self, attributes: AdmissionAttributes) -> ApiError:
        """As the client is told, with the code of the reason."""
        by = f"ValidatingAdmissionPolicy '{self.policy}' with binding '{self.binding}' denied request: {self.decision.message}"
        row = attributes.resource
        told = is_forbidden(row.plural, row.group, attributes.said_name, by)
        return ERRORS[self.decision.reason](told.message, {**(told.details or {}), "causes": [{"message": by}]})


class ValidatingPolicies:
    name = "ValidatingAdmissionPolicy"

    def __init__(self) -> None:
        policies, bindings = resource_of(ValidatingAdmissionPolicy), resource_of(ValidatingAdmissionPolicyBinding)
        self._known = Known(policies, bindings, validating)

    def idle(self, server: Server) -> bool:
        return not self._known.current(server)

    async def validate(self, attributes: AdmissionAttributes, server: Server) -> None:
        bound = self._known.current(server)
        if not bound or request.is_exempt_from_policies(attributes):
            return
        asking = Asking(attributes, server)
        denials: list[Denial] = []
        audited: list[Tree] = []
        for policy, binding, row in asking.matched(bound):
            for outcome in await _outcomes(policy, binding, row, asking):
                denials += _acted(policy, binding, outcome, attributes, audited)
        if audited and attributes.request.audit is not None:
            attributes.request.audit.annotate(FAILURE_ANNOTATION, orjson.dumps(audited).decode())
        if denials:
            raise denials[0].error(attributes)


async def _outcomes(policy: Policy, binding: Binding, row: Resource, asking: Asking) -> list[Outcome]:
    """What the policy says, for each of the binding's parameters."""
    try:
        found = await parameters(policy, binding, asking.attributes, asking.server)
    except Misconfigured as error:
        refusal = Decision(f"failed to configure binding: {error}")
        return [] if policy.ignores_failure else [Outcome(((0, refusal),))]
    values = await asking.values(row)
    return [await asking.decided(partial(evaluation.outcome, policy, values, params)) for params in found]


def _acted(
    policy: Policy, binding: Binding, outcome: Outcome, attributes: AdmissionAttributes, audited: list[Tree]
) -> list[Denial]:  # fmt: skip
    denials = []
    for place, decision in outcome.denied:
        if "Deny" in binding.actions:
            denials.append(Denial(policy.name, binding.name, decision))
        if "Warn" in binding.actions:
            text = (
                f"Validation failed for ValidatingAdmissionPolicy '{policy.name}' with binding '{binding.name}': {decision.message}"
            )
            attributes.request.warn(text)
        if "Audit" in binding.actions:
            audited.append(
                {
                    "message": decision.message,
                    "policy": policy.name,
                    "binding": binding.name,
                    "expressionIndex": place,
                    "validationActions": list(binding.actions),
                }
            )
    if attributes.request.audit is not None:
        for key, value in outcome.annotations:
            attributes.request.audit.annotate(key, value)
    return denials
