"""Late: a module that is imported when it is first used — for what is large, and what many a process never needs.

A program that lives for weeks may import what it likes; but a server should be ready within a second, and a process pays memory
for every module. `name = late("name")` behaves as `import name`, and typed code adds that import under TYPE_CHECKING.
https://docs.python.org/3/library/importlib.html#importlib.util.LazyLoader
"""

import importlib.util
import sys
from typing import Any


def late(name: str) -> Any:
    """The module, imported at the first look at one of its attributes. Raises ModuleNotFoundError where there is none."""
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
