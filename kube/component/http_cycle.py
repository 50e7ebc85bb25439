"""HTTP cycle: one request and its answer on a connection — what stands between the parser and the ASGI app.

It takes the place of uvicorn's RequestResponseCycle, for speed: head and body leave in one write where they can (over TLS, one
record), nothing is logged, and what the parser guarantees is not checked again. Two more are in scope["extensions"], beside ASGI's
messages and without a coroutine: `answer` writes a whole answer at once; `push`, for watches, a piece of a streamed body, and tells
whether the client keeps up; whoever uses it must listen to that.
https://asgi.readthedocs.io/en/latest/specs/www.html
"""

import asyncio
import http
from collections.abc import Callable
from typing import Any

from kube.component.uvicorn_parts import FlowControl

SLICE_BYTES = 1 << 19  # of a large body, at once; as much as a connection over TLS keeps for the socket
TAKEN_WITHIN_SECONDS = 60.0  # each of them
JOINED_BYTES = 16_384  # up to here head and body are joined; larger bodies are not copied


def _status_line(code: int) -> bytes:
    phrase = http.HTTPStatus(code).phrase if code in http.HTTPStatus._value2member_map_ else ""
    return f"HTTP/1.1 {code} {phrase}\r\n".encode()


STATUS_LINES = {code: _status_line(code) for code in range(100, 600)}
NO_BODY = (204, 304)
FAILED = b"Internal Server Error"


def chunk_of(piece: bytes) -> bytes:
    """A piece of a body in chunked coding (RFC 9112 section 7.1)."""
    return b"%x\r\n%b\r\n" % (len(piece), piece)


