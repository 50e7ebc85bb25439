"""Streams of exec and port-forward, over a connection in memory."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from kube.component import spdy_frames as frames
from kubelet.streaming import port_forward, remote_command, spdy_client, websocket
from kubelet.streaming.door import asked, ports_of
from kubelet.streaming.remote_command import ERROR, RESIZE, STDERR, STDIN, STDOUT
from kubelet.streaming.spdy import LARGEST_BACKLOG, Connection
from kubelet.streaming.target import Network, Refused

PATIENCE_SECONDS = 10.0


class Wire:
    """A `Transport`, with the client's end in the test's hand."""

    def __init__(self) -> None:
        self._to_server: asyncio.Queue[bytes] = asyncio.Queue()
        self.received: asyncio.Queue[frames.Frame] = asyncio.Queue()
        self.writer = frames.Writer()
        self._reader = frames.Reader()
        self._said: dict[int, bytes] = {}  # on each stream: they end in an order of their own
        self._ended: set[int] = set()
        self.closed = False

    async def read(self) -> bytes:
        return await self._to_server.get()

    async def write(self, data: bytes) -> None:
        for frame in self._reader.feed(data):
            self.received.put_nowait(frame)

    async def close(self) -> None:
        self.closed = True

    def open(self, number: int, **headers: str) -> None:
        self._to_server.put_nowait(self.writer.opened(number, headers))

    def send(self, number: int, data: bytes, fin: bool = False) -> None:
        self._to_server.put_nowait(self.writer.data(number, data, fin))

    def ping(self, number: int) -> None:
        self._to_server.put_nowait(self.writer.ping(number))

    def leave(self) -> None:
        self._to_server.put_nowait(b"")

    async def told(self, number: int) -> bytes:
        """What the server says on a stream, until it ends it."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while number not in self._ended:
                frame = await self.received.get()
                if isinstance(frame, frames.Data):
                    self._said[frame.stream] = self._said.get(frame.stream, b"") + frame.data
                    if frame.fin:
                        self._ended.add(frame.stream)
        return self._said[number]


