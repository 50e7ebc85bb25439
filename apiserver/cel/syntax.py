"""Syntax: the nodes of a parsed expression. `at` is the offset of the character that errors about a node point to.

A macro is a node of its own (Comprehension, Bind, Presence): it is checked and planned as what it means, not as the fold that
cel-go expands it to. Operators are calls of functions with cel-go's names (`_+_`, `_==_`), which error texts show.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(eq=False, slots=True)
class Node:
    at: int


@dataclass(eq=False, slots=True)
class Literal(Node):
    value: Any


@dataclass(eq=False, slots=True)
class Identifier(Node):
    name: str


@dataclass(eq=False, slots=True)
class Select(Node):
    """`operand.name`; `has(operand.name)` where `test`; `operand.?name` where `optional`."""

    operand: Node
    name: str
    test: bool = False
    optional: bool = False


@dataclass(eq=False, slots=True)
class Call(Node):
    function: str
    target: Node | None
    arguments: tuple[Node, ...]


@dataclass(eq=False, slots=True)
class Logic(Node):
    """`a && b && c`, `a || b || c`: flat, however many there are."""

    function: str  # _&&_ or _||_
    terms: tuple[Node, ...]
    places: tuple[int, ...]  # of the operators


@dataclass(eq=False, slots=True)
class ListLiteral(Node):
    items: tuple[Node, ...]
    optional: frozenset[int]  # the items written `?item`


@dataclass(eq=False, slots=True)
class Entry:
    at: int
    key: Node
    value: Node
    optional: bool


@dataclass(eq=False, slots=True)
class MapLiteral(Node):
    entries: tuple[Entry, ...]


@dataclass(eq=False, slots=True)
class FieldEntry:
    at: int
    name: str
    value: Node
    optional: bool


@dataclass(eq=False, slots=True)
class Struct(Node):
    """`Object.spec{replicas: 1}`"""

    name: str
    fields: tuple[FieldEntry, ...]


@dataclass(eq=False, slots=True)
class Comprehension(Node):
    """`range.macro(first[, second], steps...)`: all, exists, exists_one, filter, map, transformList, transformMap[Entry].

    `steps` are the predicate or transformation, as written; `first` and `second` are what the macro's variables are called.
    """

    macro: str
    range: Node
    first: str
    second: str  # empty: one variable
    steps: tuple[Node, ...]


@dataclass(eq=False, slots=True)
class Bind(Node):
    """`cel.bind(name, value, body)`; also the body of optMap and optFlatMap, where `macro` says so and `value` is the optional."""

    macro: str
    name: str
    value: Node
    body: Node
