"""Match conditions: CEL expressions that all must be true for a webhook, or a policy, to be asked about a request.

    any is false                          it is not asked, whatever the others say
    none is false, one has an error       failurePolicy Fail: the request is refused; Ignore: it is not asked
    all are true                          it is asked

`errors` is what a configuration with such conditions must keep: at most 64, each with a name of its own and an expression that
compiles and is a bool.
https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#matching-requests-matchconditions
apiserver pkg/admission/plugin/webhook/matchconditions/matcher.go
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from apiserver.admission.expression.activation import Answers, activation
from apiserver.admission.expression.authorization import decided
from apiserver.admission.expression.environment import complaint, condition
from apiserver.cel import Budget, CompileError, CostExceeded, EvaluationError, Program
from apiserver.cel.program import MATCH_CONDITIONS_BUDGET
from apiserver.context import AdmissionAttributes, Server
from kube.api import names
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import FieldError, Forbidden, duplicate, invalid, is_forbidden, required, too_many

MOST = 64

Compile = Callable[[str], Program]


async def met(
    conditions: Sequence[Tree], attributes: AdmissionAttributes, row: Resource, new: Tree | None, old: Tree | None, server: Server,
    *, ignores_failure: bool,
) -> bool:  # fmt: skip
    """Whether a webhook with these conditions is asked; it sees the objects in the version of `row`. Raises Forbidden."""
    if not conditions:
        return True
    answers: Answers = {}
    values = activation(attributes, row, new, old, server, answers)
    programs = [(one["name"], condition(one["expression"].strip())) for one in conditions]
    found, problems = await decided(lambda: judged(programs, values), answers, attributes.user, server)
    if problems and not ignores_failure:
        raise refusal(attributes, problems)
    return found and not problems


def judged(programs: Iterable[tuple[str, Program]], values: dict[str, Any]) -> tuple[bool, list[str]]:
    """Whether no condition is false; and the errors where none is. Pure."""
    budget = Budget(MATCH_CONDITIONS_BUDGET)
    problems: list[str] = []
    for _, program in programs:
        try:
            if program.evaluate(values, budget) is False:
                return False, []
        except CostExceeded:
            problems.append("validation failed due to running out of cost budget, no further validation rules will be run")
            break
        except EvaluationError as error:
            problems.append(f"expression '{program.source}' resulted in error: {error}")
    return True, problems


def refusal(attributes: AdmissionAttributes, problems: Sequence[str]) -> Forbidden:
    """Of a request whose match conditions cannot be told, under failurePolicy Fail."""
    row = attributes.resource
    why = problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"
    return is_forbidden(row.plural, row.group, attributes.said_name, why)


def errors(conditions: Sequence[Tree] | None, path: str, compile: Compile = condition) -> Iterator[FieldError]:
    """What is wrong with the matchConditions at `path`. `compile` is a policy's, where it has parameters."""
    if len(conditions or ()) > MOST:
        yield too_many(path, len(conditions or ()), MOST)
    seen: set[str] = set()
    for index, one in enumerate(conditions or ()):
        at = f"{path}[{index}]"
        yield from _expression_errors(one.get("expression") or "", f"{at}.expression", compile)
        name = one.get("name") or ""
        if not name:
            yield required(f"{at}.name")
            continue
        for text in names.qualified(name):
            yield invalid(f"{at}.name", name, text)
        if name in seen:
            yield duplicate(f"{at}.name", name)
        seen.add(name)


def _expression_errors(expression: str, at: str, compile: Compile) -> Iterator[FieldError]:
    if not expression.strip():
        yield required(at)
        return
    try:
        compile(expression.strip())
    except CompileError as error:
        yield invalid(at, expression.strip(), complaint(error))
