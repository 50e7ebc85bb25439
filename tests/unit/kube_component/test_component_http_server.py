"""The HTTP server: keeps connections, shows certificates, hands over upgrades, closes cleanly."""

import asyncio
from typing import Any

from kube.component.http_cycle import SLICE_BYTES
from kube.component.http_server import Head, serve
from tests.unit.kube_component.serving import serving


async def echo(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    body = f"{scope['method']} {scope['path']}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", str(len(body)).encode())]})
    await send({"type": "http.response.body", "body": body})


async def exchange(port: int, request: bytes, expected: bytes) -> bytes:
    """Send bytes and read until the expected ones came."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    received = b""
    async with asyncio.timeout(5):
        while expected not in received:
            chunk = await reader.read(65536)
            assert chunk, received
            received += chunk
    writer.close()
    await writer.wait_closed()
    return received


def test_connection_serves_one_request_after_another() -> None:
    async def scenario() -> bytes:
        server = await serve(echo, "127.0.0.1", 0)
        try:
            request = b"GET /a HTTP/1.1\r\nhost: x\r\n\r\nGET /b HTTP/1.1\r\nhost: x\r\n\r\n"
            return await exchange(server.port, request, b"GET /b")
        finally:
            await server.close(within=1)

    assert b"GET /a" in asyncio.run(scenario())


def test_large_answer_arrives_whole_and_lets_others_in_between() -> None:
    """Its client reads nothing at first; another client is served meanwhile, and a third one that leaves harms nobody.

    Rule: docs/concepts/apiserver-speed.md (what is large holds up nobody)
    """
    large = bytes(range(256)) * (5 * SLICE_BYTES // 256) + b"end"

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] != "/large":
            await echo(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(large))]})
        await send({"type": "http.response.body", "body": large})

    async def scenario() -> None:
        ask = b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n"
        async with serving(app) as (server, reader, writer):
            writer.write(ask)
            await reader.readuntil(b"\r\n\r\n")
            assert b"GET /small" in await exchange(server.port, b"GET /small HTTP/1.1\r\nhost: x\r\n\r\n", b"GET /small")
            await exchange(server.port, ask, b"\r\n\r\n")
            assert await reader.readexactly(len(large)) == large
            writer.write(b"GET /next HTTP/1.1\r\nhost: x\r\n\r\n")
            assert b"200" in await reader.readuntil(b"\r\n\r\n")

    asyncio.run(scenario())


class Shout(asyncio.Protocol):
    """Answers in capitals."""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._transport.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")

    def data_received(self, data: bytes) -> None:
        self._transport.write(data.upper())


def test_wanted_upgrade_gets_the_raw_connection_with_what_came_already() -> None:
    heads: list[Head] = []

    def on_upgrade(head: Head) -> asyncio.Protocol | None:
        heads.append(head)
        return Shout() if head.header(b"upgrade") == "spdy/3.1" else None

    async def scenario() -> bytes:
        server = await serve(echo, "127.0.0.1", 0, on_upgrade=on_upgrade)
        try:
            request = b"POST /exec?a=b HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: spdy/3.1\r\n\r\nhello"
            return await exchange(server.port, request, b"HELLO")
        finally:
            await server.close(within=1)

    assert asyncio.run(scenario()).startswith(b"HTTP/1.1 101")
    assert [(head.method, head.target) for head in heads] == [("POST", "/exec?a=b")]


def test_nonsense_is_a_400() -> None:
    async def scenario() -> bytes:
        server = await serve(echo, "127.0.0.1", 0)
        try:
            return await exchange(server.port, b"nonsense\r\n\r\n", b"Invalid HTTP request")
        finally:
            await server.close(within=1)

    assert asyncio.run(scenario()).startswith(b"HTTP/1.1 400")


def test_white_space_around_a_header_is_no_part_of_its_value() -> None:
    """Upstream's test clients name a test in their User-Agent, and some names end in a blank.

    Rule: RFC 9110 section 5.5
    """
    seen: dict[bytes, bytes] = {}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.update(scope["headers"])
        await echo(scope, receive, send)

    async def scenario() -> None:
        async with serving(app) as (server, _, _):
            head = b"POST /a HTTP/1.1\r\nhost: x \t\r\nuser-agent:  a b \r\ncontent-length: 0\r\n\r\n"
            await exchange(server.port, head, b"POST /a")

    asyncio.run(scenario())
    assert (seen[b"host"], seen[b"user-agent"]) == (b"x", b"a b")
