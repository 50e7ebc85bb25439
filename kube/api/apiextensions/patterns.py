"""Patterns: regular expressions of schemas, which are written in Go's dialect (RE2).

Python's differs in few things that occur: `$` and `\\z` are the very end, classes like `\\d` are ASCII, and POSIX classes.
https://github.com/google/re2/wiki/Syntax
"""

import re
from functools import lru_cache

_POSIX = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "ascii": r"\x00-\x7F", "blank": r"\t ", "cntrl": r"\x00-\x1F\x7F", "digit": "0-9",
    "graph": "!-~", "lower": "a-z", "print": " -~", "punct": r"!-/:-@\[-`{-~", "space": r"\t\n\v\f\r ", "upper": "A-Z",
    "word": "0-9A-Za-z_", "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_TOKEN = re.compile(r"\\.|\[\[:(\^?)([a-z]+):\]\]|\[:(\^?)([a-z]+):\]|\[\^?\]?|\]|\$", re.DOTALL)


@lru_cache(maxsize=4096)
def pattern(text: str) -> re.Pattern[str]:
    """The compiled expression; use `search`, as it matches anywhere. Raises re.error."""
    within = False

    def translate(found: re.Match[str]) -> str:
        nonlocal within
        token = found[0]
        if found[2]:
            return f"[{found[1]}{_POSIX[found[2]]}]" if found[2] in _POSIX else token
        if found[4]:
            return _POSIX.get(found[4], token)
        if token.startswith("["):
            opens, within = not within, True
            return token if opens else "\\" + token
        if token == "]":
            within = False
        if token == "$" and not within:
            return r"\Z"
        return r"\Z" if token == r"\z" else token

    return re.compile(_TOKEN.sub(translate, text), re.ASCII)
