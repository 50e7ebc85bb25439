"""The HTTP server's short way: plain requests known by their bytes, answered without the app, or given back to it."""

import asyncio
from collections.abc import Callable
from typing import Any

from kube.component.http_server import Server
from kube.component.short_way import Brief
from tests.unit.kube_component.serving import serving
from tests.wait import eventually

GET = b"GET /a?b=1 HTTP/1.1\r\nhost: x\r\nx-one: 1\r\n\r\n"


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Tells what it was asked."""
    body = f"app {scope['method']} {scope['path']}?{scope['query_string'].decode()} {len(scope['headers'])}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


class Short:
    """Takes what it is told to, and keeps it until the test goes on."""

    def __init__(self, *, takes: bool = True) -> None:
        self.takes = takes
        self.offered = 0
        self.briefs: list[Brief] = []

    def take(self, brief: Brief) -> bool:
        self.offered += 1
        if self.takes:
            self.briefs.append(brief)
        return self.takes

    async def taken(self) -> Brief:
        await until(lambda: bool(self.briefs), "the short way is taken")
        return self.briefs[0]

    def answer(self) -> None:
        self.briefs.pop(0).answer(b"content-length: 5\r\n", b"short")


async def until(true: Callable[[], bool], what: str) -> None:
    async def look() -> bool:
        return true()

    await eventually(look, 5, what)


async def body_of(reader: asyncio.StreamReader) -> bytes:
    """Of one answer."""
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    length = next(line for line in head.split(b"\r\n") if line.startswith(b"content-length")).rpartition(b" ")[2]
    return await reader.readexactly(int(length))


async def asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> bytes:
    writer.write(request)
    return await body_of(reader)


async def taken_in(server: Server) -> None:
    """The server has read whatever was written before: it answers somebody who came later."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    await asked(reader, writer, b"GET /later HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    writer.close()
    await writer.wait_closed()


def test_second_time_the_same_bytes_may_go_the_short_way() -> None:
    async def scenario() -> list[bytes]:
        short = Short()
        async with serving(app, short_way=short, ends_within=1) as (_, reader, writer):
            first = await asked(reader, writer, GET)
            writer.write(GET)
            plain = (await short.taken()).plain
            assert (plain.path, plain.query_string, plain.headers) == ("/a", b"b=1", [(b"host", b"x"), (b"x-one", b"1")])
            short.answer()
            second = await body_of(reader)
            third = await asked(reader, writer, GET.replace(b"/a", b"/c"))
            return [first, second, third]

    assert asyncio.run(scenario()) == [b"app GET /a?b=1 2", b"short", b"app GET /c?b=1 2"]


def test_what_the_short_way_does_not_take_is_the_apps() -> None:
    async def scenario() -> tuple[list[bytes], int]:
        short = Short(takes=False)
        async with serving(app, short_way=short, ends_within=1) as (_, reader, writer):
            return [await asked(reader, writer, GET) for _ in range(3)], short.offered

    assert asyncio.run(scenario()) == ([b"app GET /a?b=1 2"] * 3, 2)


def test_what_the_short_way_gives_up_is_the_apps() -> None:
    async def scenario() -> bytes:
        short = Short()
        async with serving(app, short_way=short, ends_within=1) as (_, reader, writer):
            await asked(reader, writer, GET)
            writer.write(GET)
            await short.taken()
            short.briefs.pop().go_long()
            return await body_of(reader)

    assert asyncio.run(scenario()) == b"app GET /a?b=1 2"


def test_nothing_but_a_whole_plain_get_is_remembered() -> None:
    async def scenario() -> int:
        short = Short()
        requests = (
            b"POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n",
            b"GET /a HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}",
            b"GET /a HTTP/1.1\r\nhost: x\r\nupgrade: h2c\r\n\r\n",
            b"HEAD /a HTTP/1.1\r\nhost: x\r\n\r\n",
        )
        async with serving(app, short_way=short, ends_within=1) as (server, reader, writer):
            for request in requests[:3] * 2:
                await asked(reader, writer, request)
            for _ in range(2):  # in two pieces
                writer.write(GET[:20])
                await taken_in(server)
                await asked(reader, writer, GET[20:])
            for _ in range(2):  # two at once
                writer.write(GET + GET)
                assert await body_of(reader) == await body_of(reader)
        return short.offered

    assert asyncio.run(scenario()) == 0


