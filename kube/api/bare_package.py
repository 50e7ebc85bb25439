"""Bare packages: modules of a package without what the package itself imports.

Importing anything of the package `lightkube` runs its `__init__`, which imports a whole HTTP client: a third of a second and
13 MB in each of our programs, for its models alone. `uvicorn` imports its command line. While such a part is imported a bare
package of that name stands in.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from types import ModuleType


@contextmanager
def bare(name: str) -> Iterator[None]:
    """Within it, modules of the package can be imported and its `__init__` is not run. Afterwards all is as it was."""
    if name in sys.modules:
        yield
        return
    found = find_spec(name)
    assert found is not None, "a dependency of this project"
    package = ModuleType(name)
    package.__path__ = list(found.submodule_search_locations or ())
    sys.modules[name] = package
    try:
        yield
    finally:
        del sys.modules[name]
