"""Lists: isSorted, sum, min, max, indexOf, lastIndexOf, and cel-go's slice, reverse, sort, distinct, flatten, range.

https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-list-library · https://github.com/google/cel-go/blob/master/ext/README.md#lists
"""

from functools import cmp_to_key
from itertools import pairwise
from typing import Any

from apiserver.cel import arithmetic
from apiserver.cel.errors import EvaluationError
from apiserver.cel.functions import Overload, all_read, function, member, per_element, per_part, size_of
from apiserver.cel.types import DURATION
from apiserver.cel.values import Duration, Uint, compare, contains, equal

ORDERED = ("int", "uint", "double", "bool", "duration", "timestamp", "string", "bytes")
SUMMED = ("int", "uint", "double", "duration")
LONGEST_RANGE = 1_000_000
_ZEROS = {"int": 0, "uint": Uint(0), "double": 0.0, DURATION.kind: Duration(0)}


def is_sorted(items: list[Any]) -> bool:
    return all(compare(one, following) <= 0 for one, following in pairwise(items))


def _sum(zero: Any) -> Any:
    def total(items: list[Any]) -> Any:
        if not items:
            return zero
        found = items[0]
        for one in items[1:]:
            found = arithmetic.add(found, one)
        return found

    return total


def least(items: list[Any]) -> Any:
    return _extreme(items, -1, "min")


def greatest(items: list[Any]) -> Any:
    return _extreme(items, 1, "max")


def _extreme(items: list[Any], wanted: int, name: str) -> Any:
    if not items:
        raise EvaluationError(f"{name} called on empty list")
    found = items[0]
    for one in items[1:]:
        if compare(one, found) == wanted:
            found = one
    return found


def index_of(items: list[Any], wanted: Any) -> int:
    return next((place for place, one in enumerate(items) if equal(one, wanted)), -1)


def last_index_of(items: list[Any], wanted: Any) -> int:
    return next((place for place in range(len(items) - 1, -1, -1) if equal(items[place], wanted)), -1)


def cut(items: list[Any], start: int, end: int) -> list[Any]:
    if start < 0 or end < 0:
        raise EvaluationError(f"cannot slice({start}, {end}), negative indexes not supported")
    if start > end:
        raise EvaluationError(f"cannot slice({start}, {end}), start index must be less than or equal to end index")
    if end > len(items):
        raise EvaluationError(f"cannot slice({start}, {end}), list is length {len(items)}")
    return list(items[start:end])


def flattened(items: list[Any], depth: int = 1) -> list[Any]:
    if depth < 0:
        raise EvaluationError("level must be non-negative")
    found: list[Any] = []
    for one in items:
        if isinstance(one, list):
            found.extend(flattened(one, depth - 1) if depth > 1 else one if depth else [one])
        else:
            found.append(one)
    return found


def distinct(items: list[Any]) -> list[Any]:
    found: list[Any] = []
    for one in items:
        if not contains(found, one):
            found.append(one)
    return found


def ordered(items: list[Any]) -> list[Any]:
    return sorted(items, key=cmp_to_key(compare))


def numbers(count: int) -> list[int]:
    if count > LONGEST_RANGE:
        raise EvaluationError(f"lists.range({count}) is too long")
    return list(range(count))


def _squared(items: list[Any]) -> int:
    """Of comparing each with each."""
    return per_part(items) * len(items) + 1


def _inner(items: list[Any], *_: Any) -> int:
    return sum(size_of(one) for one in items) + 1


OVERLOADS: tuple[Overload, ...] = (
    *(member("isSorted", f"list({one}) -> bool", is_sorted, per_element) for one in ORDERED),
    *(member("sum", f"list({one}) -> {one}", _sum(_ZEROS[one]), per_element) for one in SUMMED),
    *(member("min", f"list({one}) -> {one}", least, per_element) for one in ORDERED),
    *(member("max", f"list({one}) -> {one}", greatest, per_element) for one in ORDERED),
    member("indexOf", "list(T), T -> int", index_of, per_part),
    member("lastIndexOf", "list(T), T -> int", last_index_of, per_part),
    member("slice", "list(T), int, int -> list(T)", cut, per_element),
    member("reverse", "list(T) -> list(T)", lambda items: items[::-1], per_element),
    member("distinct", "list(T) -> list(T)", distinct, _squared),
    member("flatten", "list(list(T)) -> list(T)", flattened, _inner),
    member("flatten", "list(dyn), int -> list(dyn)", flattened, all_read),
    *(member("sort", f"list({one}) -> list({one})", ordered, _squared) for one in ORDERED),
    function("lists.range", "int -> list(int)", numbers, lambda count: max(count, 1)),
)
