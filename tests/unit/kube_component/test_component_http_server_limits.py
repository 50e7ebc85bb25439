"""The HTTP server's limits: heads that are too large or never end, and how it ends itself."""

import asyncio
from typing import Any

import pytest

from kube.component.http_server import FIRST_HEAD_SECONDS, KEEP_ALIVE_SECONDS, LARGEST_HEAD_BYTES, serve
from tests import virtual_time
from tests.unit.kube_component.serving import serving

GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


async def hello(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})


def now() -> float:
    return asyncio.get_running_loop().time()


def test_answer_tells_the_date() -> None:
    async def scenario() -> bytes:
        async with serving(hello) as (_, reader, writer):
            writer.write(GET)
            return await reader.readuntil(b"hello")

    assert b"\r\ndate: " in asyncio.run(scenario())


def test_head_that_never_ends_is_cut_off() -> None:
    """Rule: apiserver pkg/server/secure_serving.go, ReadHeaderTimeout"""

    async def scenario() -> float:
        async with serving(hello) as (_, reader, writer):
            writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n")  # and no more
            assert await reader.read() == b""
            return now()

    assert virtual_time.run(scenario()) == pytest.approx(FIRST_HEAD_SECONDS)


def test_connection_without_requests_is_closed() -> None:
    async def scenario() -> float:
        async with serving(hello) as (_, reader, writer):
            writer.write(GET)
            await reader.readuntil(b"hello")
            writer.write(b"GET")  # the next head begins and never ends
            assert await reader.read() == b""
            return now()

    assert virtual_time.run(scenario()) == pytest.approx(KEEP_ALIVE_SECONDS)


def test_head_that_is_too_large_is_refused() -> None:
    """Rule: net/http DefaultMaxHeaderBytes"""

    async def scenario() -> bytes:
        async with serving(hello) as (_, reader, writer):
            writer.write(b"GET / HTTP/1.1\r\nx: " + b"a" * (LARGEST_HEAD_BYTES + 1))
            return await reader.readline()

    assert asyncio.run(scenario()) == b"HTTP/1.1 431 Request Header Fields Too Large\r\n"


def test_server_that_closes_lets_requests_end() -> None:
    async def scenario() -> tuple[bytes, float]:
        asked, go = asyncio.Event(), asyncio.Event()

        async def slow(scope: Any, receive: Any, send: Any) -> None:
            asked.set()
            await go.wait()
            await hello(scope, receive, send)

        async with serving(slow) as (server, reader, writer):
            writer.write(GET)
            await asked.wait()
            asyncio.get_running_loop().call_later(3, go.set)
            await server.close(within=5)
            return await reader.read(), now()

    answer, took = virtual_time.run(scenario())
    assert answer.endswith(b"hello")
    assert took == pytest.approx(3)


@pytest.mark.parametrize("heeds", [True, False], ids=["a request that sees the cut", "one that waits for ever"])
def test_server_that_closes_cuts_what_does_not_end(heeds: bool, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> float:
        asked = asyncio.Event()

        async def endless(scope: Any, receive: Any, send: Any) -> None:
            await receive()
            await send({"type": "http.response.start", "status": 200, "headers": []})
            asked.set()
            await (receive() if heeds else asyncio.get_running_loop().create_future())

        async with serving(endless) as (server, _, writer):
            writer.write(GET)
            await asked.wait()
            await server.close(within=2)
            return now()

    assert virtual_time.run(scenario()) == pytest.approx(2 if heeds else 3)
    assert caplog.records == []


def test_server_that_closes_leaves_no_raw_connection() -> None:
    class Silent(asyncio.Protocol):
        def connection_made(self, transport: Any) -> None:
            transport.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")

    async def scenario() -> None:
        async with serving(hello, on_upgrade=lambda head: Silent()) as (server, reader, writer):
            writer.write(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: spdy/3.1\r\n\r\n")
            await reader.readuntil(b"\r\n\r\n")
            await server.close()
            assert await reader.read() == b""

    asyncio.run(scenario())


def test_taken_port_is_told() -> None:
    async def scenario() -> None:
        async with serving(hello) as (server, _, _):
            with pytest.raises(OSError, match="in use"):
                await serve(hello, "127.0.0.1", server.port)

    asyncio.run(scenario())