class Cycle:
    """The attributes without underscore are those that uvicorn's protocol sets and reads."""

    __slots__ = (
        "_chunked", "_default_headers", "_head", "_news", "_on_response", "_started", "_waiter", "body", "disconnected", "flow",
        "keep_alive", "more_body", "response_complete", "scope", "transport", "waiting_for_100_continue",
    )  # fmt: skip

    def __init__(
        self,
        scope: Any,
        transport: Any,
        flow: FlowControl,
        default_headers: list[tuple[bytes, bytes]],
        keep_alive: bool,
        expect_100_continue: bool,
        on_response: Callable[[], None],
    ) -> None:
        self.scope = scope
        self.transport = transport
        self.flow = flow
        self.keep_alive = keep_alive
        self.waiting_for_100_continue = expect_100_continue
        self.body = bytearray()
        self.more_body = True
        self.disconnected = False
        self.response_complete = False
        self._news = False  # something came that `receive` has not told yet
        self._default_headers = default_headers
        self._on_response: Callable[[], None] | None = on_response
        self._waiter: asyncio.Future[None] | None = None
        self._head = b""  # not sent yet
        self._started = False
        self._chunked = False

    async def run(self, app: Any) -> None:
        """The request's task. What an app leaves undone ends here: with an answer where none began, else with the connection."""
        try:
            await app(self.scope, self.receive, self.send)
        finally:
            if not self.response_complete and not self.disconnected:
                self._give_up()
            self._on_response = None
            self.scope = {}  # which has `push` in it: nothing shall wait for the cycle collector

    # -- the ASGI interface

    async def receive(self) -> dict[str, Any]:
        if self.waiting_for_100_continue and not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.waiting_for_100_continue = False
        if not self.disconnected and not self.response_complete:
            self.flow.resume_reading()
            if not self._news:
                self._waiter = asyncio.get_running_loop().create_future()
                await self._waiter
            self._news = False
        if self.disconnected or self.response_complete:
            return {"type": "http.disconnect"}
        body, self.body = bytes(self.body), bytearray()
        return {"type": "http.request", "body": body, "more_body": self.more_body}

    async def send(self, message: Any) -> None:
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        if message["type"] == "http.response.start":
            assert not self._started, "an answer begins once"
            self._begin(message["status"], message.get("headers", ()))
            return
        assert self._started, "a body has a head before it"
        assert not self.response_complete, "nothing follows the end of an answer"
        body, more = message.get("body", b""), bool(message.get("more_body", False))
        if len(body) > SLICE_BYTES and not self._chunked and self.scope["method"] != "HEAD":
            body = await self._last_slice(body)
        if not self.disconnected:
            self._write(body, more)

    async def _last_slice(self, body: bytes) -> memoryview:
        """Write a large body up to its last slice, as the connection takes it and with others' turns in between: to encrypt 20 MB
        takes 20 ms, and as much memory again."""
        rest = memoryview(body)
        while len(rest) > SLICE_BYTES and not self.disconnected:
            self._write(rest[:SLICE_BYTES], True)
            rest = rest[SLICE_BYTES:]
            await (self._taken() if self.flow.write_paused else asyncio.sleep(0))
        return rest

    async def _taken(self) -> None:
        """Until the connection has room again; a client that takes nothing for so long is cut off."""
        try:
            async with asyncio.timeout(TAKEN_WITHIN_SECONDS):
                await self.flow.drain()
        except TimeoutError:
            self.disconnected = True
            self.transport.abort()

    def answer(self, status: int, headers: bytes, body: bytes) -> bool:
        """All there is to say; each header with its line's end, Content-Length among them. False: the connection is full."""
        if self.flow.write_paused and not self.disconnected:
            return False
        if self.disconnected:
            return True
        assert not self._started, "an answer begins once"
        self._started = True
        parts = [STATUS_LINES[status]]
        for name, value in self._default_headers:
            parts += (name, b": ", value, b"\r\n")
        parts += (headers, b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n")
        self._head = b"".join(parts)
        self._write(body, False)
        return True

    def push(self, chunk: bytes) -> bool:
        """Write a piece of a streamed body, as `chunk_of` makes it; False where the connection is full."""
        if not self.disconnected:
            self.transport.write(chunk)
        return not self.flow.write_paused

    # -- for the protocol

    @property
    def message_event(self) -> "Cycle":
        return self

    def set(self) -> None:
        """Something came, or the connection ended."""
        self._news = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # -- writing

    def _begin(self, status: int, headers: Any) -> None:
        self._started = True
        self.waiting_for_100_continue = False
        parts = [STATUS_LINES[status]]
        sized = closes = False
        for name, value in self._default_headers:
            parts += (name, b": ", value, b"\r\n")
        for name, value in headers:
            if b"\n" in value or b"\r" in value or b"\0" in value or b":" in name:
                raise ValueError(f"no header of HTTP: {name!r}: {value!r}")
            if name == b"content-length":
                sized = True
            elif name == b"transfer-encoding":
                sized = self._chunked = value.lower() == b"chunked"
            elif name == b"connection" and b"close" in value.lower():
                self.keep_alive, closes = False, True
            parts += (name, b": ", value, b"\r\n")
        if not self.keep_alive and not closes:
            parts.append(b"connection: close\r\n")
        if not sized and self.scope["method"] != "HEAD" and status not in NO_BODY:
            self._chunked = True
            parts.append(b"transfer-encoding: chunked\r\n")
        parts.append(b"\r\n")
        self._head = b"".join(parts)

    def _write(self, body: bytes | memoryview, more: bool) -> None:
        head, self._head = self._head, b""
        if self.scope["method"] == "HEAD":
            body = b""
        elif self._chunked:
            body = (chunk_of(bytes(body)) if body else b"") + (b"" if more else b"0\r\n\r\n")
        if len(body) <= JOINED_BYTES:
            data = head + body
            if data:
                self.transport.write(data)
        else:
            self.transport.writelines([head, body] if head else [body])
        if not more:
            self._complete()

    def _complete(self) -> None:
        self.response_complete = True
        self.set()
        if not self.keep_alive:
            self.transport.close()
        if self._on_response is not None:
            self._on_response()

    def _give_up(self) -> None:
        if self._started:
            self.transport.write(self._head)
            self.transport.close()
            return
        headers = (
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", b"%d" % len(FAILED)),
            (b"connection", b"close"),
        )
        self._begin(500, headers)
        self._write(FAILED, False)
