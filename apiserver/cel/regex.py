"""Regular expressions: RE2's syntax and its promise, time linear in the text — the one door to the `google-re2` package.

Go's regexp is the same language, so an expression means here what it means to upstream. https://github.com/google/re2/wiki/Syntax
"""

from functools import lru_cache
from typing import Any

import re2  # type: ignore[import-untyped]

from apiserver.cel.errors import EvaluationError

_QUIET = re2.Options()
_QUIET.log_errors = False


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> Any:
    """Raises EvaluationError: `error parsing regexp: ...`."""
    try:
        return re2.compile(pattern, _QUIET)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        text = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        raise EvaluationError(f"error parsing regexp: {text}") from None


def matches(text: str, pattern: str) -> bool:
    """Whether the pattern is found anywhere in the text."""
    return compiled(pattern).search(text) is not None
