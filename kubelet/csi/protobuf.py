"""Protobuf: the messages of storage and device drivers, between dicts and bytes (kube/api/wire.py). Pure.

A shape names a message's fields: {"volume_id": Field(1, TEXT)}. What is empty is not written; unknown fields are passed over.
https://protobuf.dev/programming-guides/encoding/
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from kube.api.wire import VARINT, block, fields, varint

TEXT, BOOL, NUMBER, TEXTS, NUMBERS, MAP = "text", "bool", "number", "texts", "numbers", "map"

Shape = Mapping[str, "Field"]


class Field(NamedTuple):
    number: int
    kind: str | Shape  # a message of that shape; in a list where `repeated`
    repeated: bool = False


ENTRY: Shape = {"key": Field(1, TEXT), "value": Field(2, TEXT)}


def encode(shape: Shape, values: Mapping[str, Any]) -> bytes:
    found = bytearray()
    for name, field in shape.items():
        value = values.get(name)
        if value is None or (not value and not isinstance(value, dict)):
            continue
        for one in value if field.repeated or field.kind == TEXTS else [value]:
            found += _field(field, one)
    return bytes(found)


def _field(field: Field, value: Any) -> bytes:
    if field.kind in (BOOL, NUMBER):
        return varint(field.number << 3 | VARINT) + varint(int(value))
    if field.kind in (TEXT, TEXTS):
        return block(field.number, str(value).encode())
    if field.kind == MAP:
        entries = ({"key": key, "value": text} for key, text in value.items())
        return b"".join(block(field.number, encode(ENTRY, entry)) for entry in entries)
    assert isinstance(field.kind, Mapping), "a field is of one of the kinds above, or a message"
    return block(field.number, encode(field.kind, value))


def decode(shape: Shape, content: bytes) -> dict[str, Any]:
    """Absent fields are left out. Raises ValueError for what is no message."""
    names = {field.number: (name, field) for name, field in shape.items()}
    found: dict[str, Any] = {}
    for number, value in fields(content):
        if number in names:
            name, field = names[number]
            _keep(found, name, field, value)
    return found


def _keep(found: dict[str, Any], name: str, field: Field, value: int | bytes) -> None:
    if isinstance(value, int):
        if field.repeated or field.kind == NUMBERS:
            found.setdefault(name, []).append(value)
        else:
            found[name] = bool(value) if field.kind == BOOL else value
    elif field.kind == TEXT:
        found[name] = value.decode()
    elif field.kind == TEXTS:
        found.setdefault(name, []).append(value.decode())
    elif field.kind == MAP:
        entry = decode(ENTRY, value)
        found.setdefault(name, {})[entry.get("key", "")] = entry.get("value", "")
    elif isinstance(field.kind, Mapping):
        message = decode(field.kind, value)
        if field.repeated:
            found.setdefault(name, []).append(message)
        else:
            found[name] = message
