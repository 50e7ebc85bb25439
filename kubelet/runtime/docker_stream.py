"""Docker's hijacked streams: exec and attach over the engine's socket, without a thread.

The engine answers `101 UPGRADED` and the connection becomes raw: stdin one way; the other way plain bytes with a terminal, else
frames of an 8-byte header (stream number, three zeros, length) and data.
https://docs.docker.com/reference/api/engine/version/v1.41/#operation/ContainerAttach
"""

import asyncio
import json
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from kubelet.runtime.runtime import RuntimeFailure, RuntimeUnavailable

HEADER = struct.Struct(">BxxxL")
CHUNK = 64 * 1024  # bytes
STDOUT = 1


async def hijack(socket_path: str, url: str, body: dict[str, Any]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """POST, and keep the connection as the stream that it becomes."""
    try:
        reader, writer = await asyncio.open_unix_connection(socket_path)
    except OSError as error:
        raise RuntimeUnavailable(f"cannot connect to {socket_path}: {error}") from error
    content = json.dumps(body).encode()
    head = (
        f"POST {url} HTTP/1.1\r\nHost: engine\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    writer.write(head.encode() + content)
    try:
        answer = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except (asyncio.IncompleteReadError, OSError) as error:
        writer.close()
        raise RuntimeUnavailable(f"the engine closed {url}") from error
    status = answer.split(None, 2)[1]
    if status not in ("101", "200"):
        detail = await reader.read(CHUNK)
        writer.close()
        raise RuntimeFailure(_message(detail) or f"{url}: HTTP {status}")
    return reader, writer


class HijackedSession:
    """One exec or attach; `exit_code` and `resize` are further calls to the engine."""

    def __init__(
        self,
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        *,
        tty: bool,
        exit_code: Callable[[], Awaitable[int]],
        resize: Callable[[int, int], Awaitable[None]],
    ) -> None:
        self._reader, self._writer = streams
        self._tty = tty
        self._exit_code = exit_code
        self._resize = resize

    async def exit_code(self) -> int:
        return await self._exit_code()

    async def resize(self, width: int, height: int) -> None:
        await self._resize(width, height)

    async def frames(self) -> AsyncIterator[tuple[int, bytes]]:
        try:
            while True:
                stream, data = await (self._raw() if self._tty else self._frame())
                if not data and stream == 0:
                    return
                yield stream, data
        except (asyncio.IncompleteReadError, ConnectionError):
            return

    async def _raw(self) -> tuple[int, bytes]:
        data = await self._reader.read(CHUNK)
        return (STDOUT if data else 0), data

    async def _frame(self) -> tuple[int, bytes]:
        stream, length = HEADER.unpack(await self._reader.readexactly(HEADER.size))
        return stream or STDOUT, await self._reader.readexactly(length)

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def close_stdin(self) -> None:
        if self._writer.can_write_eof():
            self._writer.write_eof()

    def close(self) -> None:
        self._writer.close()


def _message(body: bytes) -> str:
    start, end = body.find(b"{"), body.rfind(b"}")
    if start < 0:
        return ""
    try:
        return str(json.loads(body[start : end + 1]).get("message", ""))
    except ValueError:
        return ""
