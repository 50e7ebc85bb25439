"""Evaluation: one policy, one set of parameters, one request. Pure: what expressions ask the authorizer is asked by the caller.

Variables are computed when an expression first reads them, and once. What all expressions of a policy cost together is limited.
apiserver pkg/admission/plugin/policy/validating/validator.go, pkg/admission/plugin/cel/composition.go
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apiserver.admission.expression.match_conditions import judged
from apiserver.admission.policy.definition import Policy, Validation
from apiserver.cel import Budget, CostExceeded, EvaluationError, Program
from apiserver.cel.libraries.authorizer import Authorizer

INVALID = "Invalid"
MOST_MESSAGE_BYTES = 5 * 1024
MOST_ANNOTATION_BYTES = 10 * 1024
OUT_OF_BUDGET = "validation failed due to running out of cost budget, no further validation rules will be run"


@dataclass(frozen=True)
class Decision:
    """What one validation says. Only refusals and errors are told."""

    message: str
    reason: str = INVALID


@dataclass(frozen=True)
class Outcome:
    """What a policy says of a request."""

    denied: tuple[tuple[int, Decision], ...] = ()  # with the validation's place
    annotations: tuple[tuple[str, str], ...] = ()


class Variables(dict[str, Any]):
    """`variables`: computed when they are read."""

    def __init__(self, programs: Mapping[str, Program], values: Mapping[str, Any], budget: Budget) -> None:
        super().__init__()
        self._programs = programs
        self._values = {**values, "variables": self}
        self._budget = budget

    def __contains__(self, name: object) -> bool:
        return name in self._programs

    def __missing__(self, name: str) -> Any:
        try:
            value = self[name] = self._programs[name].evaluate(self._values, self._budget)
        except CostExceeded:
            raise
        except EvaluationError as error:
            raise EvaluationError(f'composited variable "{name}" fails to evaluate: {error}') from None
        return value


def environment(policy: Policy, values: Mapping[str, Any], params: Any, budget: Budget) -> dict[str, Any]:
    """What the policy's expressions know."""
    known: dict[str, Any] = {**values, "params": params}
    known["variables"] = Variables(dict(policy.variables), known, budget)
    return known


def conditions_met(policy: Policy, values: Mapping[str, Any], params: Any) -> tuple[bool, list[str]]:
    """Whether no match condition is false; and the errors where none is."""
    return judged(policy.conditions, {**values, "params": params}) if policy.conditions else (True, [])


def outcome(policy: Policy, values: Mapping[str, Any], params: Any) -> Outcome:
    """What the policy refuses, and the audit annotations it makes."""
    met, problems = conditions_met(policy, values, params)
    if problems:
        return _failed(policy, problems)
    if not met:
        return Outcome()
    budget = Budget()
    known = environment(policy, values, params, budget)
    denied: list[tuple[int, Decision]] = []
    for place, validation in enumerate(policy.validations):
        decision = _decision(policy, validation, known, budget)
        if decision is not None:
            denied.append((place, decision))
    annotations, failed = _annotations(policy, known, budget)
    return Outcome((*denied, *((0, one) for one in failed)), annotations)


def _failed(policy: Policy, problems: list[str]) -> Outcome:
    if policy.ignores_failure:
        return Outcome()
    return Outcome(((0, Decision(problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]")),))


def _decision(policy: Policy, validation: Validation, known: Mapping[str, Any], budget: Budget) -> Decision | None:
    """None: it is admitted, or cannot be told and failures are ignored."""
    try:
        if validation.program.evaluate(known, budget) is True:
            return None
    except EvaluationError as error:
        return None if policy.ignores_failure else Decision(told(validation.program, error))
    return Decision(_message(validation, known, budget), validation.reason or INVALID)


def told(program: Program, error: EvaluationError) -> str:
    if isinstance(error, CostExceeded):
        return OUT_OF_BUDGET
    return f"expression '{program.source}' resulted in error: {error}"


def _message(validation: Validation, known: Mapping[str, Any], budget: Budget) -> str:
    """What messageExpression makes, where that can be shown; else the message; else the expression."""
    otherwise = validation.message or f"failed expression: {validation.program.source}"
    if validation.message_program is None:
        return otherwise
    hidden = {name: value for name, value in known.items() if not isinstance(value, Authorizer)}
    try:
        made = str(validation.message_program.evaluate(hidden, budget)).strip()
    except EvaluationError:
        return otherwise
    good = made and "\n" not in made and len(made.encode()) <= MOST_MESSAGE_BYTES
    return made if good else otherwise


def _annotations(
    policy: Policy, known: Mapping[str, Any], budget: Budget
) -> tuple[tuple[tuple[str, str], ...], list[Decision]]:  # fmt: skip
    """And a refusal for each that cannot be made, unless failures are ignored."""
    found: list[tuple[str, str]] = []
    failed: list[Decision] = []
    for key, program in policy.audit_annotations:
        try:
            value = program.evaluate(known, budget)
        except EvaluationError as error:
            if not policy.ignores_failure:
                failed.append(Decision(told(program, error)))
            continue
        if isinstance(value, str) and value.strip():
            found.append((f"{policy.name}/{key}", value.strip()[:MOST_ANNOTATION_BYTES]))
    return tuple(found), failed
