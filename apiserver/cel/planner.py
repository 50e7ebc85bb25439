"""Planner: a checked expression as nested Python functions, each from the frame to a value.

Everything that is known beforehand is settled here: which function a call means, the names' slots, what a straight piece of the
expression costs. A value that came from a tree is converted (reading.py) where it is computed with, not where it is walked
through: `self.items.all(i, i.at < now)` converts each `at`, never the list.
"""

from collections.abc import Iterator
from typing import Any

from apiserver.cel import calls, loops
from apiserver.cel.checker import Checked
from apiserver.cel.errors import EvaluationError, no_such_key, no_such_overload
from apiserver.cel.frame import Frame, Planned, Step, decision
from apiserver.cel.libraries.operators import optional_index
from apiserver.cel.reading import CONTAINERS, reader
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
from apiserver.cel.values import NONE, ObjectValue, Optional, Uint

LIST_COST, MAP_COST, STRUCT_COST = 10, 30, 40  # cel-go's ListCreateBaseCost and its like


class Planner:
    def __init__(self, checked: Checked) -> None:
        self._checked = checked
        self._slots: dict[str, str] = {}  # what a macro's variable is called in the frame, where it is not its own name
        self._count = 0

    def plan(self, node: Node, *, walked: bool = False) -> Planned:
        """`walked`: a container is only looked into, so it needs no conversion."""
        step, cost = _METHODS[type(node)](self, node)
        if not isinstance(node, Identifier | Select) and not (isinstance(node, Call) and node.function in ("_[_]", "_[?_]")):
            return step, cost
        kind = self._checked.types[node]
        read = None if walked and kind.kind in CONTAINERS else reader(kind)
        if read is None:
            return step, cost
        return (lambda frame: read(step(frame))), cost

    def literal(self, node: Literal) -> Planned:
        value = node.value
        return (lambda frame: value), 0

    def identifier(self, node: Identifier) -> Planned:
        if node in self._checked.type_values:
            value = self._checked.type_values[node]
            return (lambda frame: value), 1
        name = self._slots.get(node.name, node.name)

        def read(frame: Frame) -> Any:
            try:
                return frame[name]
            except KeyError:
                raise EvaluationError(f"no such attribute(s): {name}") from None

        return read, 1

    def select(self, node: Select) -> Planned:
        if node in self._checked.type_values:
            value = self._checked.type_values[node]
            return (lambda frame: value), 1
        if node in self._checked.dotted:
            name = self._checked.dotted[node]
            return (lambda frame: frame[name]), 1
        operand, cost = self.plan(node.operand, walked=True)
        key = self._key(node)
        if node.test:
            return _presence(operand, key), cost + 1
        if node.optional:
            return (lambda frame: _optional_field(operand(frame), key)), cost + 1
        return _field(operand, key), cost + 1

    def _key(self, node: Select) -> str:
        """The property's name in the tree."""
        kind = self._checked.types[node.operand]
        if kind.kind == "optional":
            kind = kind.element
        found = kind.fields.get(node.name)
        return found.key if found is not None else node.name

    def call(self, node: Call) -> Planned:
        if node.function == "_?_:_":
            return self._choice(node)
        walked = node.function in ("_[_]", "_[?_]", "size")
        overloads = self._checked.overloads[node]
        with_target = node.target is not None and overloads[0].is_member
        nodes = [*([node.target] if with_target and node.target else []), *node.arguments]
        arguments = [self.plan(one, walked=walked) for one in nodes]
        given = [self._checked.types[one] for one in nodes]
        if node.function in ("_==_", "_!=_"):
            quick = calls.equality(node.function, given, arguments)
            if quick is not None:
                return quick
        return calls.planned(overloads, arguments)

    def _choice(self, node: Call) -> Planned:
        (condition, fixed), (yes, yes_cost), (no, no_cost) = (self.plan(one) for one in node.arguments)

        def run(frame: Frame) -> Any:
            chosen = condition(frame)
            if chosen is True:
                frame.left -= yes_cost
                return yes(frame)
            if chosen is False:
                frame.left -= no_cost
                return no(frame)
            raise no_such_overload()

        return run, fixed

    def logic(self, node: Logic) -> Planned:
        """Commutative: an error is told only where no other term decides."""
        decides = node.function == "_||_"
        planned = [self.plan(term) for term in node.terms]
        first_cost = planned[0][1]
        terms = [(step, cost if place else 0) for place, (step, cost) in enumerate(planned)]

        def attempts(frame: Frame) -> Iterator[Step]:
            for step, cost in terms:
                frame.left -= cost
                yield step

        return decision(attempts, decides), first_cost

    def list_literal(self, node: ListLiteral) -> Planned:
        planned = [self.plan(item) for item in node.items]
        fixed = LIST_COST + sum(cost for _, cost in planned)
        steps = [step for step, _ in planned]
        if not node.optional:
            return (lambda frame: [step(frame) for step in steps]), fixed
        optional = node.optional

        def run(frame: Frame) -> list[Any]:
            found = []
            for place, step in enumerate(steps):
                value = step(frame)
                if place not in optional:
                    found.append(value)
                elif _unwrapped(value).present:
                    found.append(value.value)
            return found

        return run, fixed

    def map_literal(self, node: MapLiteral) -> Planned:
        entries = [(self.plan(entry.key), self.plan(entry.value), entry.optional) for entry in node.entries]
        steps = [(key, value, optional) for (key, _), (value, _), optional in entries]

        def run(frame: Frame) -> dict[Any, Any]:
            made: dict[Any, Any] = {}
            for key_step, value_step, optional in steps:
                key, value = key_step(frame), value_step(frame)
                if type(key) not in KEYS:
                    raise EvaluationError("unsupported key type")
                if key in made:
                    raise EvaluationError(f"Failed with repeated key {key}")
                if not optional:
                    made[key] = value
                elif _unwrapped(value).present:
                    made[key] = value.value
            return made

        return run, MAP_COST + sum(key + value for (_, key), (_, value), _ in entries)

    def struct(self, node: Struct) -> Planned:
        name = node.name
        fields = [(one.name, *self.plan(one.value), one.optional) for one in node.fields]

        def run(frame: Frame) -> ObjectValue:
            made = ObjectValue(name)
            for key, step, _, optional in fields:
                value = step(frame)
                if not optional:
                    made[key] = value
                elif _unwrapped(value).present:
                    made[key] = value.value
            return made

        return run, STRUCT_COST + sum(cost for _, _, cost, _ in fields)

    def comprehension(self, node: Comprehension) -> Planned:
        container = self.plan(node.range, walked=True)
        outer = dict(self._slots)
        first = self._slot(node.first)
        second = self._slot(node.second) if node.second else ""
        steps = [self.plan(step) for step in node.steps]
        self._slots = outer
        planned = loops.planned(node, container, steps, first, second)
        read = reader(self._checked.types[node]) if node.macro == "filter" else None
        if read is None:
            return planned
        return (lambda frame: read(planned[0](frame))), planned[1]

    def _slot(self, name: str) -> str:
        """A name in the frame that no other variable has: macros nest."""
        self._count += 1
        self._slots[name] = f"{name}#{self._count}"
        return self._slots[name]

    def bind(self, node: Bind) -> Planned:
        value, value_cost = self.plan(node.value)
        outer = dict(self._slots)
        slot = self._slot(node.name)
        body, body_cost = self.plan(node.body)
        self._slots = outer
        if node.macro == "bind":
            return _bound(value, slot, body), value_cost + body_cost + LIST_COST
        return _optional_map(value, slot, body, body_cost, node.macro == "optMap"), value_cost + 1


