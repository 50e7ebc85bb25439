"""Estimate: what an evaluation costs at least and at most, from the sizes that schemas allow; nothing is evaluated.

The units are those that evaluations are charged in (frame.py). A CustomResourceDefinition whose rules may cost too much is refused
by this number, so a list without maxItems counts as long as a request can make it.
https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#resource-use-by-validation-functions
· cel-go checker/cost.go
"""

import math
from dataclasses import dataclass

from apiserver.cel.checker import Checked
from apiserver.cel.functions import REGEX_LENGTH, STRING_TRAVERSAL
from apiserver.cel.loops import APPEND_TURN, QUANTIFIER_TURN
from apiserver.cel.planner import LIST_COST, MAP_COST, STRUCT_COST
from apiserver.cel.schema import MAX_REQUEST_BYTES
from apiserver.cel.syntax import (
    Bind,
    Call,
    Comprehension,
    Identifier,
    ListLiteral,
    Literal,
    Logic,
    MapLiteral,
    Node,
    Select,
    Struct,
)
from apiserver.cel.types import Type

LARGEST = 2**64 - 1
UNKNOWN_TEXT = MAX_REQUEST_BYTES


@dataclass(frozen=True)
class CostRange:
    least: int
    most: int

    def __add__(self, other: "CostRange | int") -> "CostRange":
        if isinstance(other, int):
            other = CostRange(other, other)
        return CostRange(min(self.least + other.least, LARGEST), min(self.most + other.most, LARGEST))

    def times(self, least: int, most: int) -> "CostRange":
        return CostRange(min(self.least * least, LARGEST), min(self.most * most, LARGEST))

    def scaled(self, factor: float) -> "CostRange":
        return CostRange(math.ceil(self.least * factor), math.ceil(self.most * factor))


FREE = CostRange(0, 0)
LINEAR = frozenset(  # functions that read their first argument once
    (
        "startsWith", "endsWith", "bytes", "string", "upperAscii", "lowerAscii", "replace", "split", "trim", "charAt", "indexOf",
        "lastIndexOf", "substring", "quantity", "isQuantity", "ip", "isIP", "cidr", "isCIDR", "url", "isURL", "semver", "isSemver",
        "find", "findAll", "join", "isSorted", "sum", "min", "max", "reverse", "format", "validate",
    )
)  # fmt: skip
SEARCHING = ("contains",)
SETS = frozenset(("sets.contains", "sets.intersects", "sets.equivalent"))
ORDER = frozenset(("_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"))
PATTERNS = frozenset(("matches", "find", "findAll"))


def estimated(node: Node, checked: Checked) -> CostRange:
    return _Estimator(checked).cost(node)


class _Estimator:
    def __init__(self, checked: Checked) -> None:
        self._checked = checked

    def cost(self, node: Node) -> CostRange:
        if isinstance(node, Literal):
            return FREE
        if isinstance(node, Identifier):
            return CostRange(1, 1)
        if isinstance(node, Select):
            return (
                CostRange(1, 1)
                if node in self._checked.type_values or node in self._checked.dotted
                else self.cost(node.operand) + 1
            )
        if isinstance(node, Logic):
            first, *rest = [self.cost(term) for term in node.terms]
            return CostRange(first.least, sum((one.most for one in rest), first.most))
        if isinstance(node, Call):
            return self._call(node)
        if isinstance(node, Comprehension):
            return self._comprehension(node)
        if isinstance(node, Bind):
            return self.cost(node.value) + self.cost(node.body) + LIST_COST
        return self._literal(node)

    def _literal(self, node: Node) -> CostRange:
        if isinstance(node, ListLiteral):
            return self._sum(*node.items) + LIST_COST
        if isinstance(node, MapLiteral):
            return self._sum(*(one for entry in node.entries for one in (entry.key, entry.value))) + MAP_COST
        assert isinstance(node, Struct), "the other nodes are done"
        return self._sum(*(field.value for field in node.fields)) + STRUCT_COST

    def _sum(self, *nodes: Node) -> CostRange:
        return sum((self.cost(one) for one in nodes), FREE)

    def _comprehension(self, node: Comprehension) -> CostRange:
        size = self.size(node.range)
        turn = QUANTIFIER_TURN if node.macro in ("all", "exists", "exists_one") else APPEND_TURN
        body = self._sum(*node.steps) + turn
        least = 0 if node.macro in ("all", "exists") else size.least
        return self.cost(node.range) + body.times(least, size.most) + 1

    def _call(self, node: Call) -> CostRange:
        if node.function == "_?_:_":
            condition, yes, no = (self.cost(one) for one in node.arguments)
            return condition + CostRange(min(yes.least, no.least), max(yes.most, no.most))
        overload = self._checked.overloads[node][0]
        parts = [*([node.target] if node.target is not None and overload.is_member else []), *node.arguments]
        return self._sum(*parts) + self._work(overload.name, parts)

    def _work(self, name: str, parts: list[Node]) -> CostRange:
        """Of the call itself."""
        sizes = [self.size(one) for one in parts]
        if name in ORDER:
            one, other = sizes
            return CostRange(min(one.least, other.least), min(one.most, other.most)).scaled(STRING_TRAVERSAL)
        if name == "_+_" and self._checked.types[parts[0]].kind in ("string", "bytes", "list", "dyn"):
            return (sizes[0] + sizes[1]).scaled(STRING_TRAVERSAL)
        if name == "@in":
            return sizes[1] if self._checked.types[parts[1]].kind != "map" else CostRange(1, 1)
        if name in PATTERNS:
            pattern = sizes[1].scaled(REGEX_LENGTH)
            return (sizes[0] + 1).scaled(STRING_TRAVERSAL).times(pattern.least, pattern.most)
        if name in SEARCHING:
            wanted = sizes[1].scaled(STRING_TRAVERSAL)
            return sizes[0].scaled(STRING_TRAVERSAL).times(wanted.least, wanted.most)
        if name in SETS:
            return sizes[0].times(sizes[1].least, sizes[1].most)
        if name in LINEAR and parts:
            whole = self._checked.types[parts[0]].kind == "list"
            return sizes[0] if whole else sizes[0].scaled(STRING_TRAVERSAL)
        return CostRange(1, 1)

    def size(self, node: Node) -> CostRange:
        """How large the value may be, in characters or elements; 1 for what has no size."""
        if isinstance(node, Literal):
            length = len(node.value) if isinstance(node.value, str | bytes) else 1
            return CostRange(length, length)
        if isinstance(node, ListLiteral):
            return CostRange(len(node.items), len(node.items))
        if isinstance(node, MapLiteral):
            return CostRange(len(node.entries), len(node.entries))
        if isinstance(node, Comprehension) and node.macro in ("map", "filter", "transformList", "transformMap"):
            inside = self.size(node.range)
            return CostRange(0 if node.macro == "filter" or len(node.steps) == 2 else inside.least, inside.most)
        if isinstance(node, Call) and node.function == "_+_":
            return self.size(node.arguments[0]) + self.size(node.arguments[1])
        if isinstance(node, Call) and node.function == "_?_:_":
            yes, no = self.size(node.arguments[1]), self.size(node.arguments[2])
            return CostRange(min(yes.least, no.least), max(yes.most, no.most))
        return _by_type(self._checked.types[node])


def _by_type(kind: Type) -> CostRange:
    if kind.kind == "optional":
        kind = kind.element
    if kind.kind in ("string", "bytes", "list", "map", "dyn"):
        return CostRange(0, kind.max_size if kind.max_size is not None else UNKNOWN_TEXT)
    return CostRange(1, 1)
