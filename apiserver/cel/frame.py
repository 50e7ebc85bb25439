"""Frame: what one evaluation knows — the values of names, and how much it may still cost.

A step of a plan is a function from the frame to a value. Its fixed cost is known beforehand and is charged once, by the whole it
is part of; only what depends on values, or on which way an expression goes, is charged while it runs.
"""

from collections.abc import Callable
from typing import Any

from apiserver.cel.errors import CostExceeded


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
