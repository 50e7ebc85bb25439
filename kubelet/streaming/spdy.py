"""SPDY streams: the server's end of a SPDY/3.1 connection, over whatever carries its bytes.

Promise
- Each stream is read and written by itself, and each way ends by itself (half-close).
- What a stream's reader has not taken yet is bounded: beyond LARGEST_BACKLOG the whole connection waits, as TCP would.
- When the connection ends, every stream ends.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Protocol

from kube.component import spdy_frames as frames

LARGEST_BACKLOG = 1 << 20  # bytes
MOST_STREAMS = 1000  # open at once


class Transport(Protocol):
    """What carries the bytes."""

    async def read(self) -> bytes:
        """What comes next; empty at the end."""

    async def write(self, data: bytes) -> None:
        """Raises ConnectionError where nobody reads any longer. Returns once there is room for more."""

    async def close(self) -> None: ...


class Stream:
    """One stream, as the server has it."""

    def __init__(self, connection: "Connection", number: int, headers: Mapping[str, str]) -> None:
        self.number = number
        self.headers = headers
        self._connection = connection
        self._backlog: deque[bytes] = deque()
        self._bytes = 0
        self._ended = False  # by the client
        self._closed = False  # by us
        self._changed = asyncio.Event()

    @property
    def done(self) -> bool:
        return self._ended and self._closed

    async def read(self) -> bytes:
        """What comes next; empty once the client has ended it."""
        while not self._backlog:
            if self._ended:
                return b""
            self._changed.clear()
            await self._changed.wait()
        data = self._backlog.popleft()
        self._bytes -= len(data)
        self._changed.set()
        return data

    async def write(self, data: bytes) -> None:
        """Raises ConnectionError."""
        if self._closed:
            raise ConnectionResetError(f"stream {self.number} is closed")
        if data:
            await self._connection.send(self._connection.writer.data(self.number, data))

    async def end(self) -> None:
        """Nothing more from us."""
        if not self._closed:
            self._closed = True
            with suppress(ConnectionError):
                await self._connection.send(self._connection.writer.data(self.number, b"", fin=True))
            self._connection.forget(self)

    async def reset(self) -> None:
        """Nothing more, in either direction."""
        if not self.done:
            self._closed = True
            self.ended()
            with suppress(ConnectionError):
                await self._connection.send(self._connection.writer.reset(self.number))
            self._connection.forget(self)

    def ended(self) -> None:
        """The client sends nothing more."""
        self._ended = True
        self._changed.set()
        self._connection.forget(self)

    def closed(self) -> None:
        """The client reads nothing more."""
        self._closed = True
        self.ended()

    async def put(self, data: bytes) -> None:
        """From the client; waits for room."""
        if not data or self._ended:
            return
        self._backlog.append(data)
        self._bytes += len(data)
        self._changed.set()
        while self._bytes > LARGEST_BACKLOG and not self._ended:
            self._changed.clear()
            await self._changed.wait()


class Connection:
    """`run` it while its streams are used, then `close` it."""

    def __init__(self, transport: Transport) -> None:
        self.writer = frames.Writer()
        self._transport = transport
        self._reader = frames.Reader()
        self._streams: dict[int, Stream] = {}
        self._last = 0
        self._new: asyncio.Queue[Stream | None] = asyncio.Queue()
        self._lock = asyncio.Lock()

    async def run(self) -> None:
        """Take what comes, until the client leaves or breaks the rules."""
        try:
            while data := await self._transport.read():
                for frame in self._reader.feed(data):
                    await self._take(frame)
        except (frames.ProtocolError, ConnectionError):
            pass
        finally:
            for stream in list(self._streams.values()):
                stream.closed()
            self._new.put_nowait(None)

    async def accepted(self) -> AsyncIterator[Stream]:
        """New streams, until the client leaves."""
        while (stream := await self._new.get()) is not None:
            yield stream

    async def send(self, data: bytes) -> None:
        """Raises ConnectionError. Frames go out whole, one after another."""
        async with self._lock:
            await self._transport.write(data)

    async def close(self) -> None:
        with suppress(ConnectionError):
            await self.send(self.writer.go_away(self._last))
        await self._transport.close()

    def forget(self, stream: Stream) -> None:
        if stream.done:
            self._streams.pop(stream.number, None)

    async def _take(self, frame: frames.Frame) -> None:
        match frame:
            case frames.Opened():
                await self._open(frame)
            case frames.Data() if frame.stream in self._streams:
                stream = self._streams[frame.stream]
                await stream.put(frame.data)
                if frame.fin:
                    stream.ended()
            case frames.Reset() if frame.stream in self._streams:
                self._streams[frame.stream].closed()
            case frames.Ping() if frame.number % 2:  # odd: the client's; even would be answers to our own
                await self.send(self.writer.ping(frame.number))

    async def _open(self, frame: frames.Opened) -> None:
        if frame.stream <= self._last or frame.stream % 2 == 0:
            raise frames.ProtocolError(f"stream {frame.stream} after {self._last}")
        self._last = frame.stream
        if len(self._streams) >= MOST_STREAMS:
            await self.send(self.writer.reset(frame.stream, frames.REFUSED_STREAM))
            return
        stream = self._streams[frame.stream] = Stream(self, frame.stream, frame.headers)
        await self.send(self.writer.accepted(frame.stream))
        if frame.fin:
            stream.ended()
        self._new.put_nowait(stream)
