"""Protobuf: request bodies of clients that write Kubernetes' binary form, turned into trees.

Upstream's typed clients (kubectl create deployment, for one) send it and do not fall back; every one of them also reads JSON,
so answers stay JSON. The form: the four bytes `k8s\\0`, then a runtime.Unknown with the kind and the object's own message.
Field numbers and types are in messages.txt (written by from_go.py), those of definitions and APIServices, whose Go types are
packaged apart, and of what old clients evict with, in messages_of_definitions.txt (by hand, from upstream's generated.proto): one
line a field; `?` a pointer, whose zero means zero; `!` written to JSON even when zero; `[` list; `{` map; `-` inline.
https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding
"""

import base64
import struct
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from kube.api.meta import Tree
from kube.api.views import micro_timestamp, timestamp
from kube.api.wire import fields, numbers

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
MAGIC = b"k8s\x00"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NANOSECONDS = 10**9
WITH_EXPONENT = 1e21  # whole numbers below are written in JSON as such
TABLES = ("messages.txt", "messages_of_definitions.txt")
META_KINDS = frozenset(("DeleteOptions", "CreateOptions", "UpdateOptions", "PatchOptions", "ListOptions"))  # of every group

ALTERNATIVES = frozenset(("JSONSchemaPropsOrArray", "JSONSchemaPropsOrBool", "JSONSchemaPropsOrStringArray"))


class Field(NamedTuple):
    name: str  # JSON's; "-" where the message's fields stand beside it in JSON
    type: str
    kept: bool  # zero is written
    shape: str  # "" one, "[" list, "{" map


class ProtobufError(ValueError):
    """The bytes are no message of the kind."""


def decode(data: bytes) -> Tree:
    """The object with its apiVersion and kind. Raises ProtobufError."""
    if data[:4] != MAGIC:
        raise ProtobufError("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
    try:
        unknown = dict(fields(data[4:]))
        type_meta = {number: _text(value) for number, value in fields(unknown.get(1, b""))}
        api_version, kind = type_meta.get(1, ""), type_meta.get(2, "")
        tree = _message(_message_name(api_version, kind), unknown.get(2, b""))
    except (IndexError, KeyError, OverflowError, TypeError, ValueError, struct.error) as error:
        raise ProtobufError(f"unable to decode the protobuf message: {error}") from None
    return {"apiVersion": api_version, "kind": kind, **tree}


@cache
def _table() -> dict[str, dict[int, Field]]:
    table: dict[str, dict[int, Field]] = {}
    message: dict[int, Field] = {}
    for file in TABLES:
        for line in Path(__file__).with_name(file).read_text().splitlines():
            if not line.startswith(" "):
                message = table[line] = {}
                continue
            number, name, kind = line.split()
            shape = next((mark for mark in "[{" if mark in kind), "")
            message[int(number)] = Field(name, kind.lstrip("!?[{"), "!" in kind or "?" in kind, shape)
    return table


def _message_name(api_version: str, kind: str) -> str:
    """`apps/v1.Deployment`: packages are named by the first word of the group."""
    if kind in META_KINDS:
        return f"meta/v1.{kind}"
    group, _, version = api_version.rpartition("/")
    return f"{group.split('.')[0] or 'core'}/{version}.{kind}"


def _message(name: str, data: bytes) -> Tree:
    known = _table().get(name)
    if known is None:
        raise ProtobufError(f"no such message: {name}")
    tree: Tree = {}
    for number, raw in fields(data):
        field = known.get(number)
        if field is not None:
            _put(tree, field, raw)
    return tree


def _put(tree: Tree, field: Field, raw: Any) -> None:
    if field.shape == "[":
        tree.setdefault(field.name, []).extend(_packed(field, raw))
    elif field.shape == "{":
        entry = dict(fields(raw))
        tree.setdefault(field.name, {})[_text(entry.get(1, b""))] = _value(field.type, entry.get(2, b""))
    elif field.name == "-":
        tree |= _message(field.type, raw)
    else:
        value = _value(field.type, raw)
        if value is not None and (field.kept or (value not in (0, "", False) or isinstance(value, dict))):
            tree[field.name] = value


def _packed(field: Field, raw: Any) -> list[Any]:
    """One item, or several numbers that share a length."""
    if field.type in ("int64", "bool") and isinstance(raw, bytes):
        return [_value(field.type, number) for number in numbers(raw)]
    return [_value(field.type, raw)]


def _value(kind: str, raw: Any) -> Any:
    """None: not set (a zero time)."""
    match kind:
        case "string":
            return _text(raw)
        case "int64":
            return _signed(raw)
        case "bool":
            return bool(raw)
        case "bytes":
            return base64.b64encode(raw).decode()
        case "double":
            value = struct.unpack("<d", raw)[0]
            return int(value) if value.is_integer() and abs(value) < WITH_EXPONENT else value
        case "quantity":
            return _text(dict(fields(raw)).get(1, b""))
        case "json":
            text = dict(fields(raw)).get(1, b"")
            return orjson.loads(text) if text else None
        case "intorstring":
            parts = dict(fields(raw))
            return _text(parts.get(3, b"")) if parts.get(1) else _signed(parts.get(2, 0))
        case "time" | "microtime":
            return _time(dict(fields(raw)), kind)
        case "duration":
            return f"{_signed(dict(fields(raw)).get(1, 0)) / NANOSECONDS:g}s"
    if kind.endswith((".ExtraValue", ".Verbs")):
        return _message(kind, raw).get("items", [])
    if kind.partition(".")[2] in ALTERNATIVES:
        return _alternative(_message(kind, raw))
    return _message(kind, raw)


def _alternative(tree: Tree) -> Any:
    """A schema, or what may stand in its place: a list, or a truth value. In JSON it is one or the other."""
    return tree.get("schema", tree.get("allows", tree.get("list", [])))


def _time(parts: dict[int, Any], kind: str) -> str | None:
    if not parts:
        return None
    moment = EPOCH + timedelta(seconds=_signed(parts.get(1, 0)), microseconds=parts.get(2, 0) // 1000)
    return micro_timestamp(moment) if kind == "microtime" else timestamp(moment)


def _signed(value: int) -> int:
    """Negative numbers are sent as 64-bit two's complement."""
    return value - (1 << 64) if value >= 1 << 63 else value


def _text(raw: bytes) -> str:
    return raw.decode()
