"""Wire: protobuf's wire format, as far as etcd's messages need it — varints, and fields with a length.

Why not the library: importing it takes longer than everything else that storage imports, and 16 MiB, to read twenty messages.
https://protobuf.dev/programming-guides/encoding/
"""

from collections.abc import Iterator

LENGTH = 2  # the wire type of bytes, strings and messages; 0 is a varint's, and there are no others in etcd's messages
MORE = 0x80  # of a varint's byte: another one follows
_BYTES = tuple(bytes((number,)) for number in range(MORE))  # of small numbers, and of the tags of fields below 16


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
    return _BYTES[field << 3] + varint(number) if number else b""


def block(field: int, data: bytes) -> bytes:
    """A field of bytes, or a message; written even where it is empty."""
    size = len(data)
    return _BYTES[field << 3 | LENGTH] + (_BYTES[size] if size < MORE else varint(size)) + data


def fields(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Each field of a message: its number, its value where it is a number, its bytes where it has a length."""
    at, size = 0, len(data)
    while at < size:
        tag, value = data[at], data[at + 1]
        at += 2
        if value >= MORE:
            value, at = _rest(data, value, at)
        if tag & 7 == LENGTH:
            yield tag >> 3, 0, data[at : at + value]
            at += value
        else:
            yield tag >> 3, value, b""


def number_in(data: bytes, field: int) -> int:
    """One number of a message, the others passed over; 0 where it is not there."""
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
