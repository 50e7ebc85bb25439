"""Text format: what `"%s has %d".format([name, count])` makes.

https://github.com/google/cel-go/blob/master/ext/README.md#format
"""

import re
from typing import Any

from apiserver.cel.errors import EvaluationError
from apiserver.cel.libraries.conversions import show_double, to_string
from apiserver.cel.types import Type
from apiserver.cel.values import Uint, type_of

_CLAUSE = re.compile(r"%(?:(%)|(?:\.([0-9]+))?([a-zA-Z])?)")
MOST_DIGITS = 1000
DEFAULT_PRECISION = 6


def formatted(pattern: str, arguments: list[Any]) -> str:
    made: list[str] = []
    end = place = 0
    for clause in _CLAUSE.finditer(pattern):
        made.append(pattern[end : clause.start()])
        end = clause.end()
        if clause[1]:
            made.append("%")
            continue
        if clause[3] is None:
            raise EvaluationError("could not parse formatting clause: unexpected end of string")
        if place >= len(arguments):
            raise EvaluationError(f"index {place} out of range")
        made.append(_shown(clause[3], int(clause[2]) if clause[2] else None, arguments[place]))
        place += 1
    made.append(pattern[end:])
    return "".join(made)


def _shown(verb: str, precision: int | None, value: Any) -> str:
    if precision is not None and precision > MOST_DIGITS:
        raise EvaluationError(f"could not parse formatting clause: precision {precision} is too large")
    if verb == "s":
        return text_of(value)
    if verb in ("f", "e"):
        return _decimal(verb, DEFAULT_PRECISION if precision is None else precision, value)
    if verb not in _VERBS:
        raise EvaluationError(f'could not parse formatting clause: unrecognized formatting clause "{verb}"')
    kinds, show = _VERBS[verb]
    if type(value) not in kinds:
        raise EvaluationError(
            f"error during formatting: {_NOUNS[verb]} clause can only be used on {_names(kinds)}, was given {type_of(value)}"
        )
    return str(show(value))


def text_of(value: Any) -> str:
    """As %s shows it; strings inside containers are quoted no more than outside."""
    if isinstance(value, list):
        return f"[{', '.join(text_of(one) for one in value)}]"
    if isinstance(value, dict):
        pairs = sorted((text_of(key), text_of(one)) for key, one in value.items())
        return f"{{{', '.join(f'{key}: {one}' for key, one in pairs)}}}"
    if value is None:
        return "null"
    if isinstance(value, float):
        return {"+Inf": "Infinity", "-Inf": "-Infinity"}.get(show_double(value), show_double(value))
    if isinstance(value, Type):
        return str(value)
    return to_string(value)


def _decimal(verb: str, precision: int, value: Any) -> str:
    if type(value) not in (float, int, Uint):
        raise EvaluationError(
            f"error during formatting: fixed-point clause can only be used on doubles, was given {type_of(value)}"
        )
    return f"{float(value):.{precision}{verb}}"


def _hexadecimal(value: Any) -> str:
    if isinstance(value, str):
        return value.encode().hex()
    return value.hex() if isinstance(value, bytes) else f"{value:x}"


_NOUNS = {"d": "decimal", "b": "binary", "x": "hex", "X": "hex", "o": "octal"}
_VERBS: dict[str, tuple[tuple[type, ...], Any]] = {
    "d": ((int, Uint, float), lambda value: text_of(value) if isinstance(value, float) else f"{value:d}"),
    "b": ((int, Uint, bool), lambda value: f"{value:b}"),
    "o": ((int, Uint), lambda value: f"{value:o}"),
    "x": ((int, Uint, str, bytes), _hexadecimal),
    "X": ((int, Uint, str, bytes), lambda value: _hexadecimal(value).upper()),
}


def _names(kinds: tuple[type, ...]) -> str:
    shown = {int: "integers", Uint: "unsigned integers", float: "doubles", bool: "bools", str: "strings", bytes: "byte buffers"}
    return ", ".join(shown[one] for one in kinds)
