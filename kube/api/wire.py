"""Wire: protobuf's wire format — numbers, and the fields of a message — for whoever speaks it: etcd's messages, the bodies of
clients that send protobuf, OpenAPI's binary form, the drivers of storage and devices. Each of them says what the fields mean.

Why not the library: importing it takes longer than everything else that the API server's storage imports, and 16 MiB.
https://protobuf.dev/programming-guides/encoding/
"""

from collections.abc import Iterator
from typing import Any

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5  # wire types
MORE = 0x80  # of a varint's byte: another one follows
_WIDTH = {FIXED64: 8, FIXED32: 4}
_BYTES = tuple(bytes((number,)) for number in range(MORE))  # of small numbers, and of the tags of fields below 16


class WireError(ValueError):
    """The bytes are no message."""


# -- writing


def varint(number: int) -> bytes:
    """A number of 64 bits; one below zero as its two's complement."""
    if 0 <= number < MORE:
        return _BYTES[number]
    number &= (1 << 64) - 1
    parts = bytearray()
    while number >= MORE:
        parts.append(number & 0x7F | MORE)
        number >>= 7
    parts.append(number)
    return bytes(parts)


def integer(field: int, number: int) -> bytes:
    """A field that is a number or a truth value; nothing where it is zero, as proto3 has it."""
    return varint(field << 3) + varint(number) if number else b""


def block(field: int, data: bytes) -> bytes:
    """A field of bytes, a text or a message; written even where it is empty."""
    size = len(data)
    return varint(field << 3 | LENGTH) + (_BYTES[size] if size < MORE else varint(size)) + data


# -- reading


def fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """Each field of a message: its number, and its value — a number, not below zero, or bytes where it has a length or a fixed
    width. Raises WireError."""
    at, size = 0, len(data)
    try:
        while at < size:
            tag, value = data[at], data[at + 1]
            at += 2
            if tag >= MORE:
                tag, at = _rest(data, tag, at - 1)
                value = data[at]
                at += 1
            kind = tag & 7
            if kind == LENGTH:
                if value >= MORE:
                    value, at = _rest(data, value, at)
            elif kind == VARINT:
                if value >= MORE:
                    value, at = _rest(data, value, at)
                yield tag >> 3, value
                continue
            else:
                value, at = _WIDTH[kind], at - 1
            end = at + value
            if end > size:
                raise WireError("unexpected EOF")
            yield tag >> 3, data[at:end]
            at = end
    except IndexError:
        raise WireError("unexpected EOF") from None
    except KeyError as unknown:
        raise WireError(f"a field of wire type {unknown}") from None


def number_in(data: bytes, field: int) -> int:
    """One number of a message, the others passed over; 0 where it is not there. Fields beside it are numbers or have a length, and
    are below 16."""
    wanted, at, size = field << 3, 0, len(data)
    while at < size:
        tag, value = data[at], data[at + 1]
        at += 2
        if tag != wanted and tag & 7 != LENGTH:
            while value >= MORE:
                value = data[at]
                at += 1
            continue
        if value >= MORE:
            value, at = _rest(data, value, at)
        if tag == wanted:
            return value
        at += value
    return 0


def numbers(data: bytes) -> Iterator[int]:
    """Those that share one length (packed). Raises WireError."""
    at, size = 0, len(data)
    try:
        while at < size:
            value = data[at]
            at += 1
            if value >= MORE:
                value, at = _rest(data, value, at)
            yield value
    except IndexError:
        raise WireError("unexpected EOF") from None


def _rest(data: bytes, first: int, at: int) -> tuple[int, int]:
    """A varint of more than one byte, whose second one is at `at`; and where it ends."""
    value, shift = first & 0x7F, 7
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < MORE:
            return value, at
        shift += 7
