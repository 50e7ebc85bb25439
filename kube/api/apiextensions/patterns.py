"""Patterns: regular expressions of schemas, in Go's dialect and with its promise of linear time (RE2).

https://github.com/google/re2/wiki/Syntax
"""

from functools import lru_cache
from typing import Any

import re2  # type: ignore[import-untyped]

_QUIET = re2.Options()
_QUIET.log_errors = False


class PatternError(ValueError):
    """A text that is no regular expression."""


@lru_cache(maxsize=4096)
def pattern(text: str) -> Any:
    """The compiled expression; use `search`, as it matches anywhere. Raises PatternError."""
    try:
        return re2.compile(text, _QUIET)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        told = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        raise PatternError(f"error parsing regexp: {told}") from None
