"""HTTP serving: uvicorn's protocols on a plain listener, with the client's certificate in the ASGI scope.

uvicorn's own server wakes ten times a second; this one sleeps until something comes. What it adds to the protocols:
- scope["extensions"]["tls"]["subject"] is {"CN": "...", "O": ["...", ...]} where the client showed a certificate;
- an Upgrade that is no WebSocket (SPDY/3.1), or any that `on_upgrade` wants for itself, is handed over as a raw connection.

uvicorn 0.54 puts no certificate into the scope; hence the subclass. `ws` is wsproto: the newer implementation refuses
the subprotocol name SPDY/3.1+portforward.k8s.io, which kubectl uses.
"""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol
from uvicorn.server import ServerState

from kube.component.tls import ServerTLS

KEEP_ALIVE_SECONDS = 300  # clients keep connections for their next request; the client's own limit is shorter
BACKLOG = 1024
MAX_WEBSOCKET_BYTES = 16 << 20

App = Callable[..., Any]


@dataclass(frozen=True)
class Head:
    """The head of a request that asks for an upgrade."""

    method: str
    target: str  # path and query, as sent
    headers: tuple[tuple[bytes, bytes], ...]
    subject: dict[str, Any] | None  # of the client's certificate

    def header(self, name: bytes) -> str:
        return next((value.decode("latin-1") for key, value in self.headers if key == name), "")


OnUpgrade = Callable[[Head], asyncio.Protocol | None]


class Server:
    """A listening server."""

    def __init__(self, listener: asyncio.Server, state: ServerState) -> None:
        self._listener = listener
        self._state = state

    @property
    def port(self) -> int:
        return int(self._listener.sockets[0].getsockname()[1])

    async def close(self, within: float = 5.0) -> None:
        """Stop listening, let requests end for up to `within` seconds, then cut what is left."""
        self._listener.close()
        for connection in list(self._state.connections):
            connection.shutdown()
        try:
            async with asyncio.timeout(within):
                while self._state.tasks:
                    await asyncio.wait(set(self._state.tasks))
        except TimeoutError:
            for task in list(self._state.tasks):
                task.cancel()
        for connection in list(self._state.connections):
            transport = getattr(connection, "transport", None)
            if transport is not None:
                transport.abort()


async def serve(
    app: App,
    host: str,
    port: int,
    *,
    tls: ServerTLS | None = None,
    on_upgrade: OnUpgrade | None = None,
) -> Server:
    """Listen and serve an ASGI app. Port 0 takes a free one. Raises OSError where the address is taken."""
    config = Config(
        app, interface="asgi3", http=HttpToolsProtocol, ws=WSProtocol, lifespan="off", log_config=None, access_log=False,
        server_header=False, date_header=False, timeout_keep_alive=KEEP_ALIVE_SECONDS, ws_max_size=MAX_WEBSOCKET_BYTES,
        ws_ping_interval=None, ws_ping_timeout=None, proxy_headers=False,
    )  # fmt: skip
    config.load()
    config.ws_protocol_class = _WebSocketProtocol
    state = ServerState()
    context: ssl.SSLContext | None = tls.context() if tls else None
    loop = asyncio.get_running_loop()

    def connection() -> asyncio.Protocol:
        return _HttpProtocol(config, state, on_upgrade)

    listener = await loop.create_server(connection, host, port, ssl=context, backlog=BACKLOG)
    return Server(listener, state)


def subject_of(transport: asyncio.BaseTransport) -> dict[str, Any] | None:
    """CN and O of the certificate that the client showed, if it did; it was verified in the handshake."""
    connection = transport.get_extra_info("ssl_object")
    certificate = connection.getpeercert() if connection is not None else None
    if not certificate:
        return None
    names = [pair for group in certificate.get("subject", ()) for pair in group]
    return {
        "CN": next((value for key, value in names if key == "commonName"), ""),
        "O": [value for key, value in names if key == "organizationName"],
    }


class _HttpProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(self, config: Config, state: ServerState, on_upgrade: OnUpgrade | None) -> None:
        super().__init__(config=config, server_state=state, app_state={})
        self._on_upgrade = on_upgrade
        self._subject: dict[str, Any] | None = None
        self._wanted: asyncio.Protocol | None = None
        self._asked = False

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._subject = subject_of(transport)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._wanted = None
        self._asked = False
        if self._subject is not None:
            self.scope["extensions"] = {"tls": {"subject": self._subject}}

    def _should_upgrade(self) -> bool:
        """Also for a raw protocol: otherwise an ASGI task would answer into the upgraded stream."""
        return self._raw() is not None or super()._should_upgrade()

    def data_received(self, data: bytes) -> None:
        try:
            self._unset_keepalive_if_required()
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            protocol = self._raw()
            if protocol is not None:
                self._hand_over(protocol, data[upgrade.args[0] :])
            elif self._should_upgrade():
                self.handle_websocket_upgrade()
        except httptools.HttpParserError:
            self.send_400_response("Invalid HTTP request received.")

    def _raw(self) -> asyncio.Protocol | None:
        """The protocol that wants this connection; asked once a request, when its head is complete."""
        if not self._asked and self._on_upgrade is not None and self._get_upgrade() is not None:
            self._asked = True
            method, target = self.parser.get_method().decode(), self.url.decode("latin-1")
            self._wanted = self._on_upgrade(Head(method, target, tuple(self.headers), self._subject))
        return self._wanted

    def _hand_over(self, protocol: asyncio.Protocol, leftover: bytes) -> None:
        self.connections.discard(self)
        self.transport.set_protocol(protocol)
        protocol.connection_made(self.transport)
        if leftover:
            protocol.data_received(leftover)


class _WebSocketProtocol(WSProtocol):
    """A connection that became a WebSocket."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._subject = subject_of(transport)

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if self._subject is not None:
            self.scope.setdefault("extensions", {})["tls"] = {"subject": self._subject}
