"""Exchange: one HTTP request of a client and its answer, between us and a pod or a kubelet, on a connection of their own.

Bodies are passed on as they come, both ways, and never kept. Headers that are about the connection stay behind, and so do those
that are meant for the API server (authorization, impersonation) and those by which a pod could speak for the API server's origin
(CORS). https://datatracker.ietf.org/doc/html/rfc9110#section-7.6.1 · apimachinery pkg/util/proxy/upgradeaware.go
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING
from urllib.parse import quote

from apiserver.context import Request
from apiserver.upgrade import CHUNK, Backend, dial, dial_text
from kube.api.late import late
from kube.api.status import InternalError, ServiceUnavailable

if TYPE_CHECKING:
    import h11
else:
    h11 = late("h11")

HOP_BY_HOP = frozenset(("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te",
                        "trailer", "transfer-encoding", "upgrade"))  # fmt: skip
OURS = frozenset(("host", "authorization", "content-length"))  # meant for the API server
CORS = frozenset(f"access-control-allow-{name}" for name in ("credentials", "headers", "methods", "origin"))
PRINTABLE = "/:?#[]@!$&'()*+,;=%~ "  # a path is decoded; a header is not

Headers = list[tuple[str, str]]


class Exchange:
    """`ask`, then read `headers` and iterate `body`, or `close`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.CLIENT)
        self.status = 0
        self.headers: Headers = []

    async def ask(self, request: Request, backend: Backend, target: str) -> None:
        """Send the request, and wait for the head of the answer. Raises OSError, h11.ProtocolError."""
        try:
            await self._send(h11.Request(method=request.info.method, target=target, headers=asking(request, backend)))
            if {"content-length", "transfer-encoding"} & request.headers.keys():
                async for part in _body_of(request):
                    await self._send(h11.Data(data=part))
            await self._send(h11.EndOfMessage())
            while not isinstance(event := await self._next(), h11.Response):
                if not isinstance(event, h11.InformationalResponse):
                    raise h11.RemoteProtocolError("unexpected EOF")
        except BaseException:
            self._writer.close()
            raise
        self.status = event.status_code
        self.headers = kept([(name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers], HOP_BY_HOP | CORS)

    async def body(self) -> AsyncIterator[bytes]:
        """The rest of the answer; then the connection is closed."""
        try:
            while isinstance(event := await self._next(), h11.Data):
                yield bytes(event.data)
        except (OSError, h11.ProtocolError) as error:
            raise InternalError(f"Internal error occurred: {error}") from None  # the answer is cut off
        finally:
            self._writer.close()

    async def _send(self, event: h11.Event) -> None:
        self._writer.write(self._http.send(event) or b"")
        await self._writer.drain()

    async def _next(self) -> object:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            self._http.receive_data(await self._reader.read(CHUNK))
        return event


async def exchanged(request: Request, backend: Backend, target: str) -> Exchange:
    """The exchange, with its answer begun. Raises ServiceUnavailable in upstream's words."""
    try:
        exchange = Exchange(*await dial(backend))
    except OSError as error:
        raise ServiceUnavailable(f"error trying to reach service: {dial_text(backend, error)}") from None
    try:
        await exchange.ask(request, backend, target)
    except (OSError, h11.ProtocolError) as error:
        raise ServiceUnavailable(f"error trying to reach service: {error}") from None
    return exchange


def asking(request: Request, backend: Backend) -> list[tuple[bytes, bytes]]:
    """The client's headers for the backend."""
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.scope["headers"]]
    passed = [pair for pair in kept(headers, HOP_BY_HOP | OURS) if not pair[0].startswith("impersonate-")]
    client = request.scope.get("client")
    about = {
        "host": backend.address,
        "connection": "close",
        "x-forwarded-uri": request.info.path,
        "x-forwarded-host": request.headers.get("host", ""),
    }
    if client:
        about["x-forwarded-for"] = ", ".join([*request.header_values("x-forwarded-for"), str(client[0])])
    length = request.headers.get("content-length")
    if length is not None:
        about["content-length"] = length
    elif "transfer-encoding" in request.headers:
        about["transfer-encoding"] = "chunked"
    mine = [(name.encode(), quote(value, safe=PRINTABLE).encode()) for name, value in about.items()]
    return [*((name.encode("latin-1"), value.encode("latin-1")) for name, value in passed if name not in about), *mine]


def kept(headers: Iterable[tuple[str, str]], left_out: frozenset[str]) -> Headers:
    """Without those left out and those that the Connection header names. Pure."""
    listed = list(headers)
    named = {word.strip().lower() for name, value in listed if name == "connection" for word in value.split(",")}
    return [(name, value) for name, value in listed if name not in left_out and name not in named]


async def _body_of(request: Request) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await request.receive()
        more = message.get("more_body", False)
        yield message.get("body", b"")
