"""rpc: what etcd.py needs of gRPC — calls of bytes, streams of bytes, and how they fail. Two transports keep to it.

http2_channel.py is the one that runs; grpc_channel.py, over grpc.aio, is the one to compare it with, and to go back to
(SKIFF_ETCD_TRANSPORT=grpc). https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
"""

from enum import IntEnum
from typing import Protocol

CALL_SECONDS = 10.0  # etcd itself gives up on a request after 5 s plus two elections
METHODS = {
    name: f"/etcdserverpb.{service}/{name}"
    for service, names in {
        "KV": ("Range", "Txn", "Compact"),
        "Lease": ("LeaseGrant",),
        "Maintenance": ("Status",),
        "Watch": ("Watch",),
    }.items()
    for name in names
}


class Code(IntEnum):
    """https://grpc.github.io/grpc/core/md_doc_statuscodes.html"""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class RpcError(Exception):
    """A call that failed, with gRPC's code and the server's words."""

    def __init__(self, code: Code, details: str) -> None:
        super().__init__(f"{code.name}: {details}")
        self.code = code
        self.details = details


class Stream(Protocol):
    """A call that goes on: messages both ways, in order."""

    def send(self, message: bytes) -> None:
        """Best effort: a stream that is broken tells so to who reads it."""

    async def read(self) -> bytes | None:
        """The next message; None: the server ended the stream. Raises RpcError."""

    def cancel(self) -> None: ...


class Channel(Protocol):
    """A way to one endpoint."""

    @property
    def connected(self) -> bool:
        """Whether a call would be sent at once."""

    async def connect(self) -> None:
        """Until a connection stands, however long that takes."""

    async def call(self, method: str, request: bytes) -> bytes:
        """One of METHODS, sent once. Raises RpcError; DEADLINE_EXCEEDED after CALL_SECONDS."""

    def stream(self, method: str, first: bytes) -> Stream:
        """A stream that begins with a message. Raises RpcError where there is no connection."""

    async def close(self) -> None: ...
