"""--sort-by: objects by a field, text in natural order (a2 before a10), missing fields first.

kubernetes/kubectl pkg/cmd/get/sorter.go
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from kubectl.errors import CommandError
from kubectl.printers.jsonpath import find, relaxed

T = TypeVar("T")


def sort(rows: Sequence[T], path: str, tree: Callable[[T], Any]) -> list[T]:
    """The rows in order of the field. Raises CommandError where no object has it."""
    found = [find(path, tree(row)) for row in rows]
    if rows and not any(found):
        raise unsortable(path)
    keyed = sorted(zip((_key(values) for values in found), range(len(rows)), strict=True))
    return [rows[at] for _, at in keyed]


def unsortable(path: str) -> CommandError:
    return CommandError(f'couldn\'t find any field with path "{relaxed(path)}" in the list of objects')


def _key(values: list[Any]) -> tuple[int, Any]:
    if not values or values[0] is None:
        return 0, ()
    value = values[0]
    if isinstance(value, int | float):
        return 1, (value,)
    return 2, tuple((0, int(part), part) if part.isdecimal() else (1, 0, part) for part in re.split(r"(\d+)", str(value)) if part)
