"""HTTP/2: one client connection, as far as gRPC needs it — streams, both flow controls, pings, the end of a connection.

Why not a library: grpc.aio costs 85 to 150 µs of CPU a call, this 16 to 29; see docs/decisions. What makes it cheap:
- requests of one turn of the loop leave in one write, those of a long turn (TOGETHER_SECONDS) in some: etcd works on the first
  while we work on the others;
- the header blocks that are sent are the same bytes for each call of a method (no indexing, so no state);
- etcd measures its connection by a PING for each message, as long as none is unanswered: an answer in its own time
  (PONG_AFTER_SECONDS) saves both sides a write and a read a call;
- HEADER_TABLE_SIZE is 0, so that a received block means the same whenever it comes, and is decoded once;
- the windows for receiving are as large as they can be: etcd's watch never waits for us to read.

What was received is handed to `Call` objects, which live in http2_channel.py. RFC 9113; header blocks are header_blocks.py's.
"""

import asyncio
import struct
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from apiserver.storage import header_blocks
from apiserver.storage.rpc import Code

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
END_STREAM = ACK = 1
END_HEADERS, PADDED, PRIORITY = 4, 8, 32
HEADER_TABLE_SIZE, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE = 1, 3, 4, 5
CANCEL, REFUSED_STREAM = 8, 7
LARGEST_WINDOW = 2**31 - 1
CREDIT_AT = 2**30  # so much received, and the windows are filled up again
DEFAULT_WINDOW, DEFAULT_FRAME = 65_535, 16_384
PONG_AFTER_SECONDS = 0.1
TOGETHER_SECONDS = 0.0003  # how long what is written waits for company
BLOCKS = 256  # decoded header blocks to keep; errors with a text of their own would pile up

_HEAD = struct.Struct(">BHBBI")  # length (in two parts), type, flags, stream
_SETTING = struct.Struct(">HI")
Headers = dict[str, str]


class Call(Protocol):
    """Who gets what comes on a stream."""

    stream: int
    window: int  # how much may still be sent
    received: int  # since the stream's window was last filled up

    def on_headers(self, headers: Headers, end: bool) -> None: ...
    def on_data(self, data: bytes) -> None: ...
    def on_failed(self, code: Code, why: str) -> None: ...


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    size = len(payload)
    return _HEAD.pack(size >> 16, size & 0xFFFF, kind, flags, stream) + payload


