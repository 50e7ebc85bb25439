"""Math: greatest, least, rounding, signs and bits.

https://github.com/google/cel-go/blob/master/ext/README.md#math
"""

import math
from collections.abc import Callable
from typing import Any

from apiserver.cel.errors import EvaluationError
from apiserver.cel.functions import Overload, function, per_element
from apiserver.cel.libraries.lists import greatest, least
from apiserver.cel.values import Uint, as_int

NUMBERS = ("int", "uint", "double")
BITS = 64


def _round(value: float) -> float:
    """Halves away from zero."""
    if not math.isfinite(value):
        return value
    return math.copysign(math.floor(abs(value) + 0.5), value)


def _whole(rule: Callable[[float], float]) -> Callable[[float], float]:
    return lambda value: float(rule(value)) if math.isfinite(value) else value


def _magnitude(value: Any) -> Any:
    return value if type(value) is Uint else as_int(abs(value)) if type(value) is int else abs(value)


def _sign(value: Any) -> Any:
    return type(value)((value > 0) - (value < 0)) if value == value else value


def _signed(number: int) -> int:
    number &= 2**BITS - 1
    return number - 2**BITS if number >= 2 ** (BITS - 1) else number


def _shift(value: Any, by: int, left: bool) -> Any:
    if by < 0:
        raise EvaluationError(f"math.bitShift{'Left' if left else 'Right'}() negative offset: {by}")
    if by >= BITS:
        return type(value)(0)
    bits = int(value) & (2**BITS - 1)
    moved = bits << by if left else bits >> by
    return Uint(moved & (2**BITS - 1)) if type(value) is Uint else _signed(moved)


def _bits(name: str, rule: Callable[[int, int], int]) -> tuple[Overload, ...]:
    return (
        function(name, "int, int -> int", rule),
        function(name, "uint, uint -> uint", lambda one, other: Uint(rule(int(one), int(other)))),
    )


def _extremes(name: str, choose: Callable[[list[Any]], Any]) -> tuple[Overload, ...]:
    """Of one, two or three numbers, or of a list."""
    return (
        *(function(name, f"{one} -> {one}", lambda value: value) for one in NUMBERS),
        *(function(name, f"list({one}) -> {one}", choose, per_element) for one in NUMBERS),
        *(
            function(name, f"{one}, {other} -> {one if one == other else 'dyn'}", lambda *values: choose(list(values)))
            for one in NUMBERS
            for other in NUMBERS
        ),
        *(function(name, f"{one}, {one}, {one} -> {one}", lambda *values: choose(list(values))) for one in NUMBERS),
    )


OVERLOADS: tuple[Overload, ...] = (
    *_extremes("math.greatest", greatest),
    *_extremes("math.least", least),
    function("math.ceil", "double -> double", _whole(math.ceil)),
    function("math.floor", "double -> double", _whole(math.floor)),
    function("math.round", "double -> double", _round),
    function("math.trunc", "double -> double", _whole(math.trunc)),
    *(function("math.abs", f"{one} -> {one}", _magnitude) for one in NUMBERS),
    *(function("math.sign", f"{one} -> {one}", _sign) for one in NUMBERS),
    function("math.isInf", "double -> bool", math.isinf),
    function("math.isNaN", "double -> bool", math.isnan),
    function("math.isFinite", "double -> bool", math.isfinite),
    *_bits("math.bitAnd", lambda one, other: one & other),
    *_bits("math.bitOr", lambda one, other: one | other),
    *_bits("math.bitXor", lambda one, other: one ^ other),
    function("math.bitNot", "int -> int", lambda value: ~value),
    function("math.bitNot", "uint -> uint", lambda value: Uint(~int(value) & (2**BITS - 1))),
    *(
        function(f"math.bitShift{word}", f"{one}, int -> {one}", lambda value, by, left=word == "Left": _shift(value, by, left))
        for word in ("Left", "Right")
        for one in ("int", "uint")
    ),
)
