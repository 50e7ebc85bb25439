"""SPDY clients of exec and attach: they open a stream for each channel that they asked for, and then it begins.

upstream k8s.io/kubelet/pkg/cri/streaming/remotecommand/httpstream.go
"""

import asyncio
import json
from collections.abc import Mapping, Sequence

from kubelet.streaming.remote_command import CLOSE, ERROR, RESIZE, STDERR, STDIN, STDOUT, Take
from kubelet.streaming.spdy import Connection, Stream

# As the header X-Stream-Protocol-Version names them, in the order in which a server chooses.
PROTOCOLS = {"v4.channel.k8s.io": 4, "v3.channel.k8s.io": 3, "v2.channel.k8s.io": 2, "channel.k8s.io": 1}
RESIZE_VERSION = 3
CHANNELS = {"stdin": STDIN, "stdout": STDOUT, "stderr": STDERR, "error": ERROR, "resize": RESIZE}
STREAMS_SECONDS = 30.0  # for the client to open its streams


def chosen(offered: Sequence[str]) -> str | None:
    """The newest protocol that both know; a client that names none speaks the first one."""
    return next((one for one in PROTOCOLS if one in (offered or ("channel.k8s.io",))), None)


def expected(version: int, *, stdin: bool, stdout: bool, stderr: bool, tty: bool) -> frozenset[int]:
    """The channels that the client opens. Pure."""
    wanted = {ERROR: True, STDIN: stdin, STDOUT: stdout, STDERR: stderr and not tty, RESIZE: tty and version >= RESIZE_VERSION}
    return frozenset(channel for channel, asked in wanted.items() if asked)


class SpdyClient:
    """A `remote_command.Client`."""

    def __init__(self, connection: Connection, streams: Mapping[int, Stream], version: int, left: "asyncio.Task[None]") -> None:
        self.version = version
        self._connection = connection
        self._streams = streams
        self._left = left  # ends when the client leaves

    async def listen(self, take: Take) -> None:
        pumps = [asyncio.ensure_future(self._pump(channel, take)) for channel in (STDIN, RESIZE) if channel in self._streams]
        try:
            await asyncio.wait({self._left})
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)

    async def _pump(self, channel: int, take: Take) -> None:
        stream, rest = self._streams[channel], ""
        while data := await stream.read():
            if channel == STDIN:
                await take(STDIN, data)
                continue
            rest += data.decode(errors="replace")
            sizes, rest = whole_objects(rest)
            for size in sizes:
                await take(RESIZE, size.encode())
        if channel == STDIN:
            await take(CLOSE, bytes([STDIN]))

    async def send(self, channel: int, data: bytes) -> None:
        stream = self._streams.get(channel)
        if stream is not None:  # what was not asked for is nobody's
            await stream.write(data)

    async def close(self) -> None:
        for stream in self._streams.values():
            await stream.end()
        await self._connection.close()


def whole_objects(text: str) -> tuple[list[str], str]:
    """The JSON objects at the beginning of a stream of them, and what is left. Pure."""
    found: list[str] = []
    text = text.lstrip()
    while text:
        try:
            _, end = json.JSONDecoder().raw_decode(text)
        except ValueError:
            break
        found.append(text[:end])
        text = text[end:].lstrip()
    return found, text


async def opened(connection: Connection, wanted: frozenset[int]) -> dict[int, Stream]:
    """The client's streams, once all are there. Raises TimeoutError; ConnectionError where the client leaves."""
    found: dict[int, Stream] = {}
    async with asyncio.timeout(STREAMS_SECONDS):
        async for stream in connection.accepted():
            channel = CHANNELS.get(stream.headers.get("streamtype", ""))
            if channel is None or channel in found:
                await stream.reset()
                continue
            found[channel] = stream
            if wanted <= found.keys():
                return found
    raise ConnectionResetError("the client left before it opened its streams")
