"""Protobuf: the few wire forms that storage drivers' messages need, between dicts and bytes. Pure.

A shape names a message's fields: {"volume_id": Field(1, TEXT)}. What is empty is not written; unknown fields are passed over.
https://protobuf.dev/programming-guides/encoding/
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

TEXT, BOOL, NUMBER, TEXTS, NUMBERS, MAP = "text", "bool", "number", "texts", "numbers", "map"
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # wire types
WIDTH = {FIXED64: 8, FIXED32: 4}

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
        return _varint(field.number << 3 | VARINT) + _varint(int(value))
    if field.kind in (TEXT, TEXTS):
        return _delimited(field.number, str(value).encode())
    if field.kind == MAP:
        entries = ({"key": key, "value": text} for key, text in value.items())
        return b"".join(_delimited(field.number, encode(ENTRY, entry)) for entry in entries)
    assert isinstance(field.kind, Mapping), "a field is of one of the kinds above, or a message"
    return _delimited(field.number, encode(field.kind, value))


def _delimited(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | BYTES) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*found, value))


def decode(shape: Shape, content: bytes) -> dict[str, Any]:
    """Absent fields are left out. Raises ValueError for what is no message."""
    names = {field.number: (name, field) for name, field in shape.items()}
    found: dict[str, Any] = {}
    for number, value in _fields(content):
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


def _fields(content: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(content):
        tag, at = _read_varint(content, at)
        number, wire = tag >> 3, tag & 7
        if wire == VARINT:
            value, at = _read_varint(content, at)
            yield number, value
            continue
        length, at = _read_varint(content, at) if wire == BYTES else (WIDTH.get(wire, 0), at)
        if wire not in (BYTES, *WIDTH) or at + length > len(content):
            raise ValueError(f"not a protobuf message: field {number} of wire type {wire}")
        if wire == BYTES:
            yield number, content[at : at + length]
        at += length


def _read_varint(content: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(content):
            raise ValueError("not a protobuf message: it ends within a number")
        value |= (content[at] & 0x7F) << shift
        shift += 7
        at += 1
        if content[at - 1] < 0x80:
            return value, at
