"""Upgrade: requests that turn their connection into something else — exec, attach, port-forward, WebSockets through a proxy.

They pass the same filters as every request. Then the connection is joined with one to where they are meant for, and every byte
is passed on unread: WebSocket, SPDY/3.1, in whichever version client and kubelet agree on. An answer other than 101 is passed
on as well, so that the client reads the refusal in the words of who refused.

    http_server → `protocol` (App.on_upgrade) → filters → handler → `join`
    apimachinery pkg/util/proxy/upgradeaware.go · KEP-4006
"""

import asyncio
import os
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import unquote

from apiserver.aggregator.registry import aggregator_of
from apiserver.context import Message, Request, Response, Scope, Server
from kube.api.status import BadRequest, InternalError
from kube.component.http_server import Head

UPGRADED = frozenset(("attach", "exec", "portforward", "proxy"))  # subresources whose connections are joined
HOP_BY_HOP = frozenset((b"host", b"authorization", b"content-length"))  # not the backend's business
DIAL_SECONDS = 10.0
HEAD_SECONDS = 30.0  # for the backend's answer
CHUNK = 1 << 16

Answer = Callable[[Request], Awaitable[Response | None]]
Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Connection:
    """The client's side, raw, from the end of its request's head on."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


@dataclass(frozen=True)
class Backend:
    """Whom to join a connection with."""

    host: str
    port: int
    tls: ssl.SSLContext | None
    server_name: str = ""  # what its certificate must name, where that is not the host

    @property
    def address(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def protocol(server: Server, answer: Answer, head: Head) -> asyncio.Protocol | None:
    """For http_server: who takes over a connection that asks for an upgrade; None: nobody, it is served as usual."""
    path, _, query = head.target.partition("?")
    info = server.routes.info(head.method, unquote(path), query.encode("latin-1"))
    if info.subresource not in UPGRADED and aggregator_of(server).serves(info) is None:
        return None

    def taken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(reader, writer)
        scope = _scope(head, connection)
        request = Request(scope, _no_body, _Reply(writer).send, info)
        server.spawn(_answered(answer, request, writer), f"upgrade {info.path}")

    return asyncio.StreamReaderProtocol(asyncio.StreamReader(limit=CHUNK), taken)


def connection_of(request: Request) -> Connection:
    """The raw connection of a request. Raises BadRequest where it asks for no upgrade."""
    found = request.scope.get("extensions", {}).get("upgrade")
    if not isinstance(found, Connection):
        raise BadRequest("Upgrade request required")
    return found


async def join(request: Request, backend: Backend, target: str, identity: Headers | None = None) -> None:
    """Send the request's head to the backend, with `target` as path and query; then pass on every byte, both ways.

    `identity` are headers that say to a backend who asks: a client may not send such itself.
    """
    client = connection_of(request)
    try:
        reader, writer = await dial(backend)
    except OSError as error:
        raise InternalError(f"Internal error occurred: error dialing backend: {dial_text(backend, error)}") from None
    try:
        writer.write(_request_head(request, backend, target, identity))
        try:
            async with asyncio.timeout(HEAD_SECONDS):
                answer = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, TimeoutError):
            raise InternalError(f"Internal error occurred: error dialing backend: {backend.address} gave no answer") from None
        request.started = True
        client.writer.write(answer)
        if answer.split(b" ", 2)[1] == b"101":
            await _piped(client, Connection(reader, writer))
        else:
            await _refusal(answer, reader, client.writer)
    finally:
        writer.close()


async def dial(backend: Backend) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection of its own to a backend. Raises OSError."""
    try:
        async with asyncio.timeout(DIAL_SECONDS):
            name = (backend.server_name or backend.host) if backend.tls else None
            return await asyncio.open_connection(backend.host, backend.port, ssl=backend.tls, server_hostname=name)
    except TimeoutError:
        raise OSError(f"dial tcp {backend.address}: i/o timeout") from None


def dial_text(backend: Backend, error: OSError) -> str:
    """Why there is no connection, in Go's words: `dial tcp 10.0.0.1:80: connect: connection refused`. Pure."""
    if isinstance(error, ssl.SSLError):
        return f"tls: {error.reason or error}"
    if error.errno is None:
        return str(error)
    return f"dial tcp {backend.address}: connect: {os.strerror(error.errno).lower()}"


def _request_head(request: Request, backend: Backend, target: str, identity: Headers | None) -> bytes:
    headers: Headers = request.scope["headers"]
    if identity is not None:
        headers = [*(pair for pair in headers if not pair[0].startswith((b"x-remote-", b"impersonate-"))), *identity]
    lines = [f"{request.info.method} {target} HTTP/1.1\r\nhost: {backend.address}\r\n".encode("latin-1")]
    lines += [b"%s: %s\r\n" % (name, value) for name, value in headers if name not in HOP_BY_HOP]
    return b"".join([*lines, b"\r\n"])


async def _piped(client: Connection, backend: Connection) -> None:
    """Until either side ends."""
    ways = {
        asyncio.ensure_future(_one_way(client.reader, backend.writer)),
        asyncio.ensure_future(_one_way(backend.reader, client.writer)),
    }
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def _one_way(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()


async def _refusal(answer: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The body of an answer that is no upgrade: as long as it says, or until its sender closes."""
    length = next((line.split(b":", 1)[1] for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:")), b"")
    with suppress(TimeoutError, asyncio.IncompleteReadError, ConnectionError):
        async with asyncio.timeout(HEAD_SECONDS):
            if length:
                writer.write(await reader.readexactly(int(length)))
            else:
                await _one_way(reader, writer)


async def _answered(answer: Answer, request: Request, writer: asyncio.StreamWriter) -> None:
    try:
        await answer(request)
    except (OSError, RuntimeError):
        pass  # the client left before its answer; RuntimeError is uvloop's word for a closed connection
    finally:
        writer.close()


async def _no_body() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


def _scope(head: Head, connection: Connection) -> Scope:
    path, _, query = head.target.partition("?")
    extensions: dict[str, object] = {"upgrade": connection}
    if head.subject is not None:
        extensions["tls"] = {"subject": head.subject}
    return {
        "type": "http",
        "method": head.method,
        "path": unquote(path),
        "raw_path": path.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "headers": list(head.headers),
        "extensions": extensions,
    }


class _Reply:
    """ASGI's `send`, for answers that are no upgrade: one of them, and the connection is closed."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            status = message["status"]
            lines = [b"HTTP/1.1 %d %s\r\n" % (status, HTTPStatus(status).phrase.encode())]
            lines += [b"%s: %s\r\n" % pair for pair in message["headers"]]
            self._writer.write(b"".join([*lines, b"connection: close\r\n\r\n"]))
        else:
            self._writer.write(message.get("body", b""))
        await self._writer.drain()
