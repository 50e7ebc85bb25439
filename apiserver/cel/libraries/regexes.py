"""Regex: find and findAll — the first part, or all parts, of a text that a pattern matches.

https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-regex-library
"""

from collections.abc import Iterator
from itertools import islice

from apiserver.cel import regex
from apiserver.cel.functions import Overload, matched, member


def find(text: str, pattern: str) -> str:
    """Empty where there is none."""
    found = regex.compiled(pattern).search(text)
    return "" if found is None else str(found[0])


def find_all(text: str, pattern: str, limit: int = -1) -> list[str]:
    found = _matches(text, pattern)
    return list(islice(found, limit)) if limit >= 0 else list(found)


def _matches(text: str, pattern: str) -> Iterator[str]:
    """As Go has it: an empty one right after another does not count."""
    end = -1
    for one in regex.compiled(pattern).finditer(text):
        if one[0] or one.start() != end:
            yield str(one[0])
        end = one.end()


OVERLOADS: tuple[Overload, ...] = (
    member("find", "string, string -> string", find, matched),
    member("findAll", "string, string -> list(string)", find_all, matched),
    member("findAll", "string, string, int -> list(string)", find_all, matched),
)
