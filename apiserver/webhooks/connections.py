"""Connections: kept-alive HTTP/1.1 over TLS to servers that others run.

Promise
- A connection is used by one request at a time, and kept for the next one once its answer was read to the end.
- A kept connection that the other side closed meanwhile is no failure: the request goes out again on a new one, provided that not
  a byte of an answer had come (net/http does the same).
- Certificates are checked against the given authority (else the system's) and the given name; a certificate that is listed
  itself is trusted, as in Go's pools. No proxy, no redirect, no cookie.

Failures are CallFailed, in the words of Go's net/http and crypto/tls, which clients of webhooks look for.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kube.api.late import late
from kube.client.keepalive import keep_alive

if TYPE_CHECKING:
    import h11
else:
    h11 = late("h11")

KEPT_SECONDS = 90.0  # net/http DefaultTransport.IdleConnTimeout
KEPT_PER_DESTINATION = 25  # apiserver pkg/util/webhook: MaxIdleConnsPerHost of client-go's transports
KEPT_CONTEXTS = 128
DIAL_SECONDS = 30.0
CHUNK = 1 << 16
LARGEST_HEAD_BYTES = 1 << 20

Headers = list[tuple[bytes, bytes]]


class CallFailed(Exception):
    """There was no usable answer; the text says why."""


@dataclass(frozen=True)
class Trust:
    """How to know the server, and by what the server knows us."""

    authority: bytes = b""  # PEM; empty: the system's authorities
    insecure: bool = False
    client: tuple[Path, Path] | None = None  # certificate and key to show
    client_stamp: int = 0  # when the certificate was written: a renewed one makes new connections

    def context(self) -> ssl.SSLContext:
        """Raises CallFailed for an authority that is none."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        try:
            if self.insecure:
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            elif self.authority:
                context.load_verify_locations(cadata=self.authority.decode())
            else:
                context.load_default_certs()
        except (ssl.SSLError, UnicodeDecodeError, ValueError):
            raise CallFailed("unable to load root certificates: unable to parse bytes as PEM block") from None
        if self.client is not None:
            try:
                context.load_cert_chain(*self.client)
            except (OSError, ssl.SSLError) as error:
                raise CallFailed(f"unable to load client certificate: {error}") from None
        return context


