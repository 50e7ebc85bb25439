"""The model classes without the client that they come with.

Importing anything of the package `lightkube` runs its `__init__`, which imports a whole HTTP client: a third of a second and
13 MB in each of our programs, for nothing. While the models are imported a bare package of that name stands in.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from types import ModuleType


@contextmanager
def models_alone() -> Iterator[None]:
    """Within it, `lightkube.models` can be imported and the rest of `lightkube` is not. Afterwards all is as it was."""
    if "lightkube" in sys.modules:
        yield
        return
    found = find_spec("lightkube")
    assert found is not None, "a dependency of this project"
    package = ModuleType("lightkube")
    package.__path__ = list(found.submodule_search_locations or ())
    sys.modules["lightkube"] = package
    try:
        yield
    finally:
        del sys.modules["lightkube"]
