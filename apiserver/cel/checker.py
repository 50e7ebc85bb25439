"""Checker: what type every part of an expression has, which overloads each call may mean, and every mistake there is.

One mistake is told once: a part that is wrong has the type ERROR, which fits everywhere.
https://github.com/google/cel-spec/blob/master/doc/langdef.md#gradual-type-checking · cel-go checker/checker.go (the texts)
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from apiserver.cel import types
from apiserver.cel.errors import Issue
from apiserver.cel.functions import Functions, Overload
from apiserver.cel.libraries.conversions import TYPE_NAMES
from apiserver.cel.literals import literal_issue
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
from apiserver.cel.types import BOOL, DYN, ERROR, INT, Bindings, Type, assign, bound_head, joined, settled
from apiserver.cel.values import type_of

Scope = Mapping[str, Type]
Objects = Callable[[str], Type | None]  # the type that `name{...}` makes
ANYTHING = ("dyn", "error", "parameter")


@dataclass
class Checked:
    """What the checker found. Types are settled: no parameters are left in them."""

    result: Type
    issues: list[Issue]
    types: dict[Node, Type]
    overloads: dict[Node, tuple[Overload, ...]]  # of calls: those that their arguments' types allow
    type_values: dict[Node, Type]  # of names that mean a type
    dotted: dict[Node, str]  # of `a.b` where that is a variable's name
    used: set[str]  # variables that the expression reads


def check(node: Node, variables: Scope, functions: Functions, objects: Objects) -> Checked:
    checker = _Checker(functions, objects)
    checker.variables = frozenset(variables)
    result = checker.check(node, dict(variables))
    bindings = checker.bindings
    found = {one: settled(kind, bindings) for one, kind in checker.types.items()}
    settled_result = settled(result, bindings)
    return Checked(
        settled_result, checker.issues, found, checker.overloads, checker.type_values, checker.dotted, checker.used
    )  # fmt: skip


class _Checker:
    def __init__(self, functions: Functions, objects: Objects) -> None:
        self._functions = functions
        self._objects = objects
        self.variables: frozenset[str] = frozenset()
        self.issues: list[Issue] = []
        self.types: dict[Node, Type] = {}
        self.overloads: dict[Node, tuple[Overload, ...]] = {}
        self.type_values: dict[Node, Type] = {}
        self.dotted: dict[Node, str] = {}
        self.used: set[str] = set()
        self.bindings: Bindings = {}
        self._of_any_type: set[Node] = set()  # list literals whose items need not be alike: what format is given
        self._fresh = 0

    def check(self, node: Node, scope: dict[str, Type]) -> Type:
        kind = _METHODS[type(node)](self, node, scope)
        self.types[node] = kind
        return kind

    def _wrong(self, at: int, text: str) -> Type:
        self.issues.append(Issue(at, text))
        return ERROR

    def _undeclared(self, at: int, name: str) -> Type:
        return self._wrong(at, f"undeclared reference to '{name}' (in container '')")

    def _shown(self, kind: Type) -> str:
        return str(settled(kind, self.bindings))

    def literal(self, node: Literal, scope: dict[str, Type]) -> Type:
        return type_of(node.value)

    def identifier(self, node: Identifier, scope: dict[str, Type]) -> Type:
        if node.name in scope:
            if node.name in self.variables:
                self.used.add(node.name)
            return scope[node.name]
        return self._type_name(node, node.name) or self._undeclared(node.at, node.name)

    def _type_name(self, node: Node, name: str) -> Type | None:
        found = TYPE_NAMES.get(name)
        if found is None:
            return None
        self.type_values[node] = found
        return types.type_of(found)

    def select(self, node: Select, scope: dict[str, Type]) -> Type:
        name = _qualified(node)
        if name in scope:
            self.dotted[node] = name
            self.used.add(name)
            return scope[name]
        if name and name.partition(".")[0] not in scope and (kind := self._type_name(node, name)):
            return kind
        operand = bound_head(self.check(node.operand, scope), self.bindings)
        inside, wrapped = (bound_head(operand.element, self.bindings), True) if operand.kind == "optional" else (operand, False)
        kind = self._field(node, inside)
        if node.test:
            return BOOL
        return types.optional_of(kind) if (wrapped or node.optional) and kind is not ERROR else kind

    def _field(self, node: Select, operand: Type) -> Type:
        if operand.kind in ANYTHING:
            return DYN
        if operand.kind == "map":
            return operand.parameters[1]
        if operand.kind != "object":
            return self._wrong(node.at, f"type '{self._shown(operand)}' does not support field selection")
        found = operand.fields.get(node.name)
        if found is None:
            found = next((one for one in operand.fields.values() if one.key == node.name), None)  # `quoted`
        return found.type if found is not None else self._wrong(node.at, f"undefined field '{node.name}'")

    def call(self, node: Call, scope: dict[str, Type]) -> Type:
        if issue := literal_issue(node):
            self.issues.append(issue)
        if node.target is not None:
            name = _qualified(Select(node.at, node.target, node.function))
            if name and (name, False) in self._functions and name.partition(".")[0] not in scope:
                return self._resolve(node, name, False, [self.check(one, scope) for one in node.arguments])
            self._of_any_type.update(node.arguments if node.function == "format" else ())
            arguments = [self.check(one, scope) for one in (node.target, *node.arguments)]
            return self._resolve(node, node.function, True, arguments)
        arguments = [self.check(one, scope) for one in node.arguments]
        if node.function == "_?_:_":
            return self._choice(node, arguments)
        return self._resolve(node, node.function, False, arguments)

    def _resolve(self, node: Node, name: str, is_member: bool, arguments: list[Type]) -> Type:
        known = self._functions.get((name, is_member))
        if known is None:
            return self._undeclared(node.at, name)
        possible: list[Overload] = []
        result: Type | None = None
        learnt = self.bindings
        for overload in known:
            kind = self._fits(overload, arguments)
            if kind is None:
                continue
            possible.append(overload)
            learnt = self._tried if result is None else learnt
            if result is not None and settled(kind, self._tried) != settled(result, learnt):
                kind = DYN
            result = kind
        if result is None:
            return self._no_overload(node.at, name, arguments, is_member)
        if len(possible) == 1:
            self.bindings = learnt
        else:
            result = settled(result, learnt)
        self.overloads[node] = tuple(possible)
        return result

    def _fits(self, overload: Overload, arguments: list[Type]) -> Type | None:
        """The result's type where the arguments fit; what parameters then stand for is in `_tried`."""
        if len(overload.arguments) != len(arguments):
            return None
        self._fresh += 1
        self._tried = dict(self.bindings)
        suffix = f"#{self._fresh}"
        if all(
            assign(_renamed(wanted, suffix), given, self._tried)
            for wanted, given in zip(overload.arguments, arguments, strict=True)
        ):
            return _renamed(overload.result, suffix)
        return None

    def _no_overload(self, at: int, name: str, arguments: list[Type], is_member: bool = False) -> Type:
        shown = [self._shown(one) for one in arguments]
        given = f"{shown[0]}.({', '.join(shown[1:])})" if is_member else f"({', '.join(shown)})"
        return self._wrong(at, f"found no matching overload for '{name}' applied to '{given}'")

    def _choice(self, node: Call, arguments: list[Type]) -> Type:
        condition, one, other = arguments
        kind = joined(one, other, self.bindings)
        if kind is None or not assign(BOOL, condition, self.bindings):
            return self._no_overload(node.at, "_?_:_", arguments)
        return kind

    def logic(self, node: Logic, scope: dict[str, Type]) -> Type:
        kinds = [self.check(term, scope) for term in node.terms]
        for place, kind in enumerate(kinds):
            if not assign(BOOL, kind, self.bindings):
                pair = [kind, kinds[1]] if place == 0 else [kinds[0] if place == 1 else BOOL, kind]
                self._no_overload(node.places[max(place - 1, 0)], node.function, pair)
                break
        return BOOL

    def list_literal(self, node: ListLiteral, scope: dict[str, Type]) -> Type:
        element: Type | None = None
        for place, item in enumerate(node.items):
            kind = self.check(item, scope)
            if place in node.optional:
                kind = self._unwrapped(kind, item.at)
            element = DYN if node in self._of_any_type else self._join(element, kind, item.at)
        return types.list_of(element or types.parameter(self._name()))

    def map_literal(self, node: MapLiteral, scope: dict[str, Type]) -> Type:
        key: Type | None = None
        value: Type | None = None
        for entry in node.entries:
            key = self._join(key, self.check(entry.key, scope), entry.key.at)
            kind = self.check(entry.value, scope)
            value = self._join(value, self._unwrapped(kind, entry.value.at) if entry.optional else kind, entry.value.at)
        return types.map_of(key or types.parameter(self._name()), value or types.parameter(self._name()))

    def _unwrapped(self, kind: Type, at: int) -> Type:
        kind = bound_head(kind, self.bindings)
        if kind.kind in ANYTHING:
            return DYN
        return (
            kind.element
            if kind.kind == "optional"
            else self._wrong(at, f"expected type 'optional_type({kind})' but found '{kind}'")
        )

    def _join(self, one: Type | None, other: Type, at: int) -> Type:
        """Items of a literal are of one type."""
        if one is None:
            return other
        both = joined(one, other, self.bindings)
        if both is None:
            return self._wrong(at, f"expected type '{self._shown(one)}' but found '{self._shown(other)}'")
        return both

    def _name(self) -> str:
        self._fresh += 1
        return f"_#{self._fresh}"

    def struct(self, node: Struct, scope: dict[str, Type]) -> Type:
        made = self._objects(node.name)
        for one in node.fields:
            kind = self.check(one.value, scope)
            kind = self._unwrapped(kind, one.value.at) if one.optional else kind
            if made is None:
                continue
            wanted = made.fields.get(one.name)
            if wanted is None:
                self._wrong(one.at, f"undefined field '{one.name}'")
            elif not assign(wanted.type, kind, self.bindings):
                text = f"expected type of field '{one.name}' is '{wanted.type}' but provided type is '{self._shown(kind)}'"
                self._wrong(one.at, text)
        return made or self._undeclared(node.at, node.name)

    def comprehension(self, node: Comprehension, scope: dict[str, Type]) -> Type:
        container = bound_head(self.check(node.range, scope), self.bindings)
        first, second = self._variables(node, container)
        inner = {**scope, node.first: first}
        if node.second:
            inner[node.second] = second
        steps = [self.check(step, inner) for step in node.steps]
        if node.macro in ("all", "exists", "exists_one", "filter") or len(steps) == 2:
            self._predicate(node, steps[0])
        element = second if node.second else first
        return self._collected(node.macro, element, first, steps[-1])

    def _variables(self, node: Comprehension, container: Type) -> tuple[Type, Type]:
        if container.kind in ANYTHING:
            return DYN, DYN
        if container.kind == "list":
            return (INT, container.element) if node.second else (container.element, ERROR)
        if container.kind == "map":
            return container.parameters[0], container.parameters[1]
        shown = self._shown(container)
        wrong = self._wrong(
            node.range.at, f"expression of type '{shown}' cannot be range of a comprehension (must be list, map, or dynamic)"
        )
        return wrong, wrong

    def _predicate(self, node: Comprehension, kind: Type) -> None:
        if assign(BOOL, kind, self.bindings):
            return
        operator = {"all": "_&&_", "exists": "_||_"}.get(node.macro)
        if operator:
            self._no_overload(node.at, operator, [BOOL, kind])
        else:
            self._no_overload(node.at, "_?_:_", [kind, DYN, DYN])

    def _collected(self, macro: str, element: Type, key: Type, step: Type) -> Type:
        if macro in ("map", "transformList"):
            return types.list_of(step)
        if macro == "filter":
            return types.list_of(element)
        if macro == "transformMap":
            return types.map_of(key, step)
        return step if macro == "transformMapEntry" else BOOL

    def bind(self, node: Bind, scope: dict[str, Type]) -> Type:
        value = bound_head(self.check(node.value, scope), self.bindings)
        if node.macro == "bind":
            return self.check(node.body, {**scope, node.name: value})
        inside = value.element if value.kind == "optional" else DYN
        if value.kind not in ("optional", *ANYTHING):
            self._no_overload(node.at, "hasValue", [value], True)
        body = self.check(node.body, {**scope, node.name: inside})
        return types.optional_of(body) if node.macro == "optMap" else body


_METHODS: dict[type[Node], Callable[..., Type]] = {
    Literal: _Checker.literal,
    Identifier: _Checker.identifier,
    Select: _Checker.select,
    Call: _Checker.call,
    Logic: _Checker.logic,
    ListLiteral: _Checker.list_literal,
    MapLiteral: _Checker.map_literal,
    Struct: _Checker.struct,
    Comprehension: _Checker.comprehension,
    Bind: _Checker.bind,
}


def _renamed(kind: Type, suffix: str) -> Type:
    """With this use's own type parameters."""
    if kind.kind == "parameter":
        return types.parameter(kind.name + suffix)
    if not kind.parameters:
        return kind
    return replace(kind, parameters=tuple(_renamed(one, suffix) for one in kind.parameters))


def _qualified(node: Node) -> str:
    """`a.b.c` where it is nothing but names."""
    parts: list[str] = []
    while isinstance(node, Select) and not node.test and not node.optional:
        parts.append(node.name)
        node = node.operand
    return ".".join([node.name, *reversed(parts)]) if isinstance(node, Identifier) else ""
