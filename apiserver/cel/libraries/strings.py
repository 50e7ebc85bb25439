"""Strings: the standard functions of text and cel-go's extended ones. Positions count characters; out of range is an error.

https://github.com/google/cel-go/blob/master/ext/README.md#strings (version 2)
"""

import math
from typing import Any

from apiserver.cel import regex
from apiserver.cel.errors import EvaluationError
from apiserver.cel.functions import STRING_TRAVERSAL, Overload, all_read, function, matched, member, searched, traversal
from apiserver.cel.libraries.text_format import formatted

SPACES = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
_ESCAPES = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v", "\\": "\\\\", '"': '\\"'}
_UPPER = str.maketrans({chr(code): chr(code - 32) for code in range(ord("a"), ord("z") + 1)})
_LOWER = str.maketrans({chr(code): chr(code + 32) for code in range(ord("A"), ord("Z") + 1)})


def char_at(text: str, place: int) -> str:
    """Empty at the end."""
    if not 0 <= place <= len(text):
        raise EvaluationError(f"index out of range: {place}")
    return text[place : place + 1]


def index_of(text: str, part: str, start: int = 0) -> int:
    if part and not 0 <= start <= len(text):
        raise EvaluationError(f"index out of range: {start}")
    return text.find(part, start) if part else start


def last_index_of(text: str, part: str, start: int | None = None) -> int:
    if start is None:
        return text.rfind(part)
    if not 0 <= start <= len(text):
        raise EvaluationError(f"index out of range: {start}")
    return text.rfind(part, 0, start + len(part)) if part else start


def replace(text: str, old: str, new: str, count: int = -1) -> str:
    return text.replace(old, new, max(count, -1))


def _replace_cost(text: str, old: str, new: str, count: int = -1) -> int:
    """Of reading it, and of writing what it becomes."""
    return math.ceil((len(text) + len(old) + text.count(old) * len(new)) * STRING_TRAVERSAL)


def split(text: str, separator: str, limit: int = -1) -> list[str]:
    if limit == 0:
        return []
    if not separator:
        parts = list(text)
        return parts if limit < 0 or len(parts) <= limit else [*parts[: limit - 1], "".join(parts[limit - 1 :])]
    return text.split(separator, limit - 1 if limit > 0 else -1)


def substring(text: str, start: int, end: int | None = None) -> str:
    last = len(text) if end is None else end
    if not 0 <= start <= len(text):
        raise EvaluationError(f"index out of range: {start}")
    if last < 0 or last > len(text):
        raise EvaluationError(f"index out of range: {last}")
    if start > last:
        raise EvaluationError(f"invalid substring range. start: {start}, end: {last}")
    return text[start:last]


def join(parts: list[Any], separator: str = "") -> str:
    if any(type(one) is not str for one in parts):
        raise EvaluationError("no such overload")
    return separator.join(parts)


def quote(text: str) -> str:
    return f'"{"".join(_ESCAPES.get(one, one) for one in text)}"'


OVERLOADS: tuple[Overload, ...] = (
    member("contains", "string, string -> bool", lambda text, part: part in text, searched),
    member("startsWith", "string, string -> bool", lambda text, start: text.startswith(start), traversal),
    member("endsWith", "string, string -> bool", lambda text, end: text.endswith(end), traversal),
    member("matches", "string, string -> bool", regex.matches, matched),
    function("matches", "string, string -> bool", regex.matches, matched),
    member("charAt", "string, int -> string", char_at),
    member("indexOf", "string, string -> int", index_of, searched),
    member("indexOf", "string, string, int -> int", index_of, searched),
    member("lastIndexOf", "string, string -> int", last_index_of, searched),
    member("lastIndexOf", "string, string, int -> int", last_index_of, searched),
    member("join", "list(string) -> string", join, all_read),
    member("join", "list(string), string -> string", join, all_read),
    member("lowerAscii", "string -> string", lambda text: text.translate(_LOWER), traversal),
    member("upperAscii", "string -> string", lambda text: text.translate(_UPPER), traversal),
    member("replace", "string, string, string -> string", replace, _replace_cost),
    member("replace", "string, string, string, int -> string", replace, _replace_cost),
    member("split", "string, string -> list(string)", split, traversal),
    member("split", "string, string, int -> list(string)", split, traversal),
    member("substring", "string, int -> string", substring, traversal),
    member("substring", "string, int, int -> string", substring, traversal),
    member("trim", "string -> string", lambda text: text.strip(SPACES), traversal),
    member("reverse", "string -> string", lambda text: text[::-1], traversal),
    function("strings.quote", "string -> string", quote, traversal),
    member("format", "string, list(dyn) -> string", formatted, all_read),
)
