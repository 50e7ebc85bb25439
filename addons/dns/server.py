"""Sockets: DNS over UDP and TCP on one port.

UDP: one datagram, one answer. TCP (RFC 7766): messages with their length before them, as many on a connection as the asker likes,
answered as they are ready; a connection that says nothing for `IDLE_SECONDS` is closed, and so is one that is asked faster than
it takes its answers. The way of a question that was asked before is the first five lines of `datagram_received`.
"""

import asyncio
import contextlib
import socket
import struct
import time
from collections.abc import Callable

from addons.dns.resolver import Resolver
from addons.dns.wire import MOST_TCP_BYTES, Query
from kube.component.logging import get_logger

log = get_logger(__name__)

IDLE_SECONDS = 10.0
RECEIVE_BUFFER_BYTES = 4 << 20  # a burst waits in the kernel rather than being lost
MOST_UNDER_WAY = 100  # questions of one connection
LENGTH = struct.Struct("!H")


class Server:
    """Listens until closed. `resolver` may be replaced at any time: the next question is asked of the new one."""

    def __init__(self, resolver: Resolver, tasks: asyncio.TaskGroup) -> None:
        self.resolver = resolver
        self.port = 0
        self._tasks = tasks
        self._datagrams: asyncio.DatagramTransport | None = None
        self._listener: asyncio.Server | None = None
        self._connections: set[_Connection] = set()

    async def listen(self, host: str, port: int) -> None:
        """Port 0 takes a free one, the same for both protocols. Raises OSError where it is taken."""
        loop = asyncio.get_running_loop()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = await loop.create_server(lambda: _Connection(self), host, port)
        self.port = listener.sockets[0].getsockname()[1]
        try:
            transport, _protocol = await loop.create_datagram_endpoint(
                lambda: _Datagrams(self), local_addr=(host, self.port), family=family
            )
        except OSError:
            listener.close()
            raise
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        self._listener, self._datagrams = listener, transport

    async def close(self) -> None:
        if self._datagrams is not None:
            self._datagrams.close()
        if self._listener is not None:
            self._listener.close()
            for connection in list(self._connections):
                connection.close()
            await self._listener.wait_closed()

    def answer(self, message: bytes, proto: str, began: float, send: Callable[[bytes], None]) -> None:
        """Have a question answered, now or later."""
        told = self.resolver.at_once(message, proto, began)
        if isinstance(told, Query):
            self._tasks.create_task(self._later(told, message, proto, began, send))
        elif told is not None:
            send(told)

    async def _later(self, query: Query, message: bytes, proto: str, began: float, send: Callable[[bytes], None]) -> None:
        send(await self.resolver.later(query, message, proto, began))

    def opened(self, connection: "_Connection") -> None:
        self._connections.add(connection)

    def closed(self, connection: "_Connection") -> None:
        self._connections.discard(connection)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: Server) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._send = transport.sendto  # type: ignore[attr-defined]  # a datagram transport
        self._transport = transport

    def datagram_received(self, data: bytes, addr: object) -> None:
        began = time.perf_counter()
        prepared = self._server.resolver.prepared["udp"].get(data[2:])
        if prepared is not None:
            prepared.turn += 1
            self._send(data[:2] + prepared.rotations[prepared.turn % len(prepared.rotations)], addr)
            prepared.tally.add(time.perf_counter() - began)
            return
        self._server.answer(data, "udp", began, lambda told: self._reply(told, addr))

    def _reply(self, told: bytes, addr: object) -> None:
        if not self._transport.is_closing():
            self._send(told, addr)

    def error_received(self, exc: Exception) -> None:
        log.debug("a datagram was not delivered", reason=exc)


class _Connection(asyncio.Protocol):
    def __init__(self, server: Server) -> None:
        self._server = server
        self._received = bytearray()
        self._under_way = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]  # a stream
        self._loop = asyncio.get_running_loop()
        self._idle = self._loop.call_later(IDLE_SECONDS, transport.close)
        self._server.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._idle.cancel()
        self._server.closed(self)

    def close(self) -> None:
        self._transport.abort()

    def pause_writing(self) -> None:
        """The asker does not take its answers."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._idle.cancel()
        self._idle = self._loop.call_later(IDLE_SECONDS, self._transport.close)
        self._received += data
        while len(self._received) >= LENGTH.size:
            (length,) = LENGTH.unpack_from(self._received)
            if len(self._received) < LENGTH.size + length:
                return
            message = bytes(self._received[LENGTH.size : LENGTH.size + length])
            del self._received[: LENGTH.size + length]
            self._ask(message)

    def _ask(self, message: bytes) -> None:
        began = time.perf_counter()
        prepared = self._server.resolver.prepared["tcp"].get(message[2:])
        if prepared is not None:
            prepared.turn += 1
            self._write(message[:2] + prepared.rotations[prepared.turn % len(prepared.rotations)])
            prepared.tally.add(time.perf_counter() - began)
            return
        if self._under_way >= MOST_UNDER_WAY:
            self._transport.abort()
            return
        self._under_way += 1
        self._server.answer(message, "tcp", began, self._reply)

    def _reply(self, told: bytes) -> None:
        self._under_way -= 1
        with contextlib.suppress(ConnectionError):
            self._write(told)

    def _write(self, told: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(LENGTH.pack(min(len(told), MOST_TCP_BYTES)) + told)
