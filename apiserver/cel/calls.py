"""Calls: functions applied to the values of their arguments.

Where the checker left one meaning, the function is called as it is. Where dyn left several, the values choose among them: the first
whose arguments they fit; where none does, `no such overload`.
"""

from collections.abc import Sequence
from typing import Any

from apiserver.cel.errors import no_such_overload
from apiserver.cel.frame import Frame, Planned, Step
from apiserver.cel.functions import Cost, Overload
from apiserver.cel.types import Type
from apiserver.cel.values import accepting

SELF_CHECKING = ("_", "@", "!", "-")  # operators look at their values themselves
SCALARS = ("int", "bool", "uint", "timestamp", "duration", "string")


def planned(overloads: Sequence[Overload], arguments: Sequence[Planned]) -> Planned:
    """The call of what the checker left."""
    fixed = sum(cost for _, cost in arguments)
    steps = [step for step, _ in arguments]
    first = overloads[0]
    if not first.name.startswith(SELF_CHECKING):
        return _chosen(overloads, steps), fixed
    if first.cost is None:
        return _plain(first, steps), fixed + 1
    return _costed(first, first.cost, steps), fixed


def _plain(overload: Overload, steps: list[Step]) -> Step:
    call = overload.call
    if len(steps) == 1:
        only = steps[0]
        return lambda frame: call(only(frame))
    first, second = steps
    return lambda frame: call(first(frame), second(frame))


def _costed(overload: Overload, cost: Cost, steps: list[Step]) -> Step:
    call = overload.call
    first, second = steps

    def run(frame: Frame) -> Any:
        one, other = first(frame), second(frame)
        frame.spend(cost(one, other))
        return call(one, other)

    return run


def _chosen(overloads: Sequence[Overload], steps: list[Step]) -> Step:
    """The values are looked at even where one overload is left: what a schema says is a text may be null."""
    possible = [
        (one.call, one.cost, [(place, test) for place, kind in enumerate(one.arguments) if (test := accepting(kind))])
        for one in overloads
    ]

    def run(frame: Frame) -> Any:
        values = [step(frame) for step in steps]
        for call, cost, tests in possible:
            for place, test in tests:
                if not test(values[place]):
                    break
            else:
                frame.spend(1 if cost is None else cost(*values))
                return call(*values)
        raise no_such_overload()

    return run


def equality(name: str, given: Sequence[Type], arguments: Sequence[Planned]) -> Planned | None:
    """`==` and `!=` of two values of one scalar type: what most rules are made of."""
    one, other = given
    if one.kind != other.kind or one.kind not in SCALARS or one.kind == "string":
        return None
    (first, first_cost), (second, second_cost) = arguments
    cost = first_cost + second_cost + 1
    if name == "_==_":
        return (lambda frame: first(frame) == second(frame)), cost
    return (lambda frame: first(frame) != second(frame)), cost
