"""MutatingAdmissionPolicy: changes to objects on their way in; each sees what those before it made of the object.

Where a policy changed the object, the mutating chain runs once more (admission/__init__.py); in that second round those policies
are asked again that want it (reinvocationPolicy IfNeeded), where the object is another than they left it.
https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/
apiserver pkg/admission/plugin/policy/mutating/dispatcher.go
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import orjson

from apiserver import zero_values
from apiserver.admission.expression.match_conditions import refusal
from apiserver.admission.matching import request
from apiserver.admission.matching.versions import converted
from apiserver.admission.policy import evaluation
from apiserver.admission.policy.asking import Asking
from apiserver.admission.policy.definition import Binding, Policy, mutating
from apiserver.admission.policy.known import Known
from apiserver.admission.policy.parameters import Misconfigured, parameters
from apiserver.admission.policy.patches import patched
from apiserver.cel import Budget, EvaluationError, Program
from apiserver.context import AdmissionAttributes, Server
from kube.api import schema
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.resources import resource_of
from kube.api.status import Forbidden, is_forbidden
from kube.api.types import MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding

NOTES = "mutating policies"  # the key of the rounds in AdmissionAttributes.notes
ANSWERING = ("CREATE", "UPDATE")  # there is nothing to change in a deletion or a connection


@dataclass
class Rounds:
    """What the first round leaves to the second: the object as each policy and binding left it."""

    left: dict[tuple[str, str], bytes] = field(default_factory=dict)


class MutatingPolicies:
    name = "MutatingAdmissionPolicy"

    def __init__(self) -> None:
        policies, bindings = resource_of(MutatingAdmissionPolicy), resource_of(MutatingAdmissionPolicyBinding)
        self._known = Known(policies, bindings, mutating)

    def idle(self, server: Server) -> bool:
        return not self._known.current(server)

    async def mutate(self, attributes: AdmissionAttributes, server: Server) -> None:
        bound = self._known.current(server)
        if not bound or request.is_exempt_from_policies(attributes):
            return
        if attributes.operation not in ANSWERING or attributes.object is None:
            return
        rounds: Rounds = attributes.notes.setdefault(NOTES, Rounds())
        asking = Asking(attributes, server)
        for policy, binding, row in asking.matched(bound):
            await _asked(policy, binding, row, asking, rounds)


async def _asked(policy: Policy, binding: Binding, row: Resource, asking: Asking, rounds: Rounds) -> None:
    attributes = asking.attributes
    place = (policy.name, binding.name)
    before = orjson.dumps(attributes.object)
    second = attributes.reinvocation == "again"
    if second and (not policy.reinvoked or rounds.left.get(place) == before):
        return
    try:
        for params in await parameters(policy, binding, attributes, asking.server):
            await _change(policy, params, row, asking)
    except Misconfigured as error:
        if not policy.ignores_failure:
            raise _refusal(policy, binding, attributes, f"failed to configure binding: {error}") from None
    except EvaluationError as error:
        if not policy.ignores_failure:
            raise _refusal(policy, binding, attributes, str(error)) from None
    after = orjson.dumps(attributes.object)
    rounds.left[place] = after
    if after != before and not second:
        attributes.reinvocation = "wanted"


async def _change(policy: Policy, params: Tree | None, row: Resource, asking: Asking) -> None:
    """Apply the policy's mutations, one after another. Raises EvaluationError; Forbidden where a match condition cannot be told."""
    values = await asking.values(row)
    met, problems = await asking.decided(partial(evaluation.conditions_met, policy, values, params))
    if problems and not policy.ignores_failure:
        raise refusal(asking.attributes, problems)
    if problems or not met:
        return
    for mutation in policy.mutations:
        values = await asking.values(row)
        made = await asking.decided(partial(_made, policy, mutation.program, values, params))
        tree = _known_only(patched(mutation.patch_type, made, values["object"], row), row)
        changed = await converted(tree, row, asking.attributes.resource, asking.server)
        _put(changed, asking.attributes)


def _put(tree: Tree | None, attributes: AdmissionAttributes) -> None:
    assert attributes.object is not None, "there is nothing else to change"
    attributes.object.clear()
    attributes.object.update(tree or {})


def _made(policy: Policy, program: Program, values: Mapping[str, Any], params: Tree | None) -> Any:
    """What a mutation's expression gives."""
    budget = Budget()
    try:
        return program.evaluate(evaluation.environment(policy, values, params, budget), budget)
    except EvaluationError as error:
        raise EvaluationError(evaluation.told(program, error)) from None


def _known_only(tree: Tree, row: Resource) -> Tree:
    """With defaults, and without what the kind does not know. Raises EvaluationError for values of a wrong type."""
    if tree.get("kind") != row.kind:
        return tree  # a subresource's own kind
    wrong = schema.problems(row, tree).wrong_types
    if wrong:
        raise EvaluationError(wrong[0])
    zero_values.drop(row, tree)
    row.set_defaults(tree)
    return tree


def _refusal(policy: Policy, binding: Binding, attributes: AdmissionAttributes, why: str) -> Forbidden:
    row = attributes.resource
    by = f"policy '{policy.name}' with binding '{binding.name}' denied request: {why}"
    return is_forbidden(row.plural, row.group, attributes.said_name, by)
