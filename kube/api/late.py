"""Late: a module that is imported when it is first used — for what is large, and what many a process never needs.

A program that lives for weeks may import what it likes; but a server should be ready within a second, and a process pays memory
for every module. `name = late("name")` behaves as `import name`, and typed code adds that import under TYPE_CHECKING; a module that
names such a module's types in its annotations begins with `from __future__ import annotations`, or they would be its first use.
Threads may use it, as they may import: whoever comes second waits (importlib's own LazyLoader hands out half a module meanwhile).
"""

from importlib import import_module
from typing import Any


def late(name: str) -> Any:
    """The module; who looks at an attribute of one that there is not gets a ModuleNotFoundError."""
    return _Late(name)


class _Late:
    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        value = getattr(import_module(self._name), attribute)
        setattr(self, attribute, value)  # at hand from now on
        return value
