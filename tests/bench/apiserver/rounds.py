"""Rounds: several measurements of one thing, and what the machine's host took meanwhile."""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

STEAL, FIELDS = 7, slice(1, 9)  # of the first line of /proc/stat: user nice system idle iowait irq softirq steal; proc(5)


FAULTS = frozenset(("failed", "lost", "missing", "uneven"))


def middle(seen: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The median of each number, and the most of each fault; all of them have the same shape. Pure."""
    return {name: _middle(name, [one[name] for one in seen]) for name in seen[0]}


def _middle(name: str, values: list[Any]) -> Any:
    if isinstance(values[0], dict):
        return middle(values)
    return max(values) if name in FAULTS else statistics.median(values)


def stolen(since: tuple[float, int, int] = (0.0, 0, 0)) -> tuple[float, int, int]:
    """The part of the processors' time that others had since then; and the counters, for the next look."""
    ticks = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[FIELDS]]
    taken, total = ticks[STEAL], sum(ticks)
    return (taken - since[1]) / max(1, total - since[2]), taken, total
