"""Faults for clients: a server that answers as a test says, and a proxy that breaks connections to a real one."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import parse_qsl

import orjson

from kube.client.kubeconfig import Config
from kube.client.rest import Client
from kube.component.http_server import serve

Write = Callable[[bytes], Awaitable[None]]
Query = dict[str, str]


class Asked:
    """A request as it came, and the way to answer it."""

    def __init__(self, scope: Any, body: bytes, receive: Any, send: Any) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query: Query = dict(parse_qsl(scope["query_string"].decode()))
        self.headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.body = body
        self.at = asyncio.get_running_loop().time()
        self._receive = receive
        self._send = send

    async def answer(self, status: int = 200, tree: Any = None, **headers: str) -> None:
        told = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": told})
        body = tree if isinstance(tree, bytes) else orjson.dumps(tree)
        await self._send({"type": "http.response.body", "body": body})

    async def events(self, *events: dict[str, Any], and_then: str = "end") -> None:
        """Answer a watch; and_then: "end" it in good order, "cut" it within an event, or "hang" until the client leaves."""
        await self._send({"type": "http.response.start", "status": 200, "headers": []})
        lines = b"".join(orjson.dumps(event) + b"\n" for event in events)
        lines += b'{"type": "ADDED", "obj' if and_then == "cut" else b""
        await self._send({"type": "http.response.body", "body": lines, "more_body": True})
        if and_then == "end":
            await self._send({"type": "http.response.body", "body": b""})
        if and_then == "hang":
            await self._receive()


Respond = Callable[[Asked], Awaitable[None]]


class Scripted:
    """An ASGI app that answers each request with the next of what a test wrote down, and the last of them for ever."""

    def __init__(self, *script: Respond) -> None:
        self.asked: list[Asked] = []
        self._script = list(script)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        asked = Asked(scope, body, receive, send)
        self.asked.append(asked)
        respond = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        await respond(asked)


@asynccontextmanager
async def client_of(script: Scripted, **config: Any) -> AsyncIterator[Client]:
    """A client of a scripted server."""
    server = await serve(script, "127.0.0.1", 0)
    try:
        async with Client(Config(server=f"http://127.0.0.1:{server.port}", **config), "test") as client:
            yield client
    finally:
        await server.close(within=0.1)


async def cut(asked: Asked) -> None:
    """Break the connection in the middle of the answer's body."""
    await asked._send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"100")]})


class Proxy:
    """Forwards connections to a server on this machine, until it is told to break them."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self.refuses = False
        self.port = 0

    async def __aenter__(self) -> "Proxy":
        self._listener = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._listener.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._listener.close()
        self.cut()
        self.thaw()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Break every connection."""
        for writer in self._writers:
            writer.transport.abort()

    def freeze(self) -> None:
        """Keep connections open and pass nothing on."""
        self._flows.clear()

    def thaw(self) -> None:
        self._flows.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refuses:
            writer.transport.abort()
            return
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers |= {writer, back}
        both = [asyncio.ensure_future(self._pass_on(reader, back)), asyncio.ensure_future(self._pass_on(there, writer))]
        self._tasks.update(both)
        await asyncio.wait(both)
        for one in (writer, back):
            self._writers.discard(one)
            one.close()
            with suppress(OSError):
                await one.wait_closed()

    async def _pass_on(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                await self._flows.wait()
                sink.write(data)
                await sink.drain()
        sink.transport.abort()
