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
from apiserver.cel.values import is_a

SELF_CHECKING = ("_", "@", "!", "-")  # operators look at their values themselves
SCALARS = ("int", "bool", "uint", "timestamp", "duration", "string")


def planned(overloads: Sequence[Overload], given: Sequence[Type], arguments: Sequence[Planned]) -> Planned:
    """The call of what the checker left."""
    fixed = sum(cost for _, cost in arguments)
    steps = [step for step, _ in arguments]
    if not _needs_choice(overloads, given):
        overload = overloads[0]
        if overload.cost is None:
            return _plain(overload, steps), fixed + 1
        return _costed(overload, overload.cost, steps), fixed
    return _chosen(tuple(overloads), steps), fixed


def _needs_choice(overloads: Sequence[Overload], given: Sequence[Type]) -> bool:
    if overloads[0].name.startswith(SELF_CHECKING):
        return False
    return len(overloads) > 1 or any(
        one.kind == "dyn" and wanted.kind not in ("parameter", "dyn")
        for one, wanted in zip(given, overloads[0].arguments, strict=True)
    )


def _plain(overload: Overload, steps: list[Step]) -> Step:
    call = overload.call
    if len(steps) == 1:
        only = steps[0]
        return lambda frame: call(only(frame))
    if len(steps) == 2:
        first, second = steps
        return lambda frame: call(first(frame), second(frame))
    return lambda frame: call(*[step(frame) for step in steps])


def _costed(overload: Overload, cost: Cost, steps: list[Step]) -> Step:
    call = overload.call

    def run(frame: Frame) -> Any:
        values = [step(frame) for step in steps]
        frame.spend(cost(*values))
        return call(*values)

    return run


def _chosen(overloads: tuple[Overload, ...], steps: list[Step]) -> Step:
    def run(frame: Frame) -> Any:
        values = [step(frame) for step in steps]
        for overload in overloads:
            if all(map(is_a, overload.arguments, values)):
                frame.spend(1 if overload.cost is None else overload.cost(*values))
                return overload.call(*values)
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
