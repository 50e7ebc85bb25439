"""Door: who asks for exec, attach or port-forward, in which protocol, and whether there is what is asked for.

    an upgrade to SPDY/3.1   is handed over by http_server as a raw connection (`on_upgrade`), and authorized here
    a WebSocket              comes through the ASGI app, which has authorized it

A refusal is an ordinary answer in place of the upgrade, in the words of upstream's kubelet.
"""

import asyncio
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qs, unquote

from starlette.datastructures import QueryParams
from starlette.responses import PlainTextResponse
from starlette.websockets import WebSocket

from kube.component.http_server import Head
from kubelet.runtime.runtime import Runtime, RuntimeFailure, Session
from kubelet.server_auth import ServerAuth
from kubelet.streaming import port_forward, remote_command, spdy, spdy_client, websocket
from kubelet.streaming.pod_socket import is_port
from kubelet.streaming.target import Network, Refused, Targets

SPDY = "SPDY/3.1"
PROTOCOL_HEADER = b"x-stream-protocol-version"
PATH = re.compile(r"/(exec|attach|portForward)/([^/]+)/([^/]+)(?:/(?:[^/]+/)?([^/]+))?$")
CHUNK = 64 * 1024


@dataclass(frozen=True)
class Asked:
    """What a request is for."""

    verb: str  # exec attach portForward
    namespace: str
    pod: str
    container: str
    query: Mapping[str, list[str]]

    def flag(self, *names: str) -> bool:
        """The API server passes on its own names (stdin); upstream's translates them (input)."""
        return any(self.query.get(name, [""])[0] in ("true", "1") for name in names)

    @property
    def streams(self) -> dict[str, bool]:
        tty = self.flag("tty")
        wanted = {"stdin": self.flag("stdin", "input"), "stdout": self.flag("stdout", "output")}
        return {**wanted, "stderr": self.flag("stderr", "error") and not tty, "tty": tty}


def asked(path: str, query: str) -> Asked | None:
    """What a path and query ask for. Pure."""
    found = PATH.match(path)
    if found is None:
        return None
    verb, namespace, pod, container = (unquote(part or "") for part in found.groups())
    return Asked(verb, namespace, pod, container, parse_qs(query, keep_blank_values=True))


class Door:
    def __init__(self, targets: Targets, runtime: Runtime, auth: ServerAuth) -> None:
        self._targets = targets
        self._runtime = runtime
        self._auth = auth
        self._running: set[asyncio.Task[None]] = set()

    # --- SPDY --------------------------------------------------------------------------------------------------------

    def on_upgrade(self, head: Head) -> asyncio.Protocol | None:
        """For http_server: who takes over a connection that asks for SPDY/3.1."""
        path, _, query = head.target.partition("?")
        wanted = asked(path, query)
        if wanted is None or head.header(b"upgrade").lower() != SPDY.lower():
            return None

        def taken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.ensure_future(self._speak_spdy(wanted, head, _RawTransport(reader, writer)))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

        return asyncio.StreamReaderProtocol(asyncio.StreamReader(limit=CHUNK), taken)

    async def _speak_spdy(self, wanted: Asked, head: Head, transport: "_RawTransport") -> None:
        try:
            offered = [word.strip() for word in head.header_values(PROTOCOL_HEADER) for word in word.split(",")]
            denied = await self._auth.check(head.method, head.target.partition("?")[0], head.subject, head.header(b"authorization"))
            if denied is not None:
                raise Refused(denied.code, denied.text)
            if wanted.verb == "portForward":
                await self._forward_spdy(wanted, offered, transport)
            else:
                await self._command_spdy(wanted, offered, transport)
        except Refused as refused:
            await transport.refuse(refused.code, refused.text)
        except ConnectionError:
            pass  # the client left
        finally:
            await transport.close()

    async def _forward_spdy(self, wanted: Asked, offered: list[str], transport: "_RawTransport") -> None:
        if offered and port_forward.SPDY_PROTOCOL not in offered:
            raise _no_protocol(offered, [port_forward.SPDY_PROTOCOL])
        network = await self._targets.network(self._targets.pod(wanted.namespace, wanted.pod))
        await transport.upgrade(SPDY, port_forward.SPDY_PROTOCOL)
        await _forwarded(spdy.Connection(transport), network)

    async def _command_spdy(self, wanted: Asked, offered: list[str], transport: "_RawTransport") -> None:
        protocol = spdy_client.chosen(offered)
        if protocol is None:
            raise _no_protocol(offered, list(spdy_client.PROTOCOLS))
        version = spdy_client.PROTOCOLS[protocol]
        session = await self._begun(wanted)
        try:
            await transport.upgrade(SPDY, protocol)
            connection = spdy.Connection(transport)
            running = asyncio.ensure_future(connection.run())
            try:
                streams = await spdy_client.opened(connection, spdy_client.expected(version, **wanted.streams))
                client = spdy_client.SpdyClient(connection, streams, version, running)
                await remote_command.join(client, session, tells_exit_code=wanted.verb == "exec")
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
        except TimeoutError:
            await connection.close()
        finally:
            session.close()

    # --- WebSocket ---------------------------------------------------------------------------------------------------

    async def command(self, socket: WebSocket) -> None:
        """exec and attach."""
        protocol = websocket.chosen(socket.scope.get("subprotocols") or ())
        wanted = _asked_by(socket)
        try:
            if protocol is None:
                raise _no_protocol(socket.scope.get("subprotocols") or [], [name for name in websocket.PROTOCOLS if name])
            session = await self._begun(wanted)
        except Refused as refused:
            await refuse(socket, refused.code, refused.text)
            return
        client = websocket.WebSocketClient(socket, protocol)
        await client.accept()
        await remote_command.join(client, session, tells_exit_code=wanted.verb == "exec")

    async def forward(self, socket: WebSocket) -> None:
        """port-forward."""
        offered = socket.scope.get("subprotocols") or []
        wanted = _asked_by(socket)
        known = [port_forward.TUNNEL_PROTOCOL, *port_forward.WEBSOCKET_PROTOCOLS]
        try:
            protocol = next((one for one in known if one in offered), None)
            if protocol is None:
                raise _no_protocol(offered, known)
            ports = [] if protocol == port_forward.TUNNEL_PROTOCOL else ports_of(wanted.query)
            network = await self._targets.network(self._targets.pod(wanted.namespace, wanted.pod))
        except Refused as refused:
            await refuse(socket, refused.code, refused.text)
            return
        await socket.accept(subprotocol=protocol)
        if protocol == port_forward.TUNNEL_PROTOCOL:
            await _forwarded(spdy.Connection(websocket.WebSocketTransport(socket)), network)
        else:
            await port_forward.forward_websocket(socket, network, ports)

    async def _begun(self, wanted: Asked) -> Session:
        """The process's streams. Raises Refused."""
        if not any(wanted.streams[name] for name in ("stdin", "stdout", "stderr")):
            raise Refused(400, "you must specify at least 1 of stdin, stdout, stderr")
        record = await self._targets.running(self._targets.pod(wanted.namespace, wanted.pod), wanted.container)
        streams = wanted.streams
        try:
            if wanted.verb == "attach":
                return await self._runtime.attach_session(record.id, stdin=streams["stdin"])
            argv = wanted.query.get("command", [])
            return await self._runtime.exec_session(record.id, argv, stdin=streams["stdin"], tty=streams["tty"])
        except RuntimeFailure as error:
            raise Refused(500, str(error)) from error


