"""Paths: where a Status says that something is wrong (`spec.rules[0].http`, `limits[0].max[cpu]`), in a tree. Pure."""

import re
from collections.abc import Sequence
from typing import Any

STEP = re.compile(r"([^.\[\]]+)|\[([^\]]*)\]")
ABSENT: Any = object()

Path = Sequence[str | int]


def parsed(text: str) -> list[str | int]:
    steps: list[str | int] = []
    for name, key in STEP.findall(text):
        steps.append(name or (int(key) if key.isdecimal() else key))
    return steps


def get(tree: Any, path: Path) -> Any:
    for step in path:
        if (isinstance(tree, dict) and step in tree) or (isinstance(tree, list) and isinstance(step, int) and step < len(tree)):
            tree = tree[step]  # type: ignore[index]
        else:
            return ABSENT
    return tree


def fits(tree: Any, path: Path) -> bool:
    """Whether a value can be put there."""
    above = get(tree, path[:-1])
    return isinstance(above, dict) or (isinstance(above, list) and isinstance(path[-1], int) and path[-1] < len(above))


def put(tree: Any, path: Path, value: Any) -> None:
    """ABSENT removes what is there."""
    above = get(tree, path[:-1])
    if value is ABSENT:
        del above[path[-1]]
    else:
        above[path[-1]] = value
