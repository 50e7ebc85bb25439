"""The HTTP server over TLS: who the client is, certificates renewed under it, upgrades."""

import asyncio
import ssl
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
import uvloop

from kube.component.http_server import Head, Server, serve
from kube.component.tls import ServerTLS
from tests.certificates import Authority, Pair


async def who(scope: Any, receive: Any, send: Any) -> None:
    """Tells whom the server takes the client for; over a WebSocket, too."""
    tls = scope.get("extensions", {}).get("tls")
    if tls is not None:
        assert ssl.DER_cert_to_PEM_cert(tls["subject"].pop("certificate")).startswith("-----BEGIN CERTIFICATE-----")
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept", "subprotocol": "SPDY/3.1+portforward.k8s.io"})
        await send({"type": "websocket.send", "bytes": orjson.dumps(tls)})
        await send({"type": "websocket.close"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": orjson.dumps(tls)})


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def trusting(authority: Authority, pair: Pair | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=authority.certificate)
    if pair is not None:
        context.load_cert_chain(pair.certificate, pair.key)
    return context


async def listening(authority: Authority, **more: Any) -> Server:
    pair = authority.issue("server")
    return await serve(who, "127.0.0.1", 0, tls=ServerTLS(pair.certificate, pair.key, authority.certificate), **more)


async def answer(server: Server, context: ssl.SSLContext) -> Any:
    async with aiohttp.ClientSession() as session, session.get(f"https://127.0.0.1:{server.port}/", ssl=context) as got:
        return await got.json(content_type=None)


def test_subject_of_the_clients_certificate_is_in_the_scope(authority: Authority) -> None:
    async def scenario() -> Any:
        server = await listening(authority)
        try:
            return await answer(server, trusting(authority, authority.issue("alice", "system:masters", "dev")))
        finally:
            await server.close(within=1)

    assert uvloop.run(scenario()) == {"subject": {"CN": "alice", "O": ["system:masters", "dev"]}}


def test_client_without_a_certificate_is_let_in_unnamed(authority: Authority) -> None:
    async def scenario() -> Any:
        server = await listening(authority)
        try:
            return await answer(server, trusting(authority))
        finally:
            await server.close(within=1)

    assert uvloop.run(scenario()) is None


def test_certificate_of_another_authority_is_turned_away(authority: Authority, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    stranger = Authority(tmp_path / "other", "other").issue("alice", "system:masters")

    async def scenario() -> None:
        server = await listening(authority)
        try:
            with pytest.raises(aiohttp.ClientError):
                await answer(server, trusting(authority, stranger))
        finally:
            await server.close(within=1)

    uvloop.run(scenario())


def test_websocket_knows_the_client_and_kubectls_subprotocol(authority: Authority) -> None:
    async def scenario() -> Any:
        server = await listening(authority)
        context = trusting(authority, authority.issue("alice"))
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.ws_connect(
                    f"https://127.0.0.1:{server.port}/", ssl=context, protocols=("SPDY/3.1+portforward.k8s.io",)
                ) as socket,
            ):
                assert socket.protocol == "SPDY/3.1+portforward.k8s.io"
                return orjson.loads(await socket.receive_bytes())
        finally:
            await server.close(within=1)

    assert uvloop.run(scenario()) == {"subject": {"CN": "alice", "O": []}}


class Greeter(asyncio.Protocol):
    """Greets whom it was told, then answers in capitals."""

    def __init__(self, head: Head) -> None:
        assert head.subject is not None
        self._name: str = head.subject["CN"]

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._transport.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\nhello " + self._name.encode())

    def data_received(self, data: bytes) -> None:
        self._transport.write(data.upper())


def test_upgrade_is_handed_over_within_tls(authority: Authority) -> None:
    async def scenario() -> bytes:
        server = await listening(authority, on_upgrade=Greeter)
        context = trusting(authority, authority.issue("alice"))
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port, ssl=context)
            writer.write(b"POST /exec HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: SPDY/3.1\r\n\r\n")
            greeting = await reader.readuntil(b"hello alice")
            writer.write(b"more")
            answer = await reader.readexactly(4)
            writer.close()
            await writer.wait_closed()
            return greeting + answer
        finally:
            await server.close(within=1)

    assert uvloop.run(scenario()).endswith(b"hello aliceMORE")


async def serial(server: Server, authority: Authority) -> str:
    """Of the certificate that the server shows now."""
    _, writer = await asyncio.open_connection("127.0.0.1", server.port, ssl=trusting(authority))
    shown: str = writer.get_extra_info("peercert")["serialNumber"]
    writer.close()
    await writer.wait_closed()
    return shown


@pytest.mark.parametrize("runner", [uvloop.run, asyncio.run], ids=["uvloop", "asyncio"])
def test_renewed_certificate_is_shown_without_a_restart(authority: Authority, runner: Any) -> None:
    """What if the certificate is renewed, and what if the new one is broken?"""

    async def scenario() -> None:
        server = await listening(authority)
        try:
            first = await serial(server, authority)
            pair = authority.issue("server")
            second = await serial(server, authority)
            assert second != first
            pair.certificate.write_text("half written")
            assert await serial(server, authority) == second
            authority.issue("server")
            assert await serial(server, authority) not in (first, second)
        finally:
            await server.close(within=1)

    runner(scenario())


def test_renewed_client_authority_counts_for_the_next_handshake(authority: Authority, tmp_path: Path) -> None:
    (tmp_path / "next").mkdir()
    successor = Authority(tmp_path / "next", "next")

    async def scenario() -> Any:
        server = await listening(authority)
        try:
            assert await answer(server, trusting(authority)) is None
            authority.certificate.write_bytes(authority.certificate.read_bytes() + successor.certificate.read_bytes())
            return await answer(server, trusting(authority, successor.issue("bob", "dev")))
        finally:
            await server.close(within=1)

    assert uvloop.run(scenario()) == {"subject": {"CN": "bob", "O": ["dev"]}}
