"""Functions: a library's rows — what a function is called, what it takes and gives, how it is computed and what that costs.

    member("startsWith", "string, string -> bool", str.startswith, cost=traversal)    text.startsWith("a")
    function("size", "list(A) -> int", len)                                            size(list)

A capital letter is a type parameter. Overloads of one name are told apart by their types when checked, and, where those are dyn,
by the values when evaluated. `cost` takes the arguments; without it a call costs 1. The strings after `->` may name a library's
own type (`net.IP`), whose class has it as `type_name`.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from apiserver.cel import types
from apiserver.cel.types import Type
from apiserver.cel.values import weight

STRING_TRAVERSAL = 0.1  # cel-go's StringTraversalCostFactor: reading ten characters costs as much as one call
REGEX_LENGTH = 0.25
UNSIZED = frozenset((int, bool, float, type(None)))

Cost = Callable[..., int]


@dataclass(frozen=True)
class Overload:
    name: str
    is_member: bool
    arguments: tuple[Type, ...]  # a member's target is the first
    result: Type
    call: Callable[..., Any]
    cost: Cost | None = None


Functions = Mapping[tuple[str, bool], tuple[Overload, ...]]


def function(name: str, signature: str, call: Callable[..., Any], cost: Cost | None = None) -> Overload:
    return _overload(name, False, signature, call, cost)


def member(name: str, signature: str, call: Callable[..., Any], cost: Cost | None = None) -> Overload:
    return _overload(name, True, signature, call, cost)


def table(overloads: Iterable[Overload]) -> Functions:
    found: dict[tuple[str, bool], tuple[Overload, ...]] = {}
    for one in overloads:
        key = (one.name, one.is_member)
        found[key] = (*found.get(key, ()), one)
    return found


def _overload(name: str, is_member: bool, signature: str, call: Callable[..., Any], cost: Cost | None) -> Overload:
    left, _, right = signature.partition("->")
    return Overload(name, is_member, _types(left), _types(right)[0], call, cost)


_WORD = re.compile(r"[A-Za-z_.0-9]+|[(),]")
_KNOWN = {
    one.kind: one
    for one in (
        types.BOOL, types.BYTES, types.DOUBLE, types.DURATION, types.DYN, types.INT, types.NULL, types.STRING, types.TIMESTAMP,
        types.TYPE, types.UINT,
    )
}  # fmt: skip


@lru_cache(maxsize=256)
def _types(text: str) -> tuple[Type, ...]:
    words = _WORD.findall(text)
    found: list[Type] = []
    while words:
        found.append(_type(words))
        if words:
            words.pop(0)  # the comma
    return tuple(found)


def _type(words: list[str]) -> Type:
    name = words.pop(0)
    if words and words[0] == "(":
        words.pop(0)
        parameters = [_type(words)]
        while words.pop(0) == ",":
            parameters.append(_type(words))
        return Type(name, parameters=tuple(parameters))
    if len(name) == 1:
        return types.parameter(name)
    return _KNOWN[name] if name in _KNOWN else types.opaque(name)


def size_of(value: Any) -> int:
    """How large a value is, for costs: characters, elements; 1 for what has no size."""
    return len(value) if hasattr(value, "__len__") else 1


def traversal(first: Any, *_: Any) -> int:
    """Of reading the first argument once."""
    return math.ceil(size_of(first) * STRING_TRAVERSAL)


def all_read(*values: Any) -> int:
    """Of reading every argument once, all through."""
    return weight(list(values))


def both_traversed(first: Any, second: Any, *_: Any) -> int:
    return math.ceil((size_of(first) + size_of(second)) * STRING_TRAVERSAL)


def shorter_traversed(first: Any, second: Any) -> int:
    if type(first) in UNSIZED:
        return 1
    return math.ceil(min(size_of(first), size_of(second)) * STRING_TRAVERSAL)


def compared(first: Any, second: Any) -> int:
    """Of `==`: the smaller one is read all through."""
    if type(first) in UNSIZED:
        return 1
    if not isinstance(first, list | dict) or not isinstance(second, list | dict):
        return shorter_traversed(first, second)
    return math.ceil(min(per_part(first), per_part(second)) * STRING_TRAVERSAL)


def searched(first: Any, second: Any, *_: Any) -> int:
    """Of looking for the second argument in the first."""
    return math.ceil(size_of(first) * STRING_TRAVERSAL) * math.ceil(size_of(second) * STRING_TRAVERSAL)


def matched(text: str, pattern: str, *_: Any) -> int:
    """Of a regular expression: a state for every four characters of it, and each may read the text."""
    return math.ceil((1 + len(text)) * STRING_TRAVERSAL) * math.ceil(len(pattern) * REGEX_LENGTH)


def per_element(items: Any, *_: Any) -> int:
    """Of going through a list of scalars."""
    return size_of(items)


def per_part(items: Any, *_: Any) -> int:
    """Of going through a list whose elements are compared: they may be large."""
    return max(weight(items) - 1, 1)
