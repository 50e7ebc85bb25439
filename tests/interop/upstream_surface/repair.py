"""Repair: upstream's sample objects hold a nonsense value in every field; here they are made such as validation lets pass. Pure.

A sample is sent; each complaint of the answer is met by the first rule whose pattern is in it, and the sample is sent again. What
is in a sample's way is known to the table OWN, by kind and field. Of alternatives of which an object may have but one, one stays.
"""

import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

from tests.interop.upstream_surface.paths import ABSENT, fits, get, parsed, put
from tests.interop.upstream_surface.valid_pods import VOLUMES

ONE_OF = re.compile(
    "may not specify more than 1|cannot set both|must populate the given metric source only|mutually exclusive|in combination with"
    "|cannot apply to|may not be specified when|may not specify both|requires|may only be set|must not be specified|not allowed"
    "|may not be set|must be unset|should be unset|must be empty|Too many"
)
SUPPORTED = re.compile(r'supported values: "([^"]+)"')

Fix = Callable[[Any], Any]  # of the value that is there


def _label(value: Any) -> Any:
    return re.sub("[^a-z0-9.-]", "-", value.lower()).strip("-") if isinstance(value, str) else value


def _text(made: str) -> Fix:
    return lambda value: made if isinstance(value, str) else value


def _count(value: Any) -> Any:
    return "1" if isinstance(value, str) else 1


# A pattern of a complaint: what becomes of the value, and why.
RULES: tuple[tuple[str, Fix, str], ...] = (
    ("not a valid selector operator", lambda value: "In", "operators are of a set"),
    ("two segments", _text("a.example.com"), "a full name"),
    ("RFC 1123|DNS-1035|lower case alphanumeric", _label, "names have a form"),
    ("valid CIDR", _text("10.1.0.0/24"), "a network"),
    ("valid IP", _text("10.1.2.3"), "an address"),
    ("domain-prefixed|fully qualified|at least three segments", _text("example.com/x"), "a name with a domain"),
    ("percent", _text("10%"), "a number or a percentage"),
    ("must contain only alpha-numeric characters|IANA_SVC", _text("http"), "a port's name has a form"),
    ("absolute path", _text("/x"), "a path from the root"),
    ("greater than or equal to|must be positive|greater than 0|greater than zero|at least 2|less than 1$", _count, "a count"),
    ("less than 600 seconds|less than 10 minutes", lambda value: 3600, "a time that is worth it"),
)
KEY = re.compile("standard resource type|standard resource for quota|must be a standard resource")


def repaired(tree: Any, causes: list[Any], own: dict[str, Any]) -> bool:
    """Meet the complaints; False: none could be met."""
    done = False
    for cause in causes:
        path = parsed(cause.get("field") or "")
        value = get(tree, path) if path else ABSENT
        if KEY.search(cause.get("message", "")) and isinstance(get(tree, path[:-1]), dict) and path[-1] in get(tree, path[:-1]):
            put(tree, path[:-1], {"cpu": "1"})  # resources have names of their own
            done = True
            continue
        fix = _value(cause, value, own)
        if fix is not None and path and fits(tree, path):
            if fix[0] is value:
                continue
            put(tree, path, ABSENT if fix[0] is ABSENT else deepcopy(fix[0]))
            done = True
    return done


def _value(cause: Any, value: Any, own: dict[str, Any]) -> tuple[Any] | None:
    """What is to stand at the field, if anything is known."""
    field, message = cause.get("field", ""), cause.get("message", "")
    for pattern, made in own.items():
        if re.fullmatch(pattern, field):
            return (made,)
    found = SUPPORTED.search(message)
    if found and not isinstance(value, dict) and (not isinstance(value, list) or all(isinstance(one, str) for one in value)):
        return ([found.group(1)],) if isinstance(value, list) else (found.group(1),)
    if ONE_OF.search(message):
        return (ABSENT,)
    if value is ABSENT:
        return None
    for pattern, change, _ in RULES:
        if re.search(pattern, message):
            return ([change(one) for one in value],) if isinstance(value, list) else (change(value),)
    return None


def started(tree: Any, own: dict[str, Any]) -> None:
    """Put what must stand there from the beginning: of paths that are written out."""
    for text, value in own.items():
        path = parsed(text)
        if not re.search(r"[\\*()]", text) and fits(tree, path) and get(tree, path) is not ABSENT:
            put(tree, path, value if value is ABSENT else deepcopy(value))


def apart(tree: Any) -> None:
    """A volume has one source: of a sample's with all of them becomes one volume for each."""
    for name, value in tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ():
        if name == "volumes" and isinstance(value, list) and len(value) == 1 and len(value[0]) > 2:
            sources = [(source, told) for source, told in value[0].items() if source != "name"]
            tree[name] = [{"name": source.lower(), source: told} for source, told in sources]
            for source, told in sources:
                started(told, VOLUMES.get(source, {}))
        elif isinstance(value, dict | list):
            apart(value)


def lost(sent: Any, got: Any, path: str = "") -> Iterator[str]:
    """The fields of what was sent that are not in what came back, or are others there. An empty list may come back as null, which
    is how Go writes one that was stored."""
    if isinstance(sent, dict):
        for name, value in sent.items():
            if not isinstance(got, dict) or name not in got:
                yield f"{path}.{name} is gone"
            else:
                yield from lost(value, got[name], f"{path}.{name}")
    elif isinstance(sent, list):
        if sent and (not isinstance(got, list) or len(got) < len(sent)):
            yield f"{path} is shorter"
        else:
            for index, value in enumerate(sent):
                yield from lost(value, got[index], f"{path}[{index}]")
    elif sent != got:
        yield f"{path} was {sent!r}, is {got!r}"
