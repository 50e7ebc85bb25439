"""Raw HTTP: requests byte for byte as no client library would send them, and what came back."""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import h11
import orjson

from tests.component.conftest import ADMIN_TOKEN

PATIENCE_SECONDS = 20.0  # a request without an answer by then hangs


@dataclass(frozen=True)
class Answer:
    """`status` 0: the connection was closed without one."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def is_status(self) -> bool:
        """Whether it is the Status object of its own code."""
        try:
            tree = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return False
        return isinstance(tree, dict) and tree.get("kind") == "Status" and tree.get("code") == self.status

    @property
    def tree(self) -> Any:
        return orjson.loads(self.body)


NO_ANSWER = Answer(0, {}, b"")


def request(
    method: str, target: str, body: bytes | None = None, headers: Mapping[str, str] | None = None, token: str = ADMIN_TOKEN
) -> bytes:
    """The bytes of a request."""
    about = {"Host": "x", "Authorization": f"Bearer {token}"}
    if body is not None:
        about |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
    lines = [f"{name}: {value}" for name, value in (about | dict(headers or {})).items() if value]
    return "\r\n".join([f"{method} {target} HTTP/1.1", *lines, "", ""]).encode("latin-1") + (body or b"")


async def ask(
    url: str, method: str, target: str, body: bytes | None = None, headers: Mapping[str, str] | None = None, *, stream: bool = False
) -> Answer:
    """One request on a connection of its own. `stream`: it may be a watch, whose head is answer enough."""
    return (await conversation(url, [request(method, target, body, headers)], [method], stream=stream))[0]


async def conversation(url: str, pieces: Iterable[bytes], methods: Iterable[str], *, stream: bool = False) -> list[Answer]:
    """Send the pieces one after the other; one answer for each method, on the same connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            sending = asyncio.ensure_future(_send(writer, pieces))
            parsed = _Parsed(reader)
            answers = [await parsed.answer(method, stream) for method in methods]
            await sending
            return answers
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def _send(writer: asyncio.StreamWriter, pieces: Iterable[bytes]) -> None:
    with suppress(ConnectionError):  # the server may refuse before it has read everything
        for piece in pieces:
            writer.write(piece)
            await writer.drain()


class _Parsed:
    """Answers off a connection, in order."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._rest = b""

    async def answer(self, method: str, stream: bool) -> Answer:
        parser = h11.Connection(h11.CLIENT)
        parser.send(h11.Request(method=method if method.isalpha() else "GET", target="/", headers=[("host", "x")]))
        parser.send(h11.EndOfMessage())
        if self._rest:
            parser.receive_data(self._rest)
        head: h11.Response | None = None
        parts: list[bytes] = []
        while True:
            event = parser.next_event()
            if event is h11.NEED_DATA:
                with suppress(ConnectionError):
                    if data := await self._reader.read(1 << 16):
                        parser.receive_data(data)
                        continue
                if head is None:
                    return NO_ANSWER
                parser.receive_data(b"")
            elif isinstance(event, h11.Response):
                head = event
                if stream and b"content-length" not in dict(event.headers):
                    break
            elif isinstance(event, h11.Data):
                parts.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed) or event is h11.PAUSED:
                break
        self._rest = parser.trailing_data[0]
        assert head is not None
        headers = {name.decode(): value.decode("latin-1") for name, value in head.headers}
        return Answer(head.status_code, headers, b"".join(parts))
