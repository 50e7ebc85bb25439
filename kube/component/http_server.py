"""HTTP serving: uvicorn's protocols on a plain listener, with the client's certificate in the ASGI scope.

uvicorn's own server wakes ten times a second; this one sleeps until something comes. A request's way through it is short
(http_cycle.py), and shorter for requests that are known by their bytes (short_way.py). What it adds to the protocols:
- scope["extensions"]["tls"]["subject"] is {"CN": "...", "O": ["...", ...]} where the client showed a certificate;
- an Upgrade that is no WebSocket (SPDY/3.1), or any that `on_upgrade` wants for itself, is handed over as a raw connection;
- limits that uvicorn leaves to a proxy: the size of a head, and the time until it is there.

uvicorn 0.54 puts no certificate into the scope; hence the subclass. `ws` is wsproto: the newer implementation refuses
the subprotocol name SPDY/3.1+portforward.k8s.io, which kubectl uses.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import httptools

from kube.api.late import late
from kube.client.keepalive import keep_alive
from kube.component.http_cycle import Cycle
from kube.component.http_state import App, State
from kube.component.logging import get_logger
from kube.component.short_way import Brief, Plain, ShortWay
from kube.component.tls import ServerTLS
from kube.component.uvicorn_parts import Config, HttpToolsProtocol

if TYPE_CHECKING:
    from kube.component import web_socket
else:
    web_socket = late("kube.component.web_socket")

KEEP_ALIVE_SECONDS = 300  # clients keep connections for their next request; the client's own limit is shorter
FIRST_HEAD_SECONDS = 32  # apiserver pkg/server/secure_serving.go: ReadHeaderTimeout
HANDSHAKE_SECONDS = 10.0
LARGEST_HEAD_BYTES = 1 << 20  # net/http DefaultMaxHeaderBytes
BACKLOG = 1024
MAX_WEBSOCKET_BYTES = 16 << 20
AFTER_CUT_SECONDS = 1.0  # for requests whose connection was cut to clean up

log = get_logger(__name__)

HEAD_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain; charset=utf-8\r\nconnection: close\r\n\r\n"
    b"431 Request Header Fields Too Large"
)


@dataclass(frozen=True)
class Head:
    """The head of a request that asks for an upgrade."""

    method: str
    target: str  # path and query, as sent
    headers: tuple[tuple[bytes, bytes], ...]
    subject: dict[str, Any] | None  # of the client's certificate

    def header(self, name: bytes) -> str:
        return next(iter(self.header_values(name)), "")

    def header_values(self, name: bytes) -> list[str]:
        """Of a header that may be repeated."""
        return [value.decode("latin-1") for key, value in self.headers if key == name]


OnUpgrade = Callable[[Head], asyncio.Protocol | None]


class Server:
    """An ASGI app behind a listener of its own (`serve`), or for connections that somebody else accepts (`take`)."""

    def __init__(
        self, app: App, *, tls: ServerTLS | None = None, on_upgrade: OnUpgrade | None = None, short_way: ShortWay | None = None
    ) -> None:
        self._app = app
        self._on_upgrade = on_upgrade
        self._state = State(short_way)
        self._config = Config(
            self._state.until_closing(app), interface="asgi3", http=HttpToolsProtocol, ws="none", lifespan="off",
            log_config=None, access_log=False, server_header=False, date_header=False, timeout_keep_alive=KEEP_ALIVE_SECONDS,
            ws_max_size=MAX_WEBSOCKET_BYTES, ws_ping_interval=None, ws_ping_timeout=None, proxy_headers=False,
        )  # fmt: skip
        self._config.load()
        self._config.ws_protocol_class = _web_socket  # type: ignore[assignment]  # called as a class is
        self._tls: ssl.SSLContext | None = tls.context() if tls else None
        self._handshake = HANDSHAKE_SECONDS if tls else None
        self._listener: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._listener is not None, "it listens"
        return int(self._listener.sockets[0].getsockname()[1])

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._state.connections) + sum(not one.is_closing() for one in self._state.handed_over)

    def count(self, counted: Callable[[], None]) -> None:
        """Have `counted` called where there may be more or fewer connections than before."""
        self._state.counted = counted

    async def listen(self, host: str, port: int) -> None:
        """Raises OSError where the address is taken."""
        self._listener = await asyncio.get_running_loop().create_server(
            self._connection, host, port, ssl=self._tls, backlog=BACKLOG, ssl_handshake_timeout=self._handshake
        )
        for one in self._listener.sockets:
            keep_alive(one)

    async def take(self, connection: socket.socket) -> None:
        """Serve a connection, from its handshake on; the socket is the server's from now on."""
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                self._connection, connection, ssl=self._tls, ssl_handshake_timeout=self._handshake
            )
        except OSError as error:  # a handshake that fails, too
            log.debug("a connection ended before it began", reason=error)
            connection.close()

    def _connection(self) -> asyncio.Protocol:
        return _HttpProtocol(self._config, self._app, self._state, self._on_upgrade)

    def let_go(self) -> None:
        """From now on each answer is the last one on its connection, and says so."""
        self._state.letting_go = True

    async def close(self, within: float = 5.0) -> None:
        """Stop listening, let requests end for up to `within` seconds, then cut what is left."""
        if self._listener is not None:
            self._listener.close()
        self._state.closing = True
        for connection in list(self._state.connections):
            connection.shutdown()
        await self._requests_end(within)
        self._cut()
        await self._requests_end(AFTER_CUT_SECONDS)
        for task in self._state.tasks:
            task.cancel()

    async def _requests_end(self, within: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                while self._state.tasks or self._state.briefs:
                    await (asyncio.wait(set(self._state.tasks)) if self._state.tasks else self._state.no_briefs.wait())

    def _cut(self) -> None:
        for connection in list(self._state.connections):
            connection.transport.abort()
        for transport in self._state.handed_over:
            transport.abort()


async def serve(
    app: App,
    host: str,
    port: int,
    *,
    tls: ServerTLS | None = None,
    on_upgrade: OnUpgrade | None = None,
    short_way: ShortWay | None = None,
) -> Server:
    """Listen and serve an ASGI app. Port 0 takes a free one. Raises OSError where the address is taken."""
    server = Server(app, tls=tls, on_upgrade=on_upgrade, short_way=short_way)
    await server.listen(host, port)
    return server


def subject_of(transport: asyncio.BaseTransport) -> dict[str, Any] | None:
    """CN and O of the certificate that the client showed, if it did; it was verified in the handshake."""
    connection = transport.get_extra_info("ssl_object")
    certificate = connection.getpeercert() if connection is not None else None
    if not certificate:
        return None
    names = [pair for group in certificate.get("subject", ()) for pair in group]
    return {
        "certificate": connection.getpeercert(True),  # DER
        "CN": next((value for key, value in names if key == "commonName"), ""),
        "O": [value for key, value in names if key == "organizationName"],
    }


class _HttpProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(self, config: Config, app: App, state: State, on_upgrade: OnUpgrade | None) -> None:
        super().__init__(config=config, server_state=state, app_state={})
        self.app = app
        self.access_log = False  # whatever handlers the process has: a line for each request costs more than many requests
        self._state = state
        self._on_upgrade = on_upgrade
        self._subject: dict[str, Any] | None = None
        self._wanted: asyncio.Protocol | None = None
        self._asked = False
        self._in_head = False
        self._head_bytes = 0
        self._begun = self._complete = 0  # messages, as the parser saw them
        self._idle_since = 0.0
        self._idle_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._subject = subject_of(transport)
        self.timeout_keep_alive_task = self.loop.call_later(FIRST_HEAD_SECONDS, self.timeout_keep_alive_handler)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._state.counted()
        if self._idle_timer is not None:
            self._idle_timer.cancel()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._wanted = None
        self._asked = False
        self._in_head, self._head_bytes = True, 0
        self._begun += 1
        self._state.tell_date()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._complete += 1

    def on_header(self, name: bytes, value: bytes) -> None:
        """White space around a value is no part of it (RFC 9110 section 5.5); the parser leaves what is behind it."""
        super().on_header(name, value.rstrip(b" \t"))

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._unset_keepalive_if_required()  # only now: a head that never ends must not hold the connection
        parser, scope = self.parser, self.scope
        scope["method"] = parser.get_method().decode("ascii")
        scope["http_version"] = version = parser.get_http_version()
        if parser.should_upgrade() and self._should_upgrade():
            return
        url = httptools.parse_url(self.url)
        path = url.path.decode("ascii")
        scope["path"] = unquote(path) if "%" in path else path
        scope["raw_path"], scope["query_string"] = url.path, url.query or b""
        cycle = self._cycle_of(scope, version != "1.0" and parser.should_keep_alive(), self.expect_100_continue)
        before: Any = self.cycle
        self.cycle = cycle  # type: ignore[assignment]  # in the place of uvicorn's own
        if before is None or before.response_complete:
            self._start_asgi_task(self.cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def _cycle_of(self, scope: Any, keep_alive: bool, expects_100: bool) -> Cycle:
        last = not keep_alive or self._state.letting_go
        cycle = Cycle(
            scope, self.transport, self.flow, self.server_state.default_headers, not last, expects_100, self.on_response_complete
        )
        extensions: dict[str, Any] = {"push": cycle.push, "answer": cycle.answer}
        if self._subject is not None:
            extensions["tls"] = {"subject": self._subject}
        scope["extensions"] = extensions
        return cycle

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        task = self.loop.create_task(cycle.run(app))
        self.tasks.add(task)
        task.add_done_callback(self._state.ended)

    def on_response_complete(self) -> None:
        """The next request of a pipeline; or wait for one, by a timer that is set once and looks when it goes off."""
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self._idle_since = self.loop.time()
        if self._idle_timer is None:
            self._idle_timer = self.loop.call_later(KEEP_ALIVE_SECONDS, self._close_if_idle)

    def _close_if_idle(self) -> None:
        self._idle_timer = None
        if self.transport.is_closing() or self.parser is None:
            return
        left = KEEP_ALIVE_SECONDS - (self.loop.time() - self._idle_since)
        if self.cycle is not None and not self.cycle.response_complete:
            left = KEEP_ALIVE_SECONDS  # at work
        if left > 0:
            self._idle_timer = self.loop.call_later(left, self._close_if_idle)
        else:
            self.transport.close()

    def _should_upgrade(self) -> bool:
        """Also for a raw protocol: otherwise an ASGI task would answer into the upgraded stream."""
        return self._raw() is not None or super()._should_upgrade()

    def data_received(self, data: bytes) -> None:
        between = self._begun == self._complete
        if between and self._is_known(data):
            return
        begun = self._begun
        try:
            self.parser.feed_data(data)
            if between and self._complete == self._begun == begun + 1 and self.cycle.keep_alive:
                self._state.known.learn(data, self.scope)
        except httptools.HttpParserUpgrade as upgrade:
            protocol = self._raw()
            if protocol is not None:
                self._hand_over(protocol, data[upgrade.args[0] :])
            elif self._should_upgrade():
                self.handle_websocket_upgrade()
        except httptools.HttpParserError:
            self.send_400_response("Invalid HTTP request received.")
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > LARGEST_HEAD_BYTES and not self.transport.is_closing():
                self.transport.write(HEAD_TOO_LARGE)
                self.transport.close()

    def _is_known(self, data: bytes) -> bool:
        """Whether it is the whole of one request whose head is known: then it is on its way."""
        (plain, body), state = self._state.known.find(data), self._state
        if plain is None or state.letting_go or state.closing or self.flow.write_paused:
            return False
        if self.cycle is not None and not self.cycle.response_complete:
            return False
        state.tell_date()
        self._unset_keepalive_if_required()
        if plain.is_brief and state.short_way is not None:
            brief = Brief(self, plain, self._subject)
            if state.short_way.take(brief):
                self.cycle = brief  # type: ignore[assignment]  # in the place of uvicorn's own
                state.briefs += 1
                return True
        cycle = self._known_cycle(plain, body, keep_alive=True)
        self.cycle = cycle  # type: ignore[assignment]
        self._start_asgi_task(cycle, self.app)
        return True

    @property
    def date_line(self) -> bytes:
        return self._state.date_line

    def brief_ended(self) -> None:
        self._state.brief_ended()
        self.on_response_complete()

    def go_long(self, brief: Brief) -> None:
        """As if it had come just now; what came after it waits for its turn."""
        self._state.brief_ended()
        latest: Any = self.cycle
        cycle = self._known_cycle(brief.plain, b"", brief.keep_alive)
        cycle.disconnected = brief.disconnected
        if latest is brief:
            self.cycle = cycle  # type: ignore[assignment]  # in the place of uvicorn's own
        self._start_asgi_task(cycle, self.app)

    def _known_cycle(self, plain: Plain, body: bytes, keep_alive: bool) -> Cycle:
        """As if the parser had read it."""
        scope: dict[str, Any] = {
            "type": "http", "asgi": {"version": self.asgi_version, "spec_version": "2.3"}, "http_version": "1.1",
            "server": self.server, "client": self.client, "scheme": self.scheme, "root_path": self.root_path,
            "headers": plain.headers, "state": self.app_state.copy(), "method": plain.method, "path": plain.path,
            "raw_path": plain.raw_path, "query_string": plain.query_string,
        }  # fmt: skip
        cycle = self._cycle_of(scope, keep_alive, False)
        scope["extensions"]["head"] = plain
        cycle.body += body
        cycle.more_body = False
        cycle.set()
        return cycle

    def _raw(self) -> asyncio.Protocol | None:
        """The protocol that wants this connection; asked once a request, when its head is complete."""
        if not self._asked and self._on_upgrade is not None and self._get_upgrade() is not None:
            self._asked = True
            method, target = self.parser.get_method().decode(), self.url.decode("latin-1")
            self._wanted = self._on_upgrade(Head(method, target, tuple(self.headers), self._subject))
        return self._wanted

    def _hand_over(self, protocol: asyncio.Protocol, leftover: bytes) -> None:
        self.connections.discard(self)
        self._state.handed_over = {one for one in self._state.handed_over if not one.is_closing()} | {self.transport}
        self.transport.set_protocol(protocol)
        protocol.connection_made(self.transport)
        if leftover:
            protocol.data_received(leftover)


def _web_socket(**connection: Any) -> Any:
    """The protocol of one that became a WebSocket."""
    return web_socket.WebSocketProtocol(**connection)
