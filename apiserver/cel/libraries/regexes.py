"""Regex: find and findAll — the first part, or all parts, of a text that a pattern matches.

https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-regex-library
"""

from itertools import islice

from apiserver.cel import regex
from apiserver.cel.functions import Overload, matched, member


def find(text: str, pattern: str) -> str:
    """Empty where there is none."""
    found = regex.compiled(pattern).search(text)
    return "" if found is None else str(found[0])


def find_all(text: str, pattern: str, limit: int = -1) -> list[str]:
    matches = regex.compiled(pattern).finditer(text)
    return [str(one[0]) for one in (islice(matches, limit) if limit >= 0 else matches)]


OVERLOADS: tuple[Overload, ...] = (
    member("find", "string, string -> string", find, matched),
    member("findAll", "string, string -> list(string)", find_all, matched),
    member("findAll", "string, string, int -> list(string)", find_all, matched),
)