class _RawTransport:
    """A `spdy.Transport`: the upgraded connection itself."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def upgrade(self, upgrade: str, protocol: str) -> None:
        lines = ("HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", f"Upgrade: {upgrade}",
                 f"X-Stream-Protocol-Version: {protocol}")  # fmt: skip
        await self.write("\r\n".join([*lines, "", ""]).encode())

    async def refuse(self, code: int, text: str) -> None:
        body = text.encode()
        lines = (f"HTTP/1.1 {code} {HTTPStatus(code).phrase}", "Content-Type: text/plain; charset=utf-8",
                 f"Content-Length: {len(body)}", "Connection: close")  # fmt: skip
        with suppress(ConnectionError):
            await self.write("\r\n".join([*lines, "", ""]).encode() + body)

    async def read(self) -> bytes:
        try:
            return await self._reader.read(CHUNK)
        except (OSError, asyncio.IncompleteReadError):
            return b""

    async def write(self, data: bytes) -> None:
        if self._writer.is_closing():
            raise ConnectionResetError("the client has left")
        try:
            self._writer.write(data)
            await self._writer.drain()
        except RuntimeError as error:  # uvloop's word for a closed connection
            raise ConnectionResetError(str(error)) from None

    async def close(self) -> None:
        self._writer.close()


async def _forwarded(connection: spdy.Connection, network: Network) -> None:
    """Serve a connection's pairs of streams until the client leaves."""
    running = asyncio.ensure_future(connection.run())
    try:
        await port_forward.forward_spdy(connection, network)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await connection.close()


def ports_of(query: Mapping[str, list[str]]) -> list[int]:
    """The ports of a WebSocket's query. Raises Refused. Pure."""
    texts = [text for value in query.get("ports", query.get("port", [])) for text in value.split(",")]
    if not texts:
        raise Refused(400, 'query parameter "port" is required')
    for text in texts:
        if not is_port(text):
            raise Refused(400, f"unable to parse {text!r} as a port".replace("'", '"'))
    return [int(text) for text in texts]


def _asked_by(socket: WebSocket) -> Asked:
    query = QueryParams(socket.scope["query_string"])
    wanted = asked(socket.scope["path"], "")
    assert wanted is not None, "routed by the same paths"
    return Asked(wanted.verb, wanted.namespace, wanted.pod, wanted.container, {name: query.getlist(name) for name in query})


def _no_protocol(offered: list[str], accepted: list[str]) -> Refused:
    shown = f"client supports [{' '.join(offered)}], server accepts [{' '.join(accepted)}]"
    return Refused(403, f"unable to upgrade: unable to negotiate protocol: {shown}")


async def refuse(socket: WebSocket, code: int, text: str) -> None:
    """An ordinary answer instead of the upgrade."""
    await socket.send_denial_response(PlainTextResponse(text, code))
