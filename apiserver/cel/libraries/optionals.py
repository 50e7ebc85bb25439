"""Optionals: optional.of, optional.none, hasValue, value, or, orValue — a value that may be missing.

optMap and optFlatMap are macros. https://github.com/google/cel-go/blob/master/cel/library.go (OptionalTypes)
"""

from typing import Any

from apiserver.cel.errors import EvaluationError
from apiserver.cel.functions import Overload, function, member
from apiserver.cel.values import NONE, Duration, Optional, Timestamp


def _of_non_zero(value: Any) -> Optional:
    zero = value is None or value in (False, 0, "", b"", [], {}) or value in (Duration(0), Timestamp(0))
    return NONE if zero else Optional(value)


def _value(optional: Optional) -> Any:
    if not optional.present:
        raise EvaluationError("optional.none() dereference")
    return optional.value


def _unwrapped(items: list[Optional]) -> list[Any]:
    return [one.value for one in items if one.present]


OVERLOADS: tuple[Overload, ...] = (
    function("optional.of", "V -> optional(V)", Optional),
    function("optional.ofNonZeroValue", "V -> optional(V)", _of_non_zero),
    function("optional.none", "-> optional(V)", lambda: NONE),
    function("optional.unwrap", "list(optional(V)) -> list(V)", _unwrapped),
    member("unwrapOpt", "list(optional(V)) -> list(V)", _unwrapped),
    member("hasValue", "optional(V) -> bool", lambda optional: optional.present),
    member("value", "optional(V) -> V", _value),
    member("or", "optional(V), optional(V) -> optional(V)", lambda one, other: one if one.present else other),
    member("orValue", "optional(V), V -> V", lambda optional, other: optional.value if optional.present else other),
)