KEYS = (str, int, bool, Uint)
_METHODS: dict[type[Node], Any] = {
    Literal: Planner.literal,
    Identifier: Planner.identifier,
    Select: Planner.select,
    Call: Planner.call,
    Logic: Planner.logic,
    ListLiteral: Planner.list_literal,
    MapLiteral: Planner.map_literal,
    Struct: Planner.struct,
    Comprehension: Planner.comprehension,
    Bind: Planner.bind,
}


def _field(operand: Step, key: str) -> Step:
    def run(frame: Frame) -> Any:
        value = operand(frame)
        if isinstance(value, dict):
            try:
                return value[key]
            except KeyError:
                raise no_such_key(key) from None
        if type(value) is Optional:
            return _optional_field(value, key)
        raise no_such_key(key)

    return run


def _presence(operand: Step, key: str) -> Step:
    def run(frame: Frame) -> bool:
        value = operand(frame)
        if type(value) is Optional:
            value = value.value
        return isinstance(value, dict) and key in value

    return run


def _optional_field(value: Any, key: str) -> Optional:
    if type(value) is Optional:
        return _optional_field(value.value, key) if value.present else NONE
    return optional_index(value, key) if isinstance(value, dict) else NONE


def _unwrapped(value: Any) -> Optional:
    if type(value) is not Optional:
        raise no_such_overload()
    return value


def _bound(value: Step, slot: str, body: Step) -> Step:
    def run(frame: Frame) -> Any:
        frame[slot] = value(frame)
        return body(frame)

    return run


def _optional_map(value: Step, slot: str, body: Step, body_cost: int, wraps: bool) -> Step:
    def run(frame: Frame) -> Any:
        optional = _unwrapped(value(frame))
        if not optional.present:
            return NONE
        frame.left -= body_cost
        frame[slot] = optional.value
        found = body(frame)
        return Optional(found) if wraps else found

    return run
