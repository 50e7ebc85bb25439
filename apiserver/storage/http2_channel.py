"""HTTP/2 channel: gRPC calls to one endpoint over one connection, made when it is needed and made anew when it is lost.

A call is sent at most once. It fails with UNAVAILABLE where the connection ends before the answer, whether or not the server
did it; with DEADLINE_EXCEEDED after CALL_SECONDS. A silent connection that has calls on it is pinged, and given up where no
answer comes. https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
"""

import asyncio
import ssl
from collections import deque
from contextlib import suppress
from urllib.parse import unquote

from apiserver.storage import header_blocks
from apiserver.storage.http2 import Connection, Headers
from apiserver.storage.rpc import CALL_SECONDS, METHODS, Code, RpcError

PING_SECONDS = 30.0
PONG_SECONDS = 10.0
RETRY_SECONDS = 0.1
CONNECT_SECONDS = 5.0  # one attempt: TCP, TLS and the server's settings
SWEEP_SECONDS = 1.0  # how often overdue calls are looked for
PREFIX_BYTES = 5  # of a message: not compressed, and its length
CODES = {int(code): code for code in Code}


class Http2Channel:
    """`address` is host:port; TLS where there is a context."""

    def __init__(self, address: str, tls: ssl.SSLContext | None) -> None:
        self._host, _, port = address.rpartition(":")
        self._port = int(port)
        self._tls = tls
        self._connection: Connection | None = None
        self._connecting = asyncio.Lock()
        self._closed = False
        self._sweep: asyncio.TimerHandle | None = None
        self._beat: asyncio.TimerHandle | None = None
        scheme = "https" if tls else "http"
        self._headers = {name: _request_headers(scheme, address, path, name) for name, path in METHODS.items()}

    @property
    def connected(self) -> bool:
        return self._connection is not None and self._connection.usable

    async def connect(self) -> None:
        async with self._connecting:
            while not self.connected:
                with suppress(OSError, TimeoutError):
                    async with asyncio.timeout(CONNECT_SECONDS):
                        await self._connect_once()
                if not self.connected:
                    await asyncio.sleep(RETRY_SECONDS)

    async def call(self, method: str, request: bytes) -> bytes:
        connection = self._usable()
        call = _Unary(asyncio.get_running_loop())
        connection.open(call, self._headers[method], _message(request), end=True)
        if self._sweep is None:
            self._sweep = call.loop.call_later(SWEEP_SECONDS, self._give_up_overdue)
        try:
            return await call.answer
        except asyncio.CancelledError:
            connection.cancel(call)
            raise

    def stream(self, method: str, first: bytes) -> "Http2Stream":
        connection = self._usable()
        stream = Http2Stream(connection)
        connection.open(stream, self._headers[method], _message(first), end=False)
        return stream

    async def close(self) -> None:
        self._closed = True
        for timer in (self._sweep, self._beat):
            if timer is not None:
                timer.cancel()
        if self._connection is not None:
            self._connection.close()

    def _usable(self) -> Connection:
        if self._connection is None or not self._connection.usable:
            raise RpcError(Code.UNAVAILABLE, f"no connection to {self._host}:{self._port}")
        return self._connection

    async def _connect_once(self) -> None:
        loop = asyncio.get_running_loop()
        connection = Connection(self._on_end)
        name = self._host if self._tls else None
        try:
            await loop.create_connection(
                lambda: connection, self._host.strip("[]"), self._port, ssl=self._tls, server_hostname=name
            )
            await connection.ready
        except BaseException:
            connection.close()
            if connection.ready.done():
                connection.ready.exception()
            raise
        self._connection = connection
        if self._beat is None:
            self._beat = loop.call_later(PING_SECONDS, self._ping, connection)

    def _on_end(self) -> None:
        self._connection = None
        if self._beat is not None:
            self._beat.cancel()
            self._beat = None

    def _ping(self, connection: Connection) -> None:
        """Only while something is asked: a server takes pings without streams for an attack."""
        loop = asyncio.get_running_loop()
        if not connection.calls:
            self._beat = loop.call_later(PING_SECONDS, self._ping, connection)
            return
        connection.ping()
        self._beat = loop.call_later(PONG_SECONDS, self._pong, connection, connection.pings_answered)

    def _pong(self, connection: Connection, before: int) -> None:
        if connection.pings_answered == before:
            connection.close()
            return
        self._beat = asyncio.get_running_loop().call_later(PING_SECONDS - PONG_SECONDS, self._ping, connection)

    def _give_up_overdue(self) -> None:
        """Calls stand in the order in which they began."""
        self._sweep = None
        connection = self._connection
        if connection is None or self._closed:
            return
        loop = asyncio.get_running_loop()
        now = loop.time()
        unary = [call for call in connection.calls.values() if isinstance(call, _Unary)]
        for call in unary:
            if now - call.began < CALL_SECONDS:
                break
            connection.cancel(call)
            call.on_failed(Code.DEADLINE_EXCEEDED, "Deadline Exceeded")
        if unary:
            self._sweep = loop.call_later(SWEEP_SECONDS, self._give_up_overdue)


