"""Arithmetic: `+ - * / %` and the sign, of whatever two values an expression brings. 64 bits; what does not fit is an error.

https://github.com/google/cel-spec/blob/master/doc/langdef.md#numeric-values
"""

import math
from typing import Any

from apiserver.cel.errors import EvaluationError, no_such_overload
from apiserver.cel.values import INT_MAX, INT_MIN, Duration, MapList, SetList, Timestamp, Uint, as_int, as_uint

FIRST_INSTANT = -62_135_596_800 * 10**9  # 0001-01-01T00:00:00Z
LAST_INSTANT = 253_402_300_800 * 10**9 - 1  # the last nanosecond of 9999


def as_timestamp(nanos: int) -> Timestamp:
    if not FIRST_INSTANT <= nanos <= LAST_INSTANT:
        raise EvaluationError("timestamp overflow")
    return Timestamp(nanos)


def as_duration(nanos: int) -> Duration:
    if not INT_MIN <= nanos <= INT_MAX:
        raise EvaluationError("duration overflow")
    return Duration(nanos)


def add(one: Any, other: Any) -> Any:
    kind, other_kind = type(one), type(other)
    if kind is other_kind:
        if kind is int:
            return as_int(one + other)
        if kind in (str, float, bytes, list):
            return one + other
        if kind is Uint:
            return as_uint(int(one) + int(other))
        if kind is Duration:
            return as_duration(one.nanos + other.nanos)
    if kind in (SetList, MapList) and isinstance(other, list):
        return one.plus(other)
    if isinstance(one, list) and isinstance(other, list):
        return list(one) + list(other)
    if {kind, other_kind} == {Timestamp, Duration}:
        return as_timestamp(one.nanos + other.nanos)
    raise no_such_overload()


def subtract(one: Any, other: Any) -> Any:
    kind, other_kind = type(one), type(other)
    if kind is other_kind:
        if kind is int:
            return as_int(one - other)
        if kind is float:
            return one - other
        if kind is Uint:
            return as_uint(int(one) - int(other))
        if kind in (Timestamp, Duration):
            return as_duration(one.nanos - other.nanos)
    if kind is Timestamp and other_kind is Duration:
        return as_timestamp(one.nanos - other.nanos)
    raise no_such_overload()


def multiply(one: Any, other: Any) -> Any:
    kind = type(one)
    if kind is type(other):
        if kind is int:
            return as_int(one * other)
        if kind is float:
            return one * other
        if kind is Uint:
            return as_uint(int(one) * int(other))
    raise no_such_overload()


def divide(one: Any, other: Any) -> Any:
    """Integers toward zero; doubles as IEEE 754 has it."""
    kind = type(one)
    if kind is not type(other) or kind not in (int, Uint, float):
        raise no_such_overload()
    if kind is float:
        return one / other if other else _by_zero(one, other)
    if not other:
        raise EvaluationError("division by zero")
    if kind is Uint:
        return Uint(int(one) // int(other))
    quotient = abs(one) // abs(other)
    return as_int(quotient if (one < 0) == (other < 0) else -quotient)


def remainder(one: Any, other: Any) -> Any:
    """Has the sign of the first."""
    kind = type(one)
    if kind is not type(other) or kind not in (int, Uint):
        raise no_such_overload()
    if not other:
        raise EvaluationError("modulus by zero")
    if kind is Uint:
        return Uint(int(one) % int(other))
    rest = abs(one) % abs(other)
    return rest if one >= 0 else -rest


def negate(one: Any) -> Any:
    if type(one) is int:
        return as_int(-one)
    if type(one) is float:
        return -one
    raise no_such_overload()


def _by_zero(one: float, other: float) -> float:
    if one == 0 or math.isnan(one):
        return math.nan
    return math.copysign(math.inf, one) * math.copysign(1, other)