def test_answers_keep_the_order_of_their_requests() -> None:
    """What comes while a brief request waits is answered after it, whether the app or the short way answered that."""

    async def scenario(ends: Callable[[Brief], None]) -> list[bytes]:
        short = Short()
        async with serving(app, short_way=short, ends_within=1) as (server, reader, writer):
            await asked(reader, writer, GET)
            writer.write(GET)
            await short.taken()
            writer.write(GET.replace(b"/a", b"/next"))
            await taken_in(server)
            ends(short.briefs.pop())
            return [await body_of(reader), await body_of(reader)]

    answered = asyncio.run(scenario(lambda brief: brief.answer(b"content-length: 5\r\n", b"short")))
    assert answered == [b"short", b"app GET /next?b=1 2"]
    assert asyncio.run(scenario(Brief.go_long)) == [b"app GET /a?b=1 2", b"app GET /next?b=1 2"]


def test_closing_waits_for_brief_requests_and_tells_the_client() -> None:
    async def scenario() -> bytes:
        short = Short()
        async with serving(app, short_way=short, ends_within=1) as (server, reader, writer):
            await asked(reader, writer, GET)
            writer.write(GET)
            await short.taken()
            closing = asyncio.create_task(server.close(within=5))
            await until(lambda: not short.briefs[0].keep_alive, "the server closes")
            short.answer()
            whole = await asyncio.wait_for(reader.read(), 5)
            await closing
            return whole

    whole = asyncio.run(scenario())
    assert whole.endswith(b"\r\n\r\nshort")
    assert b"connection: close\r\n" in whole


def test_client_that_left_is_answered_nothing() -> None:
    async def scenario() -> bool:
        short = Short()
        async with serving(app, short_way=short, ends_within=1) as (_, reader, writer):
            await asked(reader, writer, GET)
            writer.write(GET)
            brief = await short.taken()
            writer.close()
            await until(lambda: brief.disconnected, "the server knows that the client left")
            short.answer()
            return brief.response_complete

    assert asyncio.run(scenario())


async def told(scope: Any, receive: Any, send: Any) -> None:
    """Tells which body came with which head, and how often the head came before."""
    body = b""
    while True:
        message = await receive()
        body += message["body"]
        if not message["more_body"]:
            break
    head = scope["extensions"].get("head")
    times = -1
    if head is not None:
        times = head.found["times"] = head.found.get("times", 0) + 1
    text = b"%b %b %d" % (scope["method"].encode(), body, times)
    assert scope["extensions"]["answer"](200, b"content-length: %d\r\n" % len(text), text)


def test_a_known_head_may_have_another_body_each_time() -> None:
    """What is not the whole of one request is the parser's, whatever it begins with."""
    head = b"POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n"

    async def scenario() -> list[bytes]:
        async with serving(told, ends_within=1) as (server, reader, writer):
            answers = [await asked(reader, writer, head + body) for body in (b"{}", b"[]", b"\r\n")]
            writer.write(head)  # the body comes later
            await taken_in(server)
            answers.append(await asked(reader, writer, b"ab"))
            writer.write(head + b"cd" + head + b"ef")
            answers += [await body_of(reader), await body_of(reader)]
            answers.append(await asked(reader, writer, head + b"gh"))
            return answers

    assert asyncio.run(scenario()) == [
        b"POST {} -1", b"POST [] 1", b"POST \r\n 2", b"POST ab -1", b"POST cd -1", b"POST ef -1", b"POST gh 3",
    ]  # fmt: skip


def test_a_whole_answer_is_written_as_by_messages() -> None:
    """Rule: kube/component/http_cycle.py: `answer` says what ASGI's two messages say."""

    async def by_messages(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 201, "headers": [(b"x-a", b"1"), (b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    async def at_once(scope: Any, receive: Any, send: Any) -> None:
        assert scope["extensions"]["answer"](201, b"x-a: 1\r\ncontent-length: 2\r\n", b"ok")

    async def scenario(app: Any, request: bytes) -> bytes:
        async with serving(app, ends_within=1) as (_, reader, writer):
            writer.write(request)
            return b"".join(line for line in (await reader.read()).splitlines(keepends=True) if not line.startswith(b"date: "))

    for method in (b"GET", b"HEAD"):
        request = method + b" / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
        answers = [asyncio.run(scenario(app, request)) for app in (by_messages, at_once)]
        assert answers[0] == answers[1]
        assert answers[0].startswith(b"HTTP/1.1 201 Created\r\nx-a: 1\r\ncontent-length: 2\r\nconnection: close\r\n\r\n")
