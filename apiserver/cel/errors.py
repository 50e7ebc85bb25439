"""Errors of CEL: what is wrong with an expression, and what went wrong while one was evaluated.

    CompileError     the expression cannot be used: `ERROR: <input>:1:5: undefined field 'x'\\n | self.x\\n | ....^`
    EvaluationError  this evaluation has no value: `no such key: x`. `&&`, `||`, `all` and `exists` may absorb it
    CostExceeded     an EvaluationError that nothing absorbs: the evaluation used up what it may cost

The texts are cel-go's (common/source.go, common/error.go, common/types/err.go): users and clients match on them.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Issue:
    """One complaint about an expression. `at` is the offset of the character that it is about."""

    at: int
    text: str

    def shown(self, source: str) -> str:
        """With its place, the line, and a mark below it."""
        before = source[: self.at]
        line = before.count("\n") + 1
        start = before.rfind("\n") + 1
        column = self.at - start
        snippet = source[start:].split("\n", 1)[0].replace("\t", " ")
        return f"ERROR: <input>:{line}:{column + 1}: {self.text}\n | {snippet}\n | {'.' * column}^"


class CompileError(Exception):
    """The expression cannot be used. The text has every complaint, in order, in cel-go's form."""

    def __init__(self, source: str, issues: Iterable[Issue]) -> None:
        self.issues = sorted(set(issues))
        super().__init__("\n".join(issue.shown(source) for issue in self.issues))


class EvaluationError(Exception):
    """This evaluation has no value."""


class CostExceeded(EvaluationError):
    """The evaluation was stopped: it would have cost too much."""

    def __init__(self) -> None:
        super().__init__("operation cancelled: actual cost limit exceeded")


def no_such_overload() -> EvaluationError:
    return EvaluationError("no such overload")


def no_such_key(key: object) -> EvaluationError:
    return EvaluationError(f"no such key: {key}")
