"""nftables over netlink: attributes, messages, and one batch as one atomic transaction.

The kernel takes a batch as a whole or not at all. Only the end of a batch asks for an acknowledgement, so a good batch costs one
answer, whatever its size; a refused one names the message at fault by its sequence number, which `Batch` turns back into words.
Numbers are the kernel's, in network byte order (include/uapi/linux/netfilter/nf_tables.h).
https://docs.kernel.org/userspace-api/netlink/intro.html · https://wiki.nftables.org/
"""

import os
import socket
import struct
from collections.abc import Iterator

from kube_proxy import mode

NETLINK_NETFILTER = 12
SUBSYSTEM = 10 << 8  # NFNL_SUBSYS_NFTABLES
BATCH_BEGIN, BATCH_END = 0x10, 0x11
NEWTABLE, GETTABLE, DELTABLE = 0, 1, 2
NEWCHAIN, DELCHAIN = 3, 5
NEWRULE, DELRULE = 6, 8
NEWSET, DELSET = 9, 11
NEWSETELEM, DELSETELEM = 12, 14
TABLE_HANDLE = 4

REQUEST, ACK, CREATE, APPEND = 0x1, 0x4, 0x400, 0x800
ERROR = 2  # NLMSG_ERROR, also an acknowledgement
NESTED = 0x8000
SOL_NETLINK, EXTENDED_ACK, CAPPED_ACK = 270, 11, 10
SO_SNDBUFFORCE, SO_RCVBUFFORCE = 32, 33
SEND_BUFFER, RECEIVE_BUFFER = 256 << 20, 8 << 20  # a batch is sent in one piece
RECEIVE_BYTES = 1 << 16
ANSWER_SECONDS = 60  # far more than any transaction takes

_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence number, port
_GENERIC = struct.Struct(">BBH")  # family, version, resource
_ATTRIBUTE = struct.Struct("=HH")
_U32 = struct.Struct(">I")


def attribute(kind: int, payload: bytes) -> bytes:
    return _ATTRIBUTE.pack(len(payload) + 4, kind) + payload + b"\0" * (-len(payload) % 4)


def nested(kind: int, *parts: bytes) -> bytes:
    return attribute(kind | NESTED, b"".join(parts))


def number(kind: int, value: int) -> bytes:
    return attribute(kind, _U32.pack(value & 0xFFFFFFFF))


def wide_number(kind: int, value: int) -> bytes:
    return attribute(kind, struct.pack(">Q", value))


def text(kind: int, value: str) -> bytes:
    return attribute(kind, value.encode() + b"\0")


class Refused(mode.Refused):
    """The kernel took nothing of a batch; the message names the change at fault."""

    def __init__(self, code: int, what: str, detail: str = "") -> None:
        self.code = code  # an errno
        super().__init__(f"{what}: {os.strerror(code)}{f' ({detail})' if detail else ''}")


class Batch:
    """Messages of one transaction, in order. `what` says in an error which change was refused."""

    def __init__(self, family: int) -> None:
        self._family = family
        self._messages: list[bytes] = []
        self._what: list[str] = []

    def __len__(self) -> int:
        return len(self._messages)

    def add(self, kind: int, payload: bytes, what: str, *, flags: int = 0) -> None:
        sequence = len(self._messages) + 1
        self._messages.append(message(SUBSYSTEM | kind, flags, sequence, payload, family=self._family))
        self._what.append(what)

    def encoded(self) -> bytes:
        end = len(self._messages) + 1
        first = message(BATCH_BEGIN, 0, 0, b"", resource=10)
        return b"".join((first, *self._messages, message(BATCH_END, ACK, end, b"", resource=10)))

    def what(self, sequence: int) -> str:
        return self._what[sequence - 1] if 0 < sequence <= len(self._what) else "transaction"


class Channel:
    """A way to the kernel's nftables in the network namespace where it was made. One caller at a time; every method blocks.

    The socket is kept: closing one makes the kernel wait until what was deleted is released, some 15 ms.
    """

    def __init__(self) -> None:
        self._socket: socket.socket | None = None

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def commit(self, batch: Batch) -> None:
        """Have the kernel apply all of a batch. Raises Refused, having changed nothing."""
        if not len(batch):
            return
        end = len(batch) + 1
        try:
            for code, sequence, detail in self._exchange(batch.encoded()):
                if code:
                    raise Refused(code, batch.what(sequence), detail)
                if sequence == end:
                    return
        except (Refused, OSError):
            self.close()  # more answers may be under way
            raise

    def table_handle(self, family: int, name: str) -> int | None:
        """The kernel's number for a table, another one each time it is made; None where there is no such table."""
        sock = self._open()
        sock.send(message(SUBSYSTEM | GETTABLE, 0, 1, text(1, name), family=family))
        data = sock.recv(RECEIVE_BYTES)
        if _HEADER.unpack_from(data)[1] == ERROR:
            return None
        values = dict(_attributes(data[_HEADER.size + _GENERIC.size :]))
        return int.from_bytes(values[TABLE_HANDLE], "big")

    def _exchange(self, data: bytes) -> Iterator[tuple[int, int, str]]:
        """(errno or 0, sequence number, the kernel's explanation) of every answer, until the caller has heard enough."""
        sock = self._open()
        sock.send(data)
        while True:
            answer = sock.recv(RECEIVE_BYTES)
            while answer:
                length, kind, _, sequence, _ = _HEADER.unpack_from(answer)
                if kind == ERROR:
                    code = -struct.unpack_from("=i", answer, _HEADER.size)[0]
                    yield code, sequence, _explanation(answer[_HEADER.size + 4 + _HEADER.size : length])
                answer = answer[(length + 3) & ~3 :]

    def _open(self) -> socket.socket:
        if self._socket is None:
            self._socket = sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_NETFILTER)
            sock.settimeout(ANSWER_SECONDS)
            sock.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, SEND_BUFFER)
            sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
            sock.setsockopt(SOL_NETLINK, EXTENDED_ACK, 1)
            sock.setsockopt(SOL_NETLINK, CAPPED_ACK, 1)
            sock.bind((0, 0))
        return self._socket


def message(kind: int, flags: int, sequence: int, payload: bytes, *, family: int = 0, resource: int = 0) -> bytes:
    length = _HEADER.size + _GENERIC.size + len(payload)
    return _HEADER.pack(length, kind, REQUEST | flags, sequence, 0) + _GENERIC.pack(family, 0, resource) + payload


def _explanation(data: bytes) -> str:
    return next((value.rstrip(b"\0").decode() for kind, value in _attributes(data) if kind == 1), "")


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= 4:
        length, kind = _ATTRIBUTE.unpack_from(data)
        if length < 4:
            return
        yield kind & ~NESTED, data[4:length]
        data = data[(length + 3) & ~3 :]