@dataclass(frozen=True)
class Destination:
    """Whom to call: where it is, and the name that its certificate must have."""

    host: str
    port: int
    server_name: str
    trust: Trust

    @property
    def address(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Answer:
    """The head of an answer; `chunks` is its body, which must be read to its end or closed by `close`."""

    def __init__(self, connections: Connections, connection: _Connection, head: h11.Response) -> None:
        self._connections = connections
        self._connection: _Connection | None = connection
        self.status = head.status_code
        self.headers: Headers = list(head.headers)

    async def read(self, limit: int) -> bytes:
        """The whole body. Raises CallFailed where it is larger or breaks off."""
        parts: list[bytes] = []
        size = 0
        async for part in self.chunks():
            parts.append(part)
            size += len(part)
            if size > limit:
                self.close()
                raise CallFailed(f"http: response body too large: more than {limit} bytes")
        return b"".join(parts)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes. Raises CallFailed where it breaks off."""
        try:
            while self._connection is not None:
                event = await self._connection.next_event()
                if isinstance(event, h11.Data):
                    yield bytes(event.data)
                else:
                    self._connections.keep(self._connection)
                    self._connection = None
        except (OSError, h11.ProtocolError) as error:
            raise CallFailed("unexpected EOF" if isinstance(error, h11.ProtocolError) else words_of(error, "")) from None
        finally:
            self.close()

    def close(self) -> None:
        """Give the connection up, unless the body was read to its end."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class _Connection:
    """One TLS connection."""

    def __init__(self, destination: Destination, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.destination = destination
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=LARGEST_HEAD_BYTES)
        self.heard = False  # a byte of the present answer has come
        self.expiry: asyncio.TimerHandle | None = None

    async def ask(self, head: h11.Request, body: bytes) -> h11.Response:
        """Send a request; the head of its answer."""
        self.heard = False
        parts = [self._http.send(head), self._http.send(h11.Data(data=body)) if body else b"", self._http.send(h11.EndOfMessage())]
        self._writer.write(b"".join(part or b"" for part in parts))
        await self._writer.drain()
        while True:
            event = await self.next_event()
            if isinstance(event, h11.Response):
                return event
            if not isinstance(event, h11.InformationalResponse):
                raise h11.RemoteProtocolError("EOF")

    async def next_event(self) -> object:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            data = await self._reader.read(CHUNK)
            self.heard = self.heard or bool(data)
            self._http.receive_data(data)
        return event

    def reusable(self) -> bool:
        """Whether another request may follow; makes it ready for that."""
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE or self.gone:
            return False
        self._http.start_next_cycle()
        return True

    @property
    def gone(self) -> bool:
        return self._reader.at_eof() or self._writer.is_closing()

    def close(self) -> None:
        if self.expiry is not None:
            self.expiry.cancel()
        self._writer.close()


class Connections:
    """The kept connections of a server's life."""

    def __init__(self) -> None:
        self._kept: dict[Destination, list[_Connection]] = {}
        self._contexts: dict[Trust, ssl.SSLContext] = {}

    async def request(
        self, destination: Destination, method: str, target: str, headers: Iterable[tuple[bytes, bytes]], body: bytes = b""
    ) -> Answer:
        """Send a request; the head of its answer. `headers` name the host. Raises CallFailed."""
        head = h11.Request(method=method, target=target, headers=[*headers, (b"content-length", b"%d" % len(body))])
        while True:
            connection = self._take(destination)
            kept = connection is not None
            if connection is None:
                connection = await self._dial(destination)
            try:
                return Answer(self, connection, await connection.ask(head, body))
            except (OSError, RuntimeError, h11.RemoteProtocolError) as error:  # RuntimeError: uvloop's word for a closed connection
                connection.close()
                if not kept or connection.heard:
                    raise CallFailed(words_of(error, destination.address)) from None
            except BaseException:
                connection.close()
                raise

    def context(self, trust: Trust) -> ssl.SSLContext:
        """Making one takes milliseconds; so they are kept, too."""
        found = self._contexts.get(trust)
        if found is None:
            if len(self._contexts) >= KEPT_CONTEXTS:
                self._contexts.clear()
            found = self._contexts[trust] = trust.context()
        return found

    def keep(self, connection: _Connection) -> None:
        """Called when an answer was read to its end."""
        kept = self._kept.setdefault(connection.destination, [])
        if len(kept) >= KEPT_PER_DESTINATION or not connection.reusable():
            connection.close()
            return
        connection.expiry = asyncio.get_running_loop().call_later(KEPT_SECONDS, self._expire, connection)
        kept.append(connection)

    def close(self) -> None:
        for kept in self._kept.values():
            for connection in kept:
                connection.close()
        self._kept.clear()

    def _take(self, destination: Destination) -> _Connection | None:
        kept = self._kept.get(destination)
        while kept:
            connection = kept.pop()
            if not connection.gone:
                if connection.expiry is not None:
                    connection.expiry.cancel()
                return connection
            connection.close()
        return None

    def _expire(self, connection: _Connection) -> None:
        kept = self._kept.get(connection.destination, [])
        if connection in kept:
            kept.remove(connection)
        if not kept:
            self._kept.pop(connection.destination, None)
        connection.close()

    async def _dial(self, destination: Destination) -> _Connection:
        context = self.context(destination.trust)
        try:
            async with asyncio.timeout(DIAL_SECONDS):
                reader, writer = await asyncio.open_connection(
                    destination.host, destination.port, ssl=context, server_hostname=destination.server_name, limit=CHUNK
                )
        except TimeoutError:
            raise CallFailed(f"dial tcp {destination.address}: i/o timeout") from None
        except (OSError, ssl.CertificateError) as error:
            raise CallFailed(words_of(error, destination.address, destination.server_name)) from None
        raw = writer.get_extra_info("socket")
        if raw is not None:
            with suppress(OSError):
                keep_alive(raw)
        return _Connection(destination, reader, writer)


def words_of(error: BaseException, address: str, server_name: str = "") -> str:
    """An error of Python's in Go's words. Pure."""
    match error:
        case ssl.SSLCertVerificationError():
            return "tls: failed to verify certificate: x509: " + _certificate_words(error, server_name)
        case ssl.SSLError(reason="WRONG_VERSION_NUMBER" | "HTTP_REQUEST"):
            return "http: server gave HTTP response to HTTPS client"
        case ssl.SSLError():
            return f"remote error: tls: {(error.reason or str(error)).lower().replace('_', ' ')}"
        case socket.gaierror():
            return f"dial tcp: lookup {address.rpartition(':')[0]}: no such host"
        case ConnectionRefusedError():
            return f"dial tcp {address}: connect: connection refused"
        case ConnectionResetError() | BrokenPipeError() | RuntimeError():
            return "read: connection reset by peer"
        case h11.ProtocolError():
            text = str(error)
            ended = any(sign in text for sign in ("EOF", "closed connection", "ConnectionClosed"))
            return "EOF" if ended else f"net/http: HTTP/1.x transport connection broken: {text}"
        case OSError(strerror=str(strerror)):
            return f"dial tcp {address}: connect: {strerror.lower()}"
    return str(error) or type(error).__name__


EXPIRED, NOT_YET_VALID, OTHER_NAME, OTHER_ADDRESS = 10, 9, 62, 64  # X509_V_ERR_*, openssl-verify(1)


def _certificate_words(error: ssl.SSLCertVerificationError, server_name: str) -> str:
    code = getattr(error, "verify_code", 0)
    if code in (EXPIRED, NOT_YET_VALID):
        return "certificate has expired or is not yet valid"
    if code in (OTHER_NAME, OTHER_ADDRESS):
        return f"certificate is not valid for any names, but wanted to match {server_name}"
    return "certificate signed by unknown authority"
