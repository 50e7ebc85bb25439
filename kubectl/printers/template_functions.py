"""The functions of Go templates, as far as a tree of JSON values can need them.

https://pkg.go.dev/text/template#hdr-Functions, and base64decode, which kubectl adds.
"""

import base64
import binascii
import html
import json
import operator
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus

from kubectl.printers import gotext


class TemplateError(ValueError):
    """A template that cannot be read or run."""


def truth(value: Any) -> bool:
    """False for what is empty: false, 0, nil, "", [], {} and a missing key."""
    return bool(value) and type(value) is not object


def index(value: Any, *keys: Any) -> Any:
    for key in keys:
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list | str):
            if not isinstance(key, int):
                raise TemplateError(f"error calling index: cannot index slice/array with type {type(key).__name__}")
            if not 0 <= key < len(value):
                raise TemplateError(f"error calling index: index out of range: {key}")
            value = value[key]
        else:
            raise TemplateError("error calling index: index of untyped nil")
    return value


def cut(value: Any, *bounds: int) -> Any:
    """slice"""
    return value[slice(*bounds)] if len(bounds) != 1 else value[bounds[0] :]


def length(value: Any) -> int:
    if not isinstance(value, dict | list | str):
        raise TemplateError("error calling len: len of nil pointer" if value is None else "error calling len: len of type float64")
    return len(value.encode()) if isinstance(value, str) else len(value)


def both(*values: Any) -> Any:
    """and: the first empty value, else the last."""
    return next((one for one in values if not truth(one)), values[-1])


def either(*values: Any) -> Any:
    """or: the first value that is not empty, else the last."""
    return next((one for one in values if truth(one)), values[-1])


def equal(first: Any, *others: Any) -> bool:
    return any(first == other and isinstance(first, bool) == isinstance(other, bool) for other in others)


def printf(form: str, *values: Any) -> str:
    """The verbs that templates use: %s %v %d %q %t %f %x %% with width, precision and the - and 0 flags."""
    rest = list(values)

    def one(found: re.Match[str]) -> str:
        flags, verb = found.group(1), found.group(2)
        if verb == "%":
            return "%"
        if not rest:
            return f"%!{verb}(MISSING)"
        value = rest.pop(0)
        if verb in "sv":
            return f"%{flags}s" % gotext.text(value)
        if verb == "q":
            return f"%{flags}s" % json.dumps(str(value), ensure_ascii=False)
        if verb == "t":
            return f"%{flags}s" % gotext.text(bool(value))
        if verb in "dxf" and isinstance(value, int | float):
            return f"%{flags}{verb}" % (value if verb == "f" else int(value))
        return f"%!{verb}({gotext.text(value)})"

    return re.sub(r"%([-+0 #]*\d*(?:\.\d+)?)([a-zA-Z%])", one, form)


def printed(*values: Any) -> str:
    """print: a space between two operands where neither is a string."""
    parts = ""
    for at, value in enumerate(values):
        if at and not isinstance(value, str) and not isinstance(values[at - 1], str):
            parts += " "
        parts += gotext.text(value)
    return parts


def base64decode(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode("utf-8", "replace")
    except binascii.Error as error:
        raise TemplateError(f"error calling base64decode: base64 decode failed: {error}") from error


def exists(value: Any, *keys: Any) -> bool:
    """kubectl's own: whether `index` would find something."""
    for key in keys:
        there = isinstance(value, list) and isinstance(key, int) and 0 <= key < len(value)
        if there or (isinstance(value, dict) and key in value):
            value = value[key]
        else:
            return False
    return True


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "and": both,
    "or": either,
    "not": lambda value: not truth(value),
    "eq": equal,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "index": index,
    "slice": cut,
    "len": length,
    "print": printed,
    "println": lambda *values: " ".join(map(gotext.text, values)) + "\n",
    "printf": printf,
    "html": lambda *values: html.escape(printed(*values)).replace("&quot;", "&#34;").replace("&#x27;", "&#39;"),
    "js": lambda *values: json.dumps(printed(*values))[1:-1],
    "urlquery": lambda *values: quote_plus(printed(*values)),
    "base64decode": base64decode,
    "exists": exists,
}
