"""Relay: one address and port that copies bytes to endpoints, by asyncio; TCP connections and UDP flows.

Every connection, and every UDP client, gets the next endpoint in turn; with session affinity the one that its address had last,
for so long after its last connection. An endpoint that cannot be reached is passed over for the next. Where nobody serves, there
is no relay, so that the kernel itself refuses.
"""

import asyncio
import contextlib
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any, NamedTuple, cast

from kube_proxy.rules import Target

CHUNK_BYTES = 1 << 16
CONNECT_SECONDS = 5.0
FEW_CLIENTS = 1000
UDP_IDLE_SECONDS = 60.0
UDP_LOOK_SECONDS = 10.0


class Front(NamedTuple):
    """Where a relay listens."""

    protocol: str  # TCP or UDP
    address: str
    port: int


@dataclass(frozen=True)
class Backs:
    """Where it leads."""

    targets: tuple[Target, ...]
    affinity_seconds: int = 0
    source_ranges: tuple[str, ...] = ()  # empty: everybody


class Turns:
    """Which endpoint is next; it changes under connections that go on."""

    def __init__(self, backs: Backs) -> None:
        self.backs = backs
        self._at = 0
        self._look_at = FEW_CLIENTS
        self._last: dict[str, tuple[Target, float]] = {}  # by client, with affinity

    def allows(self, client: str) -> bool:
        ranges = self.backs.source_ranges
        return not ranges or any(ip_address(client) in ip_network(one) for one in ranges)

    def order(self, client: str) -> Sequence[Target]:
        """All endpoints, in the order in which to try them."""
        targets = self.backs.targets
        if not targets:
            return ()
        target, until = self._last.get(client, (targets[0], 0.0))
        if self.backs.affinity_seconds and time.monotonic() < until and target in targets:
            return (target, *(one for one in targets if one != target))
        self._at = (self._at + 1) % len(targets)
        return (*targets[self._at :], *targets[: self._at])

    def took(self, client: str, target: Target) -> None:
        """Remember where a client was led."""
        if self.backs.affinity_seconds:
            now = time.monotonic()
            self._last[client] = (target, now + self.backs.affinity_seconds)
            if len(self._last) > self._look_at:  # forget those whose time is over, now and then
                self._last = {client: held for client, held in self._last.items() if held[1] > now}
                self._look_at = 2 * len(self._last) + FEW_CLIENTS
        else:
            self._last.clear()


class TcpRelay:
    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def listen(self, address: str, port: int) -> None:
        """Raises OSError."""
        self._server = await asyncio.start_server(self._serve, address, port)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        self._connections.add(task)
        try:
            await self._lead(reader, writer)
        except (OSError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            self._connections.discard(task)
            writer.close()

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = writer.get_extra_info("peername")[0]
        opened = await self._open(client) if self.turns.allows(client) else None
        if opened is None:
            writer.transport.abort()
            return
        back_reader, back_writer = opened
        try:
            await asyncio.gather(_copy(reader, back_writer), _copy(back_reader, writer))
        finally:
            back_writer.close()

    async def _open(self, client: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        for target in self.turns.order(client):
            with contextlib.suppress(OSError, TimeoutError):
                opened = await asyncio.wait_for(asyncio.open_connection(*target), CONNECT_SECONDS)
                self.turns.took(client, target)
                return opened
        return None


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One direction, to its end; the other may go on."""
    while data := await reader.read(CHUNK_BYTES):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof() and not writer.is_closing():
        with contextlib.suppress(OSError):
            writer.write_eof()


class UdpRelay(asyncio.DatagramProtocol):
    """A flow for every client address and port; it ends when it was idle, or when its endpoint is one no more."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self._transport: asyncio.DatagramTransport | None = None
        self._flows: dict[Any, _Flow] = {}
        self._cleaning: asyncio.TimerHandle | None = None

    async def listen(self, address: str, port: int) -> None:
        """Raises OSError."""
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, (address, port))
        self._clean()

    async def close(self) -> None:
        if self._cleaning is not None:
            self._cleaning.cancel()
        for flow in self._flows.values():
            flow.close()
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        flow = self._flows.get(addr)
        if flow is None or flow.target not in self.turns.backs.targets:
            if flow is not None:
                flow.close()
            order = self.turns.order(addr[0]) if self.turns.allows(addr[0]) else ()
            if not order:
                return
            self.turns.took(addr[0], order[0])
            assert self._transport is not None, "datagrams come after connection_made"
            try:
                flow = self._flows[addr] = _Flow(order[0], addr, self._transport)
            except OSError:
                self._flows.pop(addr, None)
                return  # the endpoint has no route, or there are no more sockets: the datagram is lost
        flow.send(data)

    def _clean(self) -> None:
        """Forget flows that were idle."""
        oldest = time.monotonic() - UDP_IDLE_SECONDS
        for client, flow in [*self._flows.items()]:
            if flow.used < oldest:
                flow.close()
                del self._flows[client]
        self._cleaning = asyncio.get_running_loop().call_later(UDP_LOOK_SECONDS, self._clean)


class _Flow:
    """A socket of its own towards one endpoint, so that answers find their client."""

    def __init__(self, target: Target, client: Any, front: asyncio.DatagramTransport) -> None:
        self.target, self.used = target, time.monotonic()
        self._client, self._front = client, front
        self._socket = socket.socket(socket.AF_INET6 if ":" in target.address else socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        try:
            self._socket.connect(target)
        except OSError:
            self._socket.close()
            raise
        asyncio.get_running_loop().add_reader(self._socket, self._answered)

    def send(self, data: bytes) -> None:
        self.used = time.monotonic()
        with contextlib.suppress(OSError):  # as on any network, a datagram may be lost
            self._socket.send(data)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def _answered(self) -> None:
        with contextlib.suppress(OSError):
            self._front.sendto(self._socket.recv(CHUNK_BYTES), self._client)
            self.used = time.monotonic()
