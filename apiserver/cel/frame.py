"""Frame: what one evaluation knows — the values of names, and how much it may still cost.

A step of a plan is a function from the frame to a value. Its fixed cost is known beforehand and is charged once, by the whole it
is part of; only what depends on values, or on which way an expression goes, is charged while it runs.
"""

from collections.abc import Callable, Iterable
from typing import Any

from apiserver.cel.errors import CostExceeded, EvaluationError, no_such_overload


class Frame(dict[str, Any]):
    """Names to values. `left`: units that may still be used."""

    __slots__ = ("left",)

    left: int

    def spend(self, cost: int) -> None:
        self.left -= cost
        if self.left < 0:
            raise CostExceeded


Step = Callable[[Frame], Any]
Planned = tuple[Step, int]  # with its fixed cost


def decision(attempts: Callable[[Frame], Iterable[Step]], decides: bool) -> Step:
    """Of `&&`, `||`, `all` and `exists`: the first answer that is `decides` settles it; an error is told only where none does."""

    def run(frame: Frame) -> bool:
        problem: EvaluationError | None = None
        for attempt in attempts(frame):
            try:
                found = attempt(frame)
            except CostExceeded:
                raise
            except EvaluationError as error:
                problem = problem or error
                continue
            if type(found) is not bool:
                problem = problem or no_such_overload()
            elif found == decides:
                return decides
        if problem is not None:
            raise problem
        return not decides

    return run