class Connection(asyncio.Protocol):
    """`ready` is done when the server has said how it wants to be spoken to. `on_end` is called once: nothing more can be sent."""

    def __init__(self, on_end: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self.ready: asyncio.Future[None] = self._loop.create_future()
        self.calls: dict[int, Call] = {}  # by stream
        self.pings_answered = 0
        self._on_end = on_end
        self._transport: Any = None
        self._next = 1
        self._ended = False
        self._rest = b""
        self._out: list[bytes] = []
        self._waits_since = 0.0  # the first of them
        self._window = DEFAULT_WINDOW
        self._received = 0
        self._initial_window = DEFAULT_WINDOW
        self._largest_frame = DEFAULT_FRAME
        self._most_streams = LARGEST_WINDOW
        self._blocked: deque[tuple[Call, bytes, bool]] = deque()  # data that no window has room for yet, in order
        self._waiting: deque[tuple[Call, bytes, bytes, bool]] = deque()  # calls beyond the server's limit of streams
        self._decoded: dict[bytes, Headers] = {}
        self._block: tuple[int, int, bytes] | None = None  # stream, flags and the block so far, until its last part

    # -- sending

    @property
    def usable(self) -> bool:
        return not self._ended and self.ready.done()

    def open(self, call: Call, headers: bytes, message: bytes, *, end: bool) -> None:
        """Begin a stream; `end`: this is all that will be sent on it."""
        if len(self.calls) >= self._most_streams:
            self._waiting.append((call, headers, message, end))
            return
        stream = call.stream = self._next
        self._next += 2
        self.calls[stream] = call
        call.window = self._initial_window
        self._write(frame(HEADERS, END_HEADERS, stream, headers))
        self.send(call, message, end=end)
        if self._next > LARGEST_WINDOW:  # stream numbers are used up
            self._end()

    def send(self, call: Call, data: bytes, *, end: bool) -> None:
        """More on an open stream; nothing where it still waits for its turn."""
        if not call.stream:
            return
        size = len(data)
        if self._blocked or size > self._window or size > call.window or size > self._largest_frame:
            self._blocked.append((call, data, end))
            self._send_blocked()
            return
        self._window -= size
        call.window -= size
        self._write(frame(DATA, END_STREAM if end else 0, call.stream, data))
        if time.monotonic() - self._waits_since > TOGETHER_SECONDS:
            self._flush()

    def cancel(self, call: Call) -> None:
        """Nobody wants the answer any longer."""
        if self.calls.pop(call.stream, None) is not None:
            self._write(frame(RST_STREAM, 0, call.stream, CANCEL.to_bytes(4, "big")))
            self._blocked = deque(item for item in self._blocked if item[0] is not call)
            self._open_waiting()
        else:
            self._waiting = deque(item for item in self._waiting if item[0] is not call)

    def ping(self) -> None:
        self._write(frame(PING, 0, 0, bytes(8)))

    def _pong(self, payload: bytes) -> None:
        self._write(frame(PING, ACK, 0, payload))

    def close(self) -> None:
        self._end()
        if self._transport is not None:
            self._transport.abort()

    def _send_blocked(self) -> None:
        while self._blocked:
            call, data, end = self._blocked[0]
            room = min(self._window, call.window, self._largest_frame)
            if room <= 0 and data:
                return
            part, rest = data[:room], data[room:]
            self._window -= len(part)
            call.window -= len(part)
            self._write(frame(DATA, END_STREAM if end and not rest else 0, call.stream, part))
            if rest:
                self._blocked[0] = (call, rest, end)
            else:
                self._blocked.popleft()

    def _open_waiting(self) -> None:
        while self._waiting and len(self.calls) < self._most_streams and not self._ended:
            call, headers, message, end = self._waiting.popleft()
            self.open(call, headers, message, end=end)

    def _write(self, data: bytes) -> None:
        if not self._out:
            self._loop.call_soon(self._flush)
            self._waits_since = time.monotonic()
        self._out.append(data)

    def _flush(self) -> None:
        if not self._out:
            return  # it has left before
        out, self._out = self._out, []
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join(out))

    # -- receiving

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._transport.set_write_buffer_limits(0)  # what is written leaves at once, not at the end of the loop's turn
        settings = _SETTING.pack(HEADER_TABLE_SIZE, 0) + _SETTING.pack(INITIAL_WINDOW_SIZE, LARGEST_WINDOW)
        more = (LARGEST_WINDOW - DEFAULT_WINDOW).to_bytes(4, "big")
        self._transport.write(PREFACE + frame(SETTINGS, 0, 0, settings) + frame(WINDOW_UPDATE, 0, 0, more))

    def data_received(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
        at, size = 0, len(data)
        while size - at >= _HEAD.size:
            high, low, kind, flags, stream = _HEAD.unpack_from(data, at)
            begin = at + _HEAD.size
            end = begin + (high << 16 | low)
            if end > size:
                break
            self._on_frame(kind, flags, stream & LARGEST_WINDOW, data[begin:end])
            at = end
        self._rest = data[at:]

    def connection_lost(self, error: Exception | None) -> None:
        self._end()
        why = f"the connection was lost: {error}" if error else "the connection was closed"
        if not self.ready.done():
            self.ready.set_exception(ConnectionError(why))
        calls, self.calls = self.calls, {}
        waiting, self._waiting = self._waiting, deque()
        for call in [*calls.values(), *(item[0] for item in waiting)]:
            call.on_failed(Code.UNAVAILABLE, why)

    def _end(self) -> None:
        if not self._ended:
            self._ended = True
            self._on_end()

    def _on_frame(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == DATA:
            self._on_data(flags, stream, payload)
        elif kind == HEADERS:
            block = _without(payload, flags)
            self._on_block(stream, flags, block)
        elif kind == CONTINUATION and self._block is not None:
            first, before, block = self._block
            self._on_block(first, before & ~END_HEADERS | flags & END_HEADERS, block + payload)
        elif kind == WINDOW_UPDATE:
            self._on_window(stream, int.from_bytes(payload, "big"))
        elif kind == PING:
            if flags & ACK:
                self.pings_answered += 1
            else:
                self._loop.call_later(PONG_AFTER_SECONDS, self._pong, payload)
        elif kind == SETTINGS and not flags & ACK:
            self._on_settings(payload)
        elif kind == RST_STREAM:
            self._fail(stream, Code.UNAVAILABLE, f"the stream was reset: error {int.from_bytes(payload, 'big')}")
        elif kind == GOAWAY:
            self._on_goaway(int.from_bytes(payload[:4], "big"))

    def _on_data(self, flags: int, stream: int, payload: bytes) -> None:
        size = len(payload)
        self._received += size
        if self._received > CREDIT_AT:
            self._write(frame(WINDOW_UPDATE, 0, 0, self._received.to_bytes(4, "big")))
            self._received = 0
        call = self.calls.get(stream)
        if call is None:
            return  # cancelled
        call.received += size
        if call.received > CREDIT_AT:
            self._write(frame(WINDOW_UPDATE, 0, stream, call.received.to_bytes(4, "big")))
            call.received = 0
        call.on_data(_without(payload, flags & PADDED))
        if flags & END_STREAM:
            self._fail(stream, Code.INTERNAL, "the stream ended without a status")

    def _on_block(self, stream: int, flags: int, block: bytes) -> None:
        if not flags & END_HEADERS:
            self._block = (stream, flags, block)
            return
        self._block = None
        headers = self._decoded.get(block) or self._decode(block)
        if headers is None:
            self._fail(stream, Code.INTERNAL, "headers cannot be read")
            self._transport.abort()
            return
        end = bool(flags & END_STREAM)
        call = self.calls.pop(stream, None) if end else self.calls.get(stream)
        if call is not None:
            call.on_headers(headers, end)
        if end and self._waiting:
            self._open_waiting()

    def _decode(self, block: bytes) -> Headers | None:
        try:
            headers = header_blocks.decode(block)
        except header_blocks.HeaderError:
            return None
        if len(self._decoded) >= BLOCKS:
            self._decoded.clear()
        self._decoded[block] = headers
        return headers

    def _on_window(self, stream: int, more: int) -> None:
        if stream == 0:
            self._window += more
        elif (call := self.calls.get(stream)) is not None:
            call.window += more
        if self._blocked:
            self._send_blocked()

    def _on_settings(self, payload: bytes) -> None:
        for name, value in _SETTING.iter_unpack(payload):
            if name == INITIAL_WINDOW_SIZE:
                for call in self.calls.values():
                    call.window += value - self._initial_window
                self._initial_window = value
            elif name == MAX_FRAME_SIZE:
                self._largest_frame = value
            elif name == MAX_CONCURRENT_STREAMS:
                self._most_streams = value
        self._write(frame(SETTINGS, ACK, 0, b""))
        if not self.ready.done():
            self.ready.set_result(None)
        self._send_blocked()
        self._open_waiting()

    def _on_goaway(self, last: int) -> None:
        """No new streams; those up to `last` are still answered."""
        self._end()
        for stream in [stream for stream in self.calls if stream > last]:
            self._fail(stream, Code.UNAVAILABLE, "the server goes away")
        waiting, self._waiting = self._waiting, deque()
        for call, *_ in waiting:
            call.on_failed(Code.UNAVAILABLE, "the server goes away")
        if not self.calls:
            self._transport.close()

    def _fail(self, stream: int, code: Code, why: str) -> None:
        call = self.calls.pop(stream, None)
        if call is not None:
            call.on_failed(code, why)
            self._open_waiting()


def _without(payload: bytes, flags: int) -> bytes:
    """The payload without padding and priority."""
    if flags & PADDED:
        payload = payload[1 : len(payload) - payload[0]]
    return payload[5:] if flags & PRIORITY else payload
