"""The pod's side of its network: loopback up, eth0's address, eth0 up, the default route.

One write to a socket that was opened in the pod's namespace, answered together; a library's four exchanges cost ten times as much.
https://man7.org/linux/man-pages/man7/rtnetlink.7.html · include/uapi/linux/rtnetlink.h
"""

import errno
import os
import socket
import struct
from ipaddress import IPv4Address, IPv4Interface

from pyroute2.netlink.exceptions import NetlinkError

REQUEST, ACK, EXCLUSIVE, CREATE = 0x1, 0x4, 0x200, 0x400
ERROR = 2  # NLMSG_ERROR, also an acknowledgement
NEW_LINK, NEW_ADDRESS, NEW_ROUTE = 16, 20, 24
UP = 1  # IFF_UP
LOCAL, ADDRESS, GATEWAY = 2, 1, 5  # IFA_LOCAL, IFA_ADDRESS, RTA_GATEWAY
MAIN_TABLE, STATIC, UNIVERSE, UNICAST = 254, 4, 0, 1
LOOPBACK = 1  # the first device in every namespace
RECEIVE_BYTES = 1 << 16
ANSWER_SECONDS = 10

_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence number, port
_LINK = struct.Struct("=BxHiII")  # family, type, index, flags, which flags change
_ADDRESS = struct.Struct("=BBBBI")  # family, prefix length, flags, scope, index
_ROUTE = struct.Struct("=BBBBBBBBI")  # family, lengths, service, table, protocol, scope, type, flags
_ATTRIBUTE = struct.Struct("=HH4s")


def set_up(inside: socket.socket, eth0: int, address: IPv4Interface, gateway: IPv4Address) -> None:
    """Blocks. Raises NetlinkError for the first step that was refused."""
    own, length = address.ip.packed, address.network.prefixlen
    steps = {
        "loopback up": (NEW_LINK, 0, _link_up(LOOPBACK)),
        "address": (
            NEW_ADDRESS,
            CREATE | EXCLUSIVE,
            _ADDRESS.pack(socket.AF_INET, length, 0, UNIVERSE, eth0) + _attribute(LOCAL, own) + _attribute(ADDRESS, own),
        ),
        "eth0 up": (NEW_LINK, 0, _link_up(eth0)),
        "default route": (
            NEW_ROUTE,
            CREATE | EXCLUSIVE,
            _ROUTE.pack(socket.AF_INET, 0, 0, 0, MAIN_TABLE, STATIC, UNIVERSE, UNICAST, 0) + _attribute(GATEWAY, gateway.packed),
        ),
    }
    messages = [_message(kind, flags, number, body) for number, (kind, flags, body) in enumerate(steps.values())]
    inside.settimeout(ANSWER_SECONDS)
    inside.send(b"".join(messages))
    codes = _answers(inside, len(messages))
    for name, code in zip(steps, codes, strict=True):
        if code:
            raise NetlinkError(code, f"{name}: {os.strerror(code)}")


def _answers(inside: socket.socket, count: int) -> list[int]:
    """An errno, or 0, for each message."""
    codes: dict[int, int] = {}
    while len(codes) < count:
        data = inside.recv(RECEIVE_BYTES)
        while data:
            length, kind, _, sequence, _ = _HEADER.unpack_from(data)
            if kind == ERROR:
                codes[sequence] = -struct.unpack_from("=i", data, _HEADER.size)[0]
            if length < _HEADER.size:
                raise NetlinkError(errno.EBADMSG, "an answer without a length")
            data = data[(length + 3) & ~3 :]
    return [codes[sequence] for sequence in range(count)]


def _link_up(index: int) -> bytes:
    return _LINK.pack(socket.AF_UNSPEC, 0, index, UP, UP)


def _attribute(kind: int, value: bytes) -> bytes:
    return _ATTRIBUTE.pack(_ATTRIBUTE.size, kind, value)


def _message(kind: int, flags: int, sequence: int, body: bytes) -> bytes:
    return _HEADER.pack(_HEADER.size + len(body), kind, REQUEST | ACK | flags, sequence, 0) + body
