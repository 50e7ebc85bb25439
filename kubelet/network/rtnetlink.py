"""rtnetlink: several requests in one write, answered together. A library's exchanges, one by one, cost ten times as much.

Each request has a name, which an error tells.
https://man7.org/linux/man-pages/man7/rtnetlink.7.html · include/uapi/linux/rtnetlink.h
"""

import errno
import os
import socket
import struct
from collections.abc import Sequence
from typing import NamedTuple

from pyroute2.netlink.exceptions import NetlinkError

REQUEST, ACK, EXCLUSIVE, CREATE = 0x1, 0x4, 0x200, 0x400
ERROR = 2  # NLMSG_ERROR, also an acknowledgement
NEW_LINK, DELETE_LINK, SET_LINK, NEW_ADDRESS, NEW_ROUTE = 16, 17, 19, 20, 24
UP = 1  # IFF_UP
NESTED = 0x8000
RECEIVE_BYTES = 1 << 16
ANSWER_SECONDS = 10

_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence number, port
_LINK = struct.Struct("=BxHiII")  # family, type, index, flags, which flags change
_ATTRIBUTE = struct.Struct("=HH")
_NUMBER = struct.Struct("=I")


class Request(NamedTuple):
    name: str
    kind: int
    flags: int
    body: bytes


def opened() -> socket.socket:
    """In the network namespace of the calling thread."""
    return socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)


def carry_out(sock: socket.socket, requests: Sequence[Request]) -> None:
    """Blocks. All are tried; raises NetlinkError for the first that was refused."""
    messages = [_message(one, number) for number, one in enumerate(requests)]
    sock.settimeout(ANSWER_SECONDS)
    sock.send(b"".join(messages))
    for one, code in zip(requests, _answers(sock, len(messages)), strict=True):
        if code:
            raise NetlinkError(code, f"{one.name}: {os.strerror(code)}")


def link(index: int = 0, *, family: int = socket.AF_UNSPEC, up: bool = False) -> bytes:
    """The beginning of a request about a link: by its number, or by its name as an attribute; `up` switches it on."""
    state = UP if up else 0
    return _LINK.pack(family, 0, index, state, state)


def attribute(kind: int, value: bytes) -> bytes:
    return _ATTRIBUTE.pack(len(value) + _ATTRIBUTE.size, kind) + value + b"\0" * (-len(value) % 4)


def nested(kind: int, *parts: bytes) -> bytes:
    return attribute(kind | NESTED, b"".join(parts))


def number(kind: int, value: int) -> bytes:
    return attribute(kind, _NUMBER.pack(value))


def text(kind: int, value: str) -> bytes:
    return attribute(kind, value.encode() + b"\0")


def _message(request: Request, sequence: int) -> bytes:
    length = _HEADER.size + len(request.body)
    return _HEADER.pack(length, request.kind, REQUEST | ACK | request.flags, sequence, 0) + request.body


def _answers(sock: socket.socket, count: int) -> list[int]:
    """An errno, or 0, for each message."""
    codes: dict[int, int] = {}
    while len(codes) < count:
        data = sock.recv(RECEIVE_BYTES)
        while data:
            length, kind, _, sequence, _ = _HEADER.unpack_from(data)
            if kind == ERROR:
                codes[sequence] = -struct.unpack_from("=i", data, _HEADER.size)[0]
            if length < _HEADER.size:
                raise NetlinkError(errno.EBADMSG, "an answer without a length")
            data = data[(length + 3) & ~3 :]
    return [codes[sequence] for sequence in range(count)]
