"""Loops: the macros that go through a list or the keys of a map.

`all` and `exists` absorb an error where another element decides; exists_one and the others do not. Each turn charges what the
macro costs in cel-go, where it is a fold over an accumulator. https://github.com/google/cel-spec/blob/master/doc/langdef.md#macros
"""

from collections.abc import Callable, Iterator
from typing import Any

from apiserver.cel.errors import EvaluationError, no_such_overload
from apiserver.cel.frame import Frame, Planned, Step, decision
from apiserver.cel.syntax import Comprehension

QUANTIFIER_TURN = 3  # reading the accumulator for the loop's condition and its step
APPEND_TURN = 12  # reading the accumulator, a list of one, and joining them
FILTER_TURN = 2

Turns = Callable[[Frame], Iterator[None]]


def planned(node: Comprehension, container: Planned, steps: list[Planned], first: str, second: str) -> Planned:
    """`first` and `second` are the names in the frame that the macro's variables have."""
    source, fixed = container
    turn = sum(cost for _, cost in steps[:1]) + (APPEND_TURN if node.macro not in _QUANTIFIERS else QUANTIFIER_TURN)
    turns = _turns(source, first, second, turn)
    return _LOOPS[node.macro](turns, steps, first, second), fixed + 1


def _turns(source: Step, first: str, second: str, cost: int) -> Turns:
    """Sets the variables for every element in turn, and charges for it."""

    def one(frame: Frame) -> Iterator[None]:
        for item in _elements(source(frame)):
            frame.spend(cost)
            frame[first] = item
            yield

    def two(frame: Frame) -> Iterator[None]:
        container = source(frame)
        pairs = container.items() if isinstance(container, dict) else enumerate(_elements(container))
        for frame[first], frame[second] in pairs:
            frame.spend(cost)
            yield

    return two if second else one


def _elements(container: Any) -> Any:
    if not isinstance(container, list | dict):
        raise no_such_overload()
    return container


def _quantifier(decides: bool) -> Callable[..., Step]:
    """all: a false one decides; exists: a true one."""

    def plan(turns: Turns, steps: list[Planned], first: str, second: str) -> Step:
        test = steps[0][0]

        return decision(lambda frame: (test for _ in turns(frame)), decides)

    return plan


def _exists_one(turns: Turns, steps: list[Planned], first: str, second: str) -> Step:
    test = steps[0][0]
    return lambda frame: sum(1 for _ in turns(frame) if _true(test(frame))) == 1


def _filter(turns: Turns, steps: list[Planned], first: str, second: str) -> Step:
    test = steps[0][0]
    chosen = second or first
    return lambda frame: [frame[chosen] for _ in turns(frame) if _true(test(frame))]


def _map(turns: Turns, steps: list[Planned], first: str, second: str) -> Step:
    transform, cost = steps[-1]
    if len(steps) == 1:
        return lambda frame: [transform(frame) for _ in turns(frame)]
    test = steps[0][0]

    def run(frame: Frame) -> list[Any]:
        found = []
        for _ in turns(frame):
            if _true(test(frame)):
                frame.spend(cost)
                found.append(transform(frame))
        return found

    return run


def _transform_map(turns: Turns, steps: list[Planned], first: str, second: str) -> Step:
    transform = steps[-1][0]
    test = steps[0][0] if len(steps) == 2 else None

    def run(frame: Frame) -> dict[Any, Any]:
        found = {}
        for _ in turns(frame):
            if test is None or _true(test(frame)):
                key = frame[first]
                found[key] = transform(frame)
        return found

    return run


def _transform_entry(turns: Turns, steps: list[Planned], first: str, second: str) -> Step:
    transform = steps[-1][0]
    test = steps[0][0] if len(steps) == 2 else None

    def run(frame: Frame) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for _ in turns(frame):
            if test is None or _true(test(frame)):
                for key, value in transform(frame).items():
                    if key in found:
                        raise EvaluationError(f"insert failed: key {key} already exists")
                    found[key] = value
        return found

    return run


def _true(found: Any) -> bool:
    if type(found) is not bool:
        raise no_such_overload()
    return bool(found)


_QUANTIFIERS = ("all", "exists", "exists_one")
_LOOPS: dict[str, Callable[..., Step]] = {
    "all": _quantifier(False),
    "exists": _quantifier(True),
    "exists_one": _exists_one,
    "filter": _filter,
    "map": _map,
    "transformList": _map,
    "transformMap": _transform_map,
    "transformMapEntry": _transform_entry,
}
