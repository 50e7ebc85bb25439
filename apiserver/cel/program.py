"""Program: an expression that was compiled, ready to be evaluated.

Limits of apiserver pkg/apis/cel/config.go: what one expression may cost, and what all of one request may.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from apiserver.cel.checker import Checked, Objects, check
from apiserver.cel.errors import CompileError, CostExceeded, EvaluationError
from apiserver.cel.estimate import CostRange, estimated
from apiserver.cel.frame import Frame, Step
from apiserver.cel.functions import Functions
from apiserver.cel.libraries import FUNCTIONS
from apiserver.cel.parser import parse
from apiserver.cel.planner import Planner
from apiserver.cel.syntax import Node
from apiserver.cel.types import Declared, Type

PER_CALL_LIMIT = 1_000_000
BUDGET = 10_000_000  # for the expressions of one request, policy or object
MATCH_CONDITIONS_BUDGET = 2_500_000


@dataclass
class Budget:
    """What several evaluations may cost together."""

    left: int = BUDGET


@dataclass(frozen=True)
class Program:
    """Made by `compile`."""

    source: str
    result: Type
    used: frozenset[str]  # the variables that it reads
    cost_limit: int
    _run: Step = field(repr=False)
    _fixed: int = field(repr=False)
    _syntax: Node = field(repr=False)
    _checked: Checked = field(repr=False)

    def uses(self, variable: str) -> bool:
        return variable in self.used

    @property
    def estimated_cost(self) -> CostRange:
        """What an evaluation costs at least and at most, by the sizes that the variables' types allow."""
        return estimated(self._syntax, self._checked)

    def evaluate(self, activation: Mapping[str, Any], budget: Budget | None = None) -> Any:
        """The value. Raises EvaluationError; CostExceeded where the limit, or the budget, is not enough."""
        frame = Frame(activation)
        allowed = self.cost_limit if budget is None else min(self.cost_limit, budget.left)
        frame.left = allowed - self._fixed
        try:
            value = self._run(frame)
            if frame.left < 0:
                raise CostExceeded
        except RecursionError:  # of values that are nested as no object is
            raise EvaluationError("expression recursion limit exceeded") from None
        finally:
            if budget is not None:
                budget.left -= allowed - frame.left
        return value


def _no_objects(name: str) -> Type | None:
    return None


def compile(
    expression: str,
    variables: Mapping[str, Declared],
    *,
    returns: Sequence[Type] | None = None,
    cost_limit: int = PER_CALL_LIMIT,
    functions: Functions = FUNCTIONS,
    objects: Objects = _no_objects,
) -> Program:
    """Parsed, checked and planned. Raises CompileError; WrongResult where the type is none of `returns`."""
    syntax = parse(expression)
    checked = check(syntax, variables, functions, objects)
    if checked.issues:
        raise CompileError(expression, checked.issues)
    if returns is not None and checked.result not in returns:
        raise WrongResult(expression, checked.result, returns)
    run, fixed = Planner(checked).plan(syntax)
    return Program(expression, checked.result, frozenset(checked.used), cost_limit, run, fixed, syntax, checked)


class WrongResult(CompileError):
    """The expression is right, but of another type than is asked for."""

    def __init__(self, source: str, result: Type, returns: Sequence[Type]) -> None:
        super().__init__(source, ())
        shown = " ".join(map(str, returns))
        text = f"must evaluate to {shown}" if len(returns) == 1 else f"must evaluate to one of [{shown}]"
        self.result = result
        self.args = (text,)
