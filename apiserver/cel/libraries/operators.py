"""Operators, `in`, indexes and size: what the language itself computes. `&&`, `||` and `?:` are the planner's.

https://github.com/google/cel-spec/blob/master/doc/langdef.md#list-of-standard-definitions
"""

import operator
from collections.abc import Callable
from typing import Any

from apiserver.cel import arithmetic
from apiserver.cel.errors import EvaluationError, no_such_key, no_such_overload
from apiserver.cel.functions import Overload, both_traversed, compared, function, member, per_part, shorter_traversed
from apiserver.cel.values import NONE, Optional, Uint, compare, contains, equal

NUMBERS = ("int", "uint", "double")
ORDERED = (*NUMBERS, "bool", "string", "bytes", "timestamp", "duration")


def index(container: Any, key: Any) -> Any:
    found = optional_index(container, key)
    if found.present:
        return found.value
    if isinstance(container, list):
        raise EvaluationError(f"index out of bounds: {key}")
    raise no_such_key(key)


def optional_index(container: Any, key: Any) -> Optional:
    """What is there, or NONE. An optional container is looked into."""
    if type(container) is Optional:
        return optional_index(container.value, key) if container.present else NONE
    if isinstance(container, list):
        return _item(container, key)
    if not isinstance(container, dict):
        raise no_such_overload()
    if type(key) not in (str, int, Uint, bool, float):
        raise EvaluationError("unsupported key type")
    if key not in container or (type(key) is bool and not any(one is key for one in container)):
        return NONE
    return Optional(container[key])


def _item(items: list[Any], place: Any) -> Optional:
    if type(place) is float and place.is_integer():
        place = int(place)
    if type(place) not in (int, Uint):
        raise EvaluationError(f"unsupported index type '{type(place).__name__}' in list")
    return Optional(items[place]) if 0 <= place < len(items) else NONE


def within(wanted: Any, container: Any) -> bool:
    if isinstance(container, dict):
        return optional_index(container, wanted).present if type(wanted) in (str, int, Uint, bool, float) else False
    if not isinstance(container, list):
        raise no_such_overload()
    return contains(container, wanted)


def different(one: Any, other: Any) -> bool:
    return not equal(one, other)


def inverted(value: Any) -> bool:
    if type(value) is not bool:
        raise no_such_overload()
    return not value


def _relation(holds: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def relation(one: Any, other: Any) -> bool:
        if type(one) is type(other) and type(one) in (int, str):  # what nearly all rules compare
            return holds(one, other)
        return holds(compare(one, other), 0)

    return relation


RELATIONS: dict[str, Callable[[Any, Any], bool]] = {
    "_<_": _relation(operator.lt),
    "_<=_": _relation(operator.le),
    "_>_": _relation(operator.gt),
    "_>=_": _relation(operator.ge),
}


def _sum_cost(one: Any, other: Any) -> int:
    """cel-go counts a sum of lists as 1, since it does not copy them."""
    return both_traversed(one, other) if isinstance(one, str | bytes | list) else 1


def _within_cost(_: Any, container: Any) -> int:
    return per_part(container) if isinstance(container, list) else 1


def _pairs(names: tuple[str, ...]) -> list[tuple[str, str]]:
    """Each with itself, and numbers with each other."""
    return [(one, other) for one in names for other in names if one == other or (one in NUMBERS and other in NUMBERS)]


def _arithmetic(name: str, call: Callable[[Any, Any], Any], *signatures: str) -> list[Overload]:
    cost = _sum_cost if name == "_+_" else None
    return [function(name, signature, call, cost) for signature in signatures]


OVERLOADS: tuple[Overload, ...] = (
    function("_==_", "A, A -> bool", equal, compared),
    function("_!=_", "A, A -> bool", different, compared),
    function("!_", "bool -> bool", inverted),
    *(
        function(name, f"{one}, {other} -> bool", call, shorter_traversed)
        for name, call in RELATIONS.items()
        for one, other in _pairs(ORDERED)
    ),
    *_arithmetic(
        "_+_", arithmetic.add, "int, int -> int", "uint, uint -> uint", "double, double -> double", "string, string -> string",
        "bytes, bytes -> bytes", "list(A), list(A) -> list(A)", "duration, duration -> duration",
        "timestamp, duration -> timestamp", "duration, timestamp -> timestamp",
    ),
    *_arithmetic(
        "_-_", arithmetic.subtract, "int, int -> int", "uint, uint -> uint", "double, double -> double",
        "timestamp, timestamp -> duration", "timestamp, duration -> timestamp", "duration, duration -> duration",
    ),
    *_arithmetic("_*_", arithmetic.multiply, *(f"{one}, {one} -> {one}" for one in NUMBERS)),
    *_arithmetic("_/_", arithmetic.divide, *(f"{one}, {one} -> {one}" for one in NUMBERS)),
    *_arithmetic("_%_", arithmetic.remainder, "int, int -> int", "uint, uint -> uint"),
    function("-_", "int -> int", arithmetic.negate),
    function("-_", "double -> double", arithmetic.negate),
    function("_[_]", "list(A), int -> A", index),
    function("_[_]", "map(A, B), A -> B", index),
    function("_[_]", "optional(list(A)), int -> optional(A)", optional_index),
    function("_[_]", "optional(map(A, B)), A -> optional(B)", optional_index),
    function("_[?_]", "list(A), int -> optional(A)", optional_index),
    function("_[?_]", "map(A, B), A -> optional(B)", optional_index),
    function("_[?_]", "optional(list(A)), int -> optional(A)", optional_index),
    function("_[?_]", "optional(map(A, B)), A -> optional(B)", optional_index),
    function("@in", "A, list(A) -> bool", within, _within_cost),
    function("@in", "A, map(A, B) -> bool", within),
    *(
        kind("size", f"{measured} -> int", len)
        for kind in (function, member)
        for measured in ("string", "bytes", "list(A)", "map(A, B)")
    ),
)  # fmt: skip
