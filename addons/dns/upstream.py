"""Asking other name servers, over UDP and TCP.

Each question goes out from a socket of its own, so from a port that nobody can guess, under an id that nobody can guess; only an
answer from the server asked, with that id and to that question, is taken (RFC 5452). A server that did not answer lately is
asked last. One that was found to lead back here (see `loop`) is asked no more.
"""

import asyncio
import contextlib
import random
import struct
import time
from collections.abc import Sequence

from addons.dns import metrics, wire

TRY_SECONDS = 2.0  # for one server
ALL_SECONDS = 5.0  # for all of them
AVOIDED_SECONDS = 5.0  # after a failure
LENGTH = struct.Struct("!H")


class NoAnswer(Exception):
    """No server answered."""


class Upstream:
    """One name server."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.looping = False
        self.failed_at = float("-inf")

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    async def exchange(self, message: bytes, *, tcp: bool) -> bytes:
        """The answer to a message, under the message's own id. Raises TimeoutError, OSError."""
        ident = random.SystemRandom().randrange(1 << 16)
        asked = LENGTH.pack(ident) + message[2:]
        began = time.perf_counter()
        async with asyncio.timeout(TRY_SECONDS):
            answer = await (self._by_tcp(asked) if tcp else self._by_udp(asked))
        rcode = wire.RCODE_NAMES.get(answer[3] & 0xF, "OTHER")
        metrics.UPSTREAM_SECONDS.labels("forward", str(self), rcode).observe(time.perf_counter() - began)
        return message[:2] + answer[2:]

    async def _by_udp(self, message: bytes) -> bytes:
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[bytes] = loop.create_future()
        transport, _protocol = await loop.create_datagram_endpoint(
            lambda: _Asking(message, answered), remote_addr=(self.host, self.port)
        )
        try:
            return await answered
        finally:
            transport.close()

    async def _by_tcp(self, message: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(self.host, self.port)
        try:
            writer.write(LENGTH.pack(len(message)) + message)
            (length,) = LENGTH.unpack(await reader.readexactly(LENGTH.size))
            answer = await reader.readexactly(length)
        except asyncio.IncompleteReadError as error:
            raise OSError(f"{self} closed the connection") from error
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        if not _answers(message, answer):
            raise OSError(f"{self} answered another question")
        return answer


class _Asking(asyncio.DatagramProtocol):
    def __init__(self, message: bytes, answered: "asyncio.Future[bytes]") -> None:
        self._message, self._answered = message, answered

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.sendto(self._message)  # type: ignore[attr-defined]  # a datagram transport

    def datagram_received(self, data: bytes, addr: object) -> None:
        if not self._answered.done() and _answers(self._message, data):
            self._answered.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self._answered.done():
            self._answered.set_exception(exc)


def _answers(message: bytes, data: bytes) -> bool:
    """Whether this is an answer to that: same id, same question."""
    if len(data) < wire.HEADER.size or data[:2] != message[:2] or not data[2] & 0x80:
        return False
    try:
        asked, end = wire.read_name(message, wire.HEADER.size)
        name, at = wire.read_name(data, wire.HEADER.size)
    except wire.Malformed:
        return False
    return name == asked and data[at : at + 4] == message[end : end + 4]


class Upstreams:
    """The servers that a zone is forwarded to."""

    def __init__(self, servers: Sequence[Upstream], policy: str, max_concurrent: int = 0) -> None:
        self.servers = tuple(servers)
        self._policy, self._max_concurrent = policy, max_concurrent
        self._asking = 0
        self._turn = 0

    def full(self) -> bool:
        """Whether as many questions are under way as may be."""
        return bool(self._max_concurrent) and self._asking >= self._max_concurrent

    async def ask(self, message: bytes, *, tcp: bool) -> bytes:
        """Raises NoAnswer, saying why."""
        why = "there is no upstream name server"
        self._asking += 1
        try:
            async with asyncio.timeout(ALL_SECONDS):
                for one in self._order():
                    try:
                        return await one.exchange(message, tcp=tcp)
                    except (OSError, TimeoutError) as error:
                        one.failed_at = time.monotonic()
                        why = f"{one}: {str(error) or 'no answer in time'}"
        except TimeoutError:
            raise NoAnswer(f"no answer within {ALL_SECONDS} s; {why}") from None
        finally:
            self._asking -= 1
        raise NoAnswer(why)

    def _order(self) -> list[Upstream]:
        servers = [one for one in self.servers if not one.looping]
        if self._policy == "random":
            random.shuffle(servers)
        elif self._policy == "round_robin" and servers:
            self._turn = (self._turn + 1) % len(servers)
            servers = servers[self._turn :] + servers[: self._turn]
        since = time.monotonic() - AVOIDED_SECONDS
        return sorted(servers, key=lambda one: one.failed_at > since)
