"""Sets: lists as sets — contains, equivalent, intersects.

https://kubernetes.io/docs/reference/using-api/cel/#cel-community-libraries · cel-go ext/sets.go
"""

from typing import Any

from apiserver.cel.functions import Overload, function, per_part
from apiserver.cel.values import contains


def all_in(items: list[Any], wanted: list[Any]) -> bool:
    return all(contains(items, one) for one in wanted)


def equivalent(one: list[Any], other: list[Any]) -> bool:
    return all_in(one, other) and all_in(other, one)


def intersects(one: list[Any], other: list[Any]) -> bool:
    return any(contains(other, item) for item in one)


def _each_with_each(one: list[Any], other: list[Any]) -> int:
    """The elements of one are compared with each of the other."""
    return per_part(one) * max(len(other), 1) + per_part(other) * max(len(one), 1)


OVERLOADS: tuple[Overload, ...] = (
    function("sets.contains", "list(T), list(T) -> bool", all_in, _each_with_each),
    function("sets.equivalent", "list(T), list(T) -> bool", equivalent, lambda one, other: 2 * _each_with_each(one, other)),
    function("sets.intersects", "list(T), list(T) -> bool", intersects, _each_with_each),
)
