"""JSON Patch: a list of operations, each of which must succeed (RFC 6902).

https://datatracker.ietf.org/doc/html/rfc6902 · apiserver pkg/endpoints/handlers/patch.go (applyJSPatch)
"""

from copy import deepcopy
from typing import Any

import orjson

from kube.api.schema import json_type
from kube.api.status import BadRequest, Invalid

# Upstream says no more than this of a patch that does not fit the object.
REJECTED = "the server rejected our request due to an error in our request"

MAX_COPIED_BYTES = 3 * 1024 * 1024  # by all copy operations of a patch, each of which may double what the last one made

Pointer = list[str]


class _Unfit(Exception):
    """The patch does not fit the object."""


def apply(tree: Any, operations: list[Any]) -> Any:
    """The patched tree. Raises BadRequest for what is no patch, Invalid where it does not fit: a path or a test that fails."""
    result, copied = orjson.loads(orjson.dumps(tree)), 0
    for operation in operations:
        if not isinstance(operation, dict):
            raise BadRequest(f"json: cannot unmarshal {json_type(operation)} into Go value of type jsonpatch.Operation")
        try:
            if operation.get("op") == "copy":
                copied += len(orjson.dumps(_get(result, _pointer(operation.get("from")))))
                if copied > MAX_COPIED_BYTES:
                    raise Invalid(_too_much(copied))
            result = _apply(result, operation)
        except _Unfit:
            raise Invalid(REJECTED) from None
    return result


def _too_much(copied: int) -> str:
    limit = f"exceeding the limit {MAX_COPIED_BYTES}"
    return f"Unable to complete the copy, the accumulated size increase of copy is {copied}, {limit}"


def _apply(tree: Any, operation: dict[str, Any]) -> Any:
    name = operation.get("op")
    path = _pointer(operation.get("path"))
    match name:
        case "add":
            return _add(tree, path, deepcopy(_value(operation)))
        case "remove":
            return _remove(tree, path)[0]
        case "replace":
            _get(tree, path)
            return _add(_remove(tree, path)[0], path, deepcopy(_value(operation))) if path else deepcopy(_value(operation))
        case "move":
            rest, moved = _remove(tree, _pointer(operation.get("from")))
            return _add(rest, path, moved)
        case "copy":
            return _add(tree, path, deepcopy(_get(tree, _pointer(operation.get("from")))))
        case "test":
            return _tested(tree, path, operation.get("value"))
    raise _Unfit


def _tested(tree: Any, path: Pointer, expected: Any) -> Any:
    try:
        found = _get(tree, path)
    except _Unfit:
        found = None  # what is not there equals null
    if found != expected or isinstance(found, bool) != isinstance(expected, bool):
        raise _Unfit
    return tree


def _value(operation: dict[str, Any]) -> Any:
    if "value" not in operation:
        raise _Unfit
    return operation["value"]


def _pointer(text: Any) -> Pointer:
    """The steps of a JSON pointer (RFC 6901)."""
    if not isinstance(text, str) or (text and not text.startswith("/")):
        raise _Unfit
    return [step.replace("~1", "/").replace("~0", "~") for step in text.split("/")[1:]]


def _get(tree: Any, path: Pointer) -> Any:
    for step in path:
        if isinstance(tree, dict) and step in tree:
            tree = tree[step]
        elif isinstance(tree, list):
            tree = tree[_index(step, len(tree) - 1)]
        else:
            raise _Unfit
    return tree


def _add(tree: Any, path: Pointer, value: Any) -> Any:
    if not path:
        return value
    parent, last = _get(tree, path[:-1]), path[-1]
    if isinstance(parent, dict):
        parent[last] = value
    elif isinstance(parent, list):
        parent.insert(len(parent) if last == "-" else _index(last, len(parent)), value)
    else:
        raise _Unfit
    return tree


def _remove(tree: Any, path: Pointer) -> tuple[Any, Any]:
    """The tree without it, and it."""
    if not path:
        raise _Unfit
    parent, last = _get(tree, path[:-1]), path[-1]
    if isinstance(parent, dict) and last in parent:
        return tree, parent.pop(last)
    if isinstance(parent, list):
        return tree, parent.pop(_index(last, len(parent) - 1))
    raise _Unfit


def _index(step: str, highest: int) -> int:
    if not step.isdecimal() or int(step) > highest:
        raise _Unfit
    return int(step)
