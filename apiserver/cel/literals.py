"""Literals that are read when an expression is compiled, so that a mistake is told at once: patterns, times, durations.

cel-go cel/validator.go (ValidateDurationLiterals, ValidateTimestampLiterals, ValidateRegexLiterals)
"""

from collections.abc import Callable
from typing import Any

from apiserver.cel import moments, regex
from apiserver.cel.errors import EvaluationError, Issue
from apiserver.cel.syntax import Call, Literal

READ: dict[str, Callable[[str], Any]] = {
    "duration": moments.parse_duration,
    "timestamp": moments.parse_timestamp,
    "matches": regex.compiled,
}


def literal_issue(node: Call) -> Issue | None:
    """What is wrong with the last argument of such a call, where it is a text."""
    read = READ.get(node.function)
    if read is None or not node.arguments:
        return None
    argument = node.arguments[-1]
    if not isinstance(argument, Literal) or not isinstance(argument.value, str):
        return None
    try:
        read(argument.value)
    except EvaluationError:
        return Issue(argument.at, f"invalid {node.function} argument")
    return None
