"""Reading: JSON values as what their schema says they are — texts that are times, numbers that are doubles, lists that are sets.

A tree is read where it is; only what an expression computes with is converted, at the place where it does (planner.py). A
conversion may be asked for twice: what is converted already stays as it is.
https://kubernetes.io/docs/reference/using-api/cel/#type-system-integration
"""

import base64
import binascii
from collections.abc import Callable
from typing import Any

from apiserver.cel import moments
from apiserver.cel.errors import EvaluationError
from apiserver.cel.types import Type
from apiserver.cel.values import MapList, Optional, SetList

Reader = Callable[[Any], Any]
CONTAINERS = ("list", "map", "object")


def reader(kind: Type) -> Reader | None:
    """How JSON becomes a value of this type; None: it is one."""
    if kind.kind in _SCALARS:
        return _SCALARS[kind.kind]
    if kind.kind == "list":
        return _list_reader(kind)
    if kind.kind == "map":
        return _map_reader(reader(kind.parameters[1]))
    if kind.kind == "optional":
        inside = reader(kind.element)
        return None if inside is None else lambda value: Optional(inside(value.value)) if value.present else value
    return _object_reader(kind) if kind.kind == "object" else None


def _double(value: Any) -> Any:
    return float(value) if type(value) is int else value


def _timestamp(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return moments.parse_timestamp(value) if len(value) > len("2006-01-02") else moments.parse_date(value)


def _duration(value: Any) -> Any:
    return moments.parse_duration(value) if isinstance(value, str) else value


def _bytes(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return base64.b64decode(value)
    except (binascii.Error, ValueError):
        raise EvaluationError("invalid base64 in bytes") from None


_SCALARS: dict[str, Reader] = {"double": _double, "timestamp": _timestamp, "duration": _duration, "bytes": _bytes}


def _list_reader(kind: Type) -> Reader | None:
    inside = reader(kind.element)
    keys = kind.list_keys

    def items(value: list[Any]) -> list[Any]:
        return [inside(one) for one in value] if inside is not None else value

    if kind.list_type == "set":
        return lambda value: SetList(items(value)) if type(value) is list else value
    if kind.list_type == "map":
        return lambda value: MapList(items(value), keys) if type(value) is list else value
    return None if inside is None else lambda value: items(value) if type(value) is list else value


def _map_reader(inside: Reader | None) -> Reader | None:
    if inside is None:
        return None
    return lambda value: {key: inside(one) for key, one in value.items()} if type(value) is dict else value


def _object_reader(kind: Type) -> Reader | None:
    inside = {field.key: read for field in kind.fields.values() if (read := reader(field.type)) is not None}
    if not inside:
        return None

    def read_object(value: Any) -> Any:
        if type(value) is not dict:
            return value
        return {key: inside[key](one) if key in inside else one for key, one in value.items()}

    return read_object