class _Unary:
    """One question, one answer."""

    __slots__ = ("answer", "began", "loop", "parts", "received", "stream", "window")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.began = loop.time()
        self.answer: asyncio.Future[bytes] = loop.create_future()
        self.parts: list[bytes] = []
        self.stream = self.window = self.received = 0

    def on_data(self, data: bytes) -> None:
        self.parts.append(data)

    def on_headers(self, headers: Headers, end: bool) -> None:
        if self.answer.done():
            return
        if not end:
            return
        failure = _failure(headers)
        if failure is not None:
            self.answer.set_exception(failure)
        else:
            parts = self.parts
            self.answer.set_result((parts[0] if len(parts) == 1 else b"".join(parts))[PREFIX_BYTES:])

    def on_failed(self, code: Code, why: str) -> None:
        if not self.answer.done():
            self.answer.set_exception(RpcError(code, why))


class Http2Stream:
    """Messages both ways."""

    def __init__(self, connection: Connection) -> None:
        self.stream = self.window = self.received = 0
        self._connection = connection
        self._messages: deque[bytes] = deque()
        self._rest = bytearray()
        self._ended = False
        self._failure: RpcError | None = None
        self._reader: asyncio.Future[None] | None = None

    def send(self, message: bytes) -> None:
        if not self._ended:
            self._connection.send(self, _message(message), end=False)

    async def read(self) -> bytes | None:
        while not self._messages:
            if self._failure is not None:
                raise self._failure
            if self._ended:
                return None
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        return self._messages.popleft()

    def cancel(self) -> None:
        self._ended = True
        self._connection.cancel(self)
        self._wake()

    def on_data(self, data: bytes) -> None:
        self._rest += data
        while len(self._rest) >= PREFIX_BYTES:
            end = PREFIX_BYTES + int.from_bytes(self._rest[1:PREFIX_BYTES], "big")
            if len(self._rest) < end:
                break
            self._messages.append(bytes(self._rest[PREFIX_BYTES:end]))
            del self._rest[:end]
        self._wake()

    def on_headers(self, headers: Headers, end: bool) -> None:
        if end:
            self._ended = True
            self._failure = _failure(headers)
            self._wake()

    def on_failed(self, code: Code, why: str) -> None:
        self._ended = True
        self._failure = RpcError(code, why)
        self._wake()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)


def _failure(trailers: Headers) -> RpcError | None:
    status = trailers.get("grpc-status")
    if status == "0":
        return None
    if status is None:
        return RpcError(Code.UNAVAILABLE, f"HTTP status {trailers.get(':status')} without a gRPC status")
    code = CODES.get(int(status), Code.UNKNOWN) if status.isdecimal() else Code.UNKNOWN
    return RpcError(code, unquote(trailers.get("grpc-message", "")))


def _message(data: bytes) -> bytes:
    return b"\x00" + len(data).to_bytes(4, "big") + data


def _request_headers(scheme: str, authority: str, path: str, name: str) -> bytes:
    headers = [
        (":method", "POST"), (":scheme", scheme), (":path", path), (":authority", authority), ("te", "trailers"),
        ("content-type", "application/grpc"), ("user-agent", "skiff"),
    ]  # fmt: skip
    if name == "Watch":
        headers.append(("hasleader", "true"))  # a member cut off from its cluster ends the stream
    else:
        headers.append(("grpc-timeout", f"{CALL_SECONDS:.0f}S"))
    return header_blocks.encode(headers)