@dataclass
class Echo:
    """A process that says what it was told, and ends with its stdin."""

    code: int = 0
    sizes: list[tuple[int, int]] = field(default_factory=list)
    told: "asyncio.Queue[bytes]" = field(default_factory=asyncio.Queue)

    async def frames(self) -> AsyncIterator[tuple[int, bytes]]:
        yield STDERR, b"ready"
        while data := await self.told.get():
            yield STDOUT, data

    async def send(self, data: bytes) -> None:
        self.told.put_nowait(data)

    async def close_stdin(self) -> None:
        self.told.put_nowait(b"")

    async def resize(self, width: int, height: int) -> None:
        self.sizes.append((width, height))

    async def exit_code(self) -> int:
        return self.code

    def close(self) -> None:
        self.told.put_nowait(b"")


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[Wire, Connection, "asyncio.Task[None]"]]:
    wire = Wire()
    connection = Connection(wire)
    running = asyncio.ensure_future(connection.run())
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            yield wire, connection, running
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def run(scenario: Callable[[Wire, Connection, "asyncio.Task[None]"], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with connected() as (wire, connection, running):
            await scenario(wire, connection, running)

    asyncio.run(whole())


def test_a_command_over_spdy_hears_its_stdin_and_tells_its_exit_code() -> None:
    """Rule: upstream k8s.io/kubelet/pkg/cri/streaming/remotecommand"""

    async def scenario(wire: Wire, connection: Connection, running: "asyncio.Task[None]") -> None:
        process = Echo(code=3)
        for number, name in ((1, "error"), (3, "stdin"), (5, "stdout"), (7, "stderr"), (9, "resize")):
            wire.open(number, streamType=name)
        wire.send(9, b'{"Width":80,"Height":24}\n{"Width":81,')
        wire.send(9, b'"Height":25}\n')
        wire.send(3, b"hello")
        streams = await spdy_client.opened(connection, frozenset((ERROR, STDIN, STDOUT, STDERR, RESIZE)))
        client = spdy_client.SpdyClient(connection, streams, 4, running)
        joined = asyncio.ensure_future(remote_command.join(client, process, tells_exit_code=True))
        wire.send(3, b" there", fin=True)
        await joined
        said: dict[int, bytes] = {}
        while not wire.received.empty():
            frame = wire.received.get_nowait()
            if isinstance(frame, frames.Data):
                said[frame.stream] = said.get(frame.stream, b"") + frame.data
        assert (said[5], said[7]) == (b"hello there", b"ready")
        assert b'"reason":"NonZeroExitCode"' in said[1]
        assert process.sizes == [(80, 24), (81, 25)]
        assert wire.closed

    run(scenario)


def test_a_ping_is_answered_and_a_stream_too_many_refused() -> None:
    async def scenario(wire: Wire, connection: Connection, running: "asyncio.Task[None]") -> None:
        wire.ping(1)
        assert await wire.received.get() == frames.Ping(1)
        for number in range(1, 2004, 2):
            wire.open(number)
        last = [await wire.received.get() for _ in range(1002)][-1]
        assert last == frames.Reset(2003, frames.REFUSED_STREAM)

    run(scenario)


def test_a_stream_that_nobody_reads_holds_the_connection_not_the_memory() -> None:
    """What if a client sends more than the process takes?"""

    async def scenario(wire: Wire, connection: Connection, running: "asyncio.Task[None]") -> None:
        wire.open(1)
        for _ in range(20):
            wire.send(1, bytes(LARGEST_BACKLOG // 4))
        wire.ping(1)
        async for stream in connection.accepted():
            total = 0
            assert await wire.received.get() == frames.Accepted(1)
            assert wire.received.empty()  # the ping stands behind what is not read
            while total < 5 * LARGEST_BACKLOG:
                total += len(await stream.read())
            assert await wire.received.get() == frames.Ping(1)
            return

    run(scenario)


def test_every_connection_of_a_port_forward_ends_by_itself() -> None:
    """Rule: upstream k8s.io/kubelet/pkg/cri/streaming/portforward"""

    async def upper(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.read()).upper())  # to the end of what the client says
        writer.close()

    async def scenario(wire: Wire, connection: Connection, running: "asyncio.Task[None]") -> None:
        server = await asyncio.start_server(upper, "127.0.0.1", 0)
        port = str(server.sockets[0].getsockname()[1])
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            free = str(probe.getsockname()[1])
        forwarding = asyncio.ensure_future(port_forward.forward_spdy(connection, Network(0, "pod_ns", "uid")))
        for number, request, where in ((1, "0", port), (5, "1", port), (9, "2", free), (13, "3", "70000")):
            wire.open(number, streamType="error", port=where, requestID=request)
            wire.open(number + 2, streamType="data", port=where, requestID=request)
        wire.send(7, b"second", fin=True)
        assert await wire.told(7) == b"SECOND"
        assert b"dial tcp4 127.0.0.1:%s: connect: connection refused" % free.encode() in await wire.told(9)
        wire.send(3, b"first", fin=True)
        assert await wire.told(3) == b"FIRST"
        wire.leave()
        await forwarding
        server.close()
        await server.wait_closed()

    run(scenario)


def test_a_client_that_leaves_ends_its_connections() -> None:
    async def scenario(wire: Wire, connection: Connection, running: "asyncio.Task[None]") -> None:
        there, gone = asyncio.Event(), asyncio.Event()

        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            there.set()
            await reader.read()
            gone.set()
            writer.close()

        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        forwarding = asyncio.ensure_future(port_forward.forward_spdy(connection, Network(0, "pod_ns", "uid")))
        where = str(server.sockets[0].getsockname()[1])
        wire.open(1, streamType="error", port=where, requestID="0")
        wire.open(3, streamType="data", port=where, requestID="0")
        await there.wait()
        wire.leave()
        await forwarding
        await gone.wait()
        server.close()
        await server.wait_closed()

    run(scenario)


def test_the_newest_protocol_that_both_know_is_spoken() -> None:
    """Rule: KEP-4006; upstream k8s.io/apimachinery/pkg/util/remotecommand/constants.go"""
    assert websocket.chosen(["v4.channel.k8s.io", "v5.channel.k8s.io"]) == "v5.channel.k8s.io"
    assert websocket.chosen(["base64.channel.k8s.io"]) == "base64.channel.k8s.io"
    assert websocket.chosen([]) == ""
    assert websocket.chosen(["v9.channel.k8s.io"]) is None
    assert spdy_client.chosen(["v4.channel.k8s.io", "v3.channel.k8s.io"]) == "v4.channel.k8s.io"
    assert spdy_client.chosen([]) == "channel.k8s.io"


def test_a_terminal_has_no_stderr_and_a_size() -> None:
    streams = spdy_client.expected(4, stdin=True, stdout=True, stderr=True, tty=True)
    assert streams == {ERROR, STDIN, STDOUT, RESIZE}
    assert spdy_client.expected(2, stdin=False, stdout=True, stderr=True, tty=False) == {ERROR, STDOUT, STDERR}


def test_a_path_tells_what_is_asked_for() -> None:
    short, long = asked("/exec/ns/pod/main", "input=1&command=a&command=b&tty=1&error=1"), asked("/attach/ns/pod/uid/main", "")
    assert short is not None
    assert long is not None
    assert (short.verb, short.pod, short.container, short.query["command"]) == ("exec", "pod", "main", ["a", "b"])
    assert short.streams == {"stdin": True, "stdout": False, "stderr": False, "tty": True}
    assert (long.verb, long.container) == ("attach", "main")
    assert asked("/pods", "") is None


@pytest.mark.parametrize("query", [{}, {"ports": ["x"]}, {"ports": ["0"]}, {"ports": ["80,70000"]}])
def test_ports_that_are_none_are_refused(query: dict[str, list[str]]) -> None:
    with pytest.raises(Refused):
        ports_of(query)
