"""Forwarding: local ports whose connections end at ports of a pod. What `kubectl port-forward` runs once it knows pod and ports.

Each connection travels over a WebSocket of its own (v4.channel.k8s.io): channel 0 carries its bytes, channel 1 why it failed; the
first message on each is the port, two bytes. KEP-4006's tunnel of SPDY would carry all over one connection; this needs no SPDY.
The one difference that can be seen: a client cannot end its sending and go on receiving.
https://kubernetes.io/docs/tasks/access-application-cluster/port-forward-access-application-cluster/
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Message, Ping

from kube.api.status import ApiError
from kubectl.errors import CommandError
from kubectl.relay import CHUNK, Ends, closed, connected
from kubectl.session import Session
from kubectl.transport import Unreachable
from kubectl.websocket import answer_head, refusal, request_head

PROTOCOLS = ("v4.channel.k8s.io",)
DATA, ERROR = 0, 1
PORT_BYTES = 2


@dataclass(frozen=True)
class Ports:
    """A local port (0: any that is free) and the pod's."""

    local: int
    remote: int

    def __str__(self) -> str:
        return f"{self.local} -> {self.remote}"


class Lost(Exception):
    """The way into the pod is gone; the message says why."""


class Channel:
    """One connection into the pod."""

    def __init__(self, ends: Ends, rest: bytes) -> None:
        self._reader, self._writer = ends
        self._frames = Connection(ConnectionType.CLIENT, trailing_data=rest)
        self._named: set[int] = set()  # channels that have told their port

    @classmethod
    async def opened(cls, session: Session, path: str, port: int) -> "Channel":
        """Raises ApiError where the server refuses, Unreachable where there is none."""
        reader, writer = await connected(session.server)
        try:
            writer.write(request_head(session.server, path, [("ports", str(port))], PROTOCOLS))
            code, headers = answer_head(await reader.readuntil(b"\r\n\r\n"))
            if code != 101:
                raise refusal(code, await reader.read(int(headers.get("content-length", 0))))
        except (asyncio.IncompleteReadError, OSError) as error:
            await closed(writer)
            raise Unreachable("EOF") from error
        except ApiError:
            await closed(writer)
            raise
        return cls((reader, writer), b"")

    async def send(self, data: bytes) -> None:
        self._writer.write(self._frames.send(BytesMessage(data=bytes([DATA]) + data)))
        await self._writer.drain()

    async def copy_to(self, local: asyncio.StreamWriter) -> None:
        """What the pod says, until it is done. Raises Lost with what the error channel says."""
        message = b""
        while self._frames.state is not ConnectionState.CLOSED:
            for event in self._frames.events():
                if isinstance(event, Ping):
                    self._writer.write(self._frames.send(event.response()))
                elif isinstance(event, CloseConnection):
                    return
                elif isinstance(event, Message):
                    message += bytes(event.data)
                    if event.message_finished:
                        await self._take(message, local)
                        message = b""
            data = await self._reader.read(CHUNK)
            if not data:
                return
            self._frames.receive_data(data)

    async def _take(self, message: bytes, local: asyncio.StreamWriter) -> None:
        channel, data = message[0], message[1:]
        if channel not in self._named:
            self._named.add(channel)
            data = data[PORT_BYTES:]
        if channel == ERROR and data:
            raise Lost(data.decode("utf-8", "replace"))
        if data:
            local.write(data)
            await local.drain()

    async def close(self) -> None:
        await closed(self._writer)


class Forwarder:
    """Listens, and carries each connection until one fails."""

    def __init__(self, session: Session, path: str, ports: Sequence[Ports], addresses: Sequence[str]) -> None:
        self._session, self._path, self._ports, self._addresses = session, path, ports, addresses
        self._lost: asyncio.Future[str]

    async def run(self) -> None:
        """Until a connection fails, as upstream. Raises CommandError."""
        self._lost = asyncio.get_running_loop().create_future()
        servers = [server for ports in self._ports for server in await self._listen(ports)]
        if not servers:
            wanted = " ".join(f"{{{ports.local} {ports.remote}}}" for ports in self._ports)
            raise CommandError(f"unable to listen on any of the requested ports: [{wanted}]")
        try:
            self._session.tell(await self._lost)
        finally:
            for server in servers:
                server.close()
        raise CommandError("lost connection to pod")

    async def _listen(self, ports: Ports) -> list[asyncio.Server]:
        """One listener an address; `localhost` is both loopback addresses, and one of them is enough."""
        found: list[asyncio.Server] = []
        errors: list[str] = []
        local = ports.local
        for address in self._addresses:
            for host in ("127.0.0.1", "::1") if address == "localhost" else (address,):
                try:
                    server = await asyncio.start_server(self._taker(Ports(local, ports.remote)), host, local)
                except OSError as error:
                    shown = f"[{host}]" if ":" in host else host
                    family = "tcp6" if ":" in host else "tcp4"
                    why = os.strerror(error.errno or 0).lower()
                    errors.append(f"unable to create listener: Error listen {family} {shown}:{local}: bind: {why}")
                    continue
                local = server.sockets[0].getsockname()[1]
                shown = f"[{host}]" if ":" in host else host
                print(f"Forwarding from {shown}:{local} -> {ports.remote}", flush=True)
                found.append(server)
        if not found:
            told = f"Listeners failed to create with the following errors: [{' '.join(errors)}]"
            self._session.tell(f"Unable to listen on port {ports.local}: {told}")
        return found

    def _taker(self, ports: Ports) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
        async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            bound = Ports(writer.get_extra_info("sockname")[1], ports.remote)
            print(f"Handling connection for {bound.local}", flush=True)
            try:
                await self._carry((reader, writer), bound)
            except (Lost, ApiError, Unreachable) as error:
                if not self._lost.done():
                    self._lost.set_result(f"an error occurred forwarding {bound}: {error}")
            finally:
                await closed(writer)

        return take

    async def _carry(self, local: Ends, ports: Ports) -> None:
        """One connection, until either side ends it."""
        reader, writer = local
        channel = await Channel.opened(self._session, self._path, ports.remote)
        to_pod = asyncio.ensure_future(_sent(reader, channel))
        from_pod = asyncio.ensure_future(channel.copy_to(writer))
        try:
            await asyncio.wait((to_pod, from_pod), return_when=asyncio.FIRST_COMPLETED)
            if from_pod.done():
                from_pod.result()
        finally:
            for way in (to_pod, from_pod):
                way.cancel()
            await asyncio.gather(to_pod, from_pod, return_exceptions=True)
            await channel.close()


async def _sent(reader: asyncio.StreamReader, channel: Channel) -> None:
    with suppress(OSError):
        while data := await reader.read(CHUNK):
            await channel.send(data)
