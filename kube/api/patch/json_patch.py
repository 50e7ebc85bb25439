"""JSON Patch: a list of operations, each of which must succeed (RFC 6902), as the library has it that upstream uses:

    null and nothing are one           `replace` makes what is not there, `copy` copies it as null, a missing value is null
    an index may count from the end    -1 is the last item; for `add`, the place behind it
    the whole object                   `replace` and `test` alone may mean it; what is before the first / of a path does not count

https://datatracker.ietf.org/doc/html/rfc6902 · gopkg.in/evanphx/json-patch.v4 · apiserver pkg/endpoints/handlers/patch.go
"""

import re
from copy import deepcopy
from typing import Any

import orjson

from kube.api.schema import json_type
from kube.api.status import BadRequest, Invalid

# Upstream says no more than this of a patch that does not fit the object.
REJECTED = "the server rejected our request due to an error in our request"

MAX_COPIED_BYTES = 3 * 1024 * 1024  # by all copy operations of a patch, each of which may double what the last one made

INDEX = re.compile("[-+]?[0-9]+")
OPERATIONS = ("add", "remove", "replace", "move", "copy", "test")


class Unfit(Invalid):
    """The patch does not fit the object; `why` is the library's word, which clients that patch are not told."""

    def __init__(self, why: str) -> None:
        super().__init__(REJECTED, {})
        self.why = why


class _Unfit(Exception):
    """One operation does not fit; its argument is one of these."""


PARENT = "what it should be in is not there"
KEY = "it is not there"
PLACE = "there is no such place"
OTHER = "it is another"


def apply(tree: Any, operations: list[Any]) -> Any:
    """The patched tree. Raises BadRequest for what is no patch, Invalid where it does not fit: a path or a test that fails."""
    result, copied = orjson.loads(orjson.dumps(tree)), 0
    for operation in operations:
        if not isinstance(operation, dict):
            raise BadRequest(f"json: cannot unmarshal {json_type(operation)} into Go value of type jsonpatch.Operation")
        try:
            if operation.get("op") == "copy":
                copied += len(orjson.dumps(_get(*_place(result, operation.get("from")))))
                if copied > MAX_COPIED_BYTES:
                    raise Invalid(_too_much(copied))
            result = _apply(result, operation)
        except _Unfit as error:
            raise Unfit(_why(operation, str(error))) from None
    return result


def _why(operation: dict[str, Any], problem: str) -> str:
    """In the words of the library."""
    name, path = operation.get("op"), str(operation.get("path"))
    last = path.rpartition("/")[2]
    if problem == KEY:
        return f"error in {name} for path: '{path}': Unable to remove nonexistent key: {last}: missing value"
    if problem == PLACE:
        return f"error in {name} for path: '{path}': Unable to access invalid index: {last}: invalid index referenced"
    if problem == OTHER:
        return f"testing value {path} failed: test failed"
    if name not in OPERATIONS:
        return f"Unexpected kind: {name}"
    shown = f'"{path}"' if name in ("add", "remove") else path
    return f"{name} operation does not apply: doc is missing path: {shown}: missing value"


def _too_much(copied: int) -> str:
    limit = f"exceeding the limit {MAX_COPIED_BYTES}"
    return f"Unable to complete the copy, the accumulated size increase of copy is {copied}, {limit}"


def _apply(tree: Any, operation: dict[str, Any]) -> Any:
    name, path, value = operation.get("op"), operation.get("path"), operation.get("value")
    match name:
        case "add":
            _add(*_place(tree, path), deepcopy(value))
        case "remove":
            _remove(*_place(tree, path))
        case "replace" if path == "":
            if not isinstance(value, dict | list):
                raise _Unfit(PARENT)
            return deepcopy(value)
        case "replace":
            _set(*_place(tree, path), deepcopy(value))
        case "move":
            place = _place(tree, operation.get("from"))
            moved = _get(*place)
            _remove(*place)
            _add(*_place(tree, path), moved)
        case "copy":
            copied = deepcopy(_get(*_place(tree, operation.get("from"))))
            _add(*_place(tree, path), copied)
        case "test":
            found = tree if path == "" else _get(*_place(tree, path))
            if found != value or isinstance(found, bool) != isinstance(value, bool):
                raise _Unfit(OTHER)
        case _:
            raise _Unfit(PARENT)
    return tree


def _place(tree: Any, pointer: Any) -> tuple[Any, str]:
    """The object or list that a JSON pointer (RFC 6901) leads into, and the last step."""
    if not isinstance(pointer, str) or "/" not in pointer:
        raise _Unfit(PARENT)
    *steps, last = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
    for step in steps:
        tree = _get(tree, step)
    if not isinstance(tree, dict | list):
        raise _Unfit(PARENT)
    return tree, last


def _get(parent: Any, step: str) -> Any:
    if isinstance(parent, dict):
        return parent.get(step)
    if isinstance(parent, list):
        return parent[_index(step, len(parent))]
    raise _Unfit(PARENT)


def _set(parent: Any, step: str, value: Any) -> None:
    parent[step if isinstance(parent, dict) else _index(step, len(parent))] = value


def _add(parent: Any, step: str, value: Any) -> None:
    if isinstance(parent, dict):
        parent[step] = value
    else:
        parent.insert(len(parent) if step == "-" else _index(step, len(parent) + 1), value)


def _remove(parent: Any, step: str) -> None:
    if isinstance(parent, dict):
        if step not in parent:
            raise _Unfit(KEY)
        del parent[step]
    else:
        del parent[_index(step, len(parent))]


def _index(step: str, places: int) -> int:
    """Of so many places; below zero it is counted from their end."""
    if not INDEX.fullmatch(step) or not -places <= int(step) < places:
        raise _Unfit(PLACE)
    return int(step) % places
