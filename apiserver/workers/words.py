"""Words: questions and answers between the first worker and another one, over a Unix socket.

    ready, metrics                              another one to the first: it has read the registry; the whole server's metrics?
    bootstrapped, metrics, let go, end          the first to another one: the first objects are made; its own metrics?; SIGTERM

Each frame is its length, 4 bytes, and a MessagePack of [number of the question, word, body]; an answer has no word. Either side
asks, and each question is answered beside the others. Both sides are one program, so nothing is checked.
"""

import asyncio
import itertools
import socket
from collections.abc import Awaitable, Callable

import msgspec

READY, METRICS, BOOTSTRAPPED, LET_GO, END = "ready", "metrics", "bootstrapped", "let go", "end"

Answering = Callable[[str], Awaitable[bytes]]

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[int, str, bytes]).decode
LENGTH_BYTES = 4


class Words:
    """One end. `run` it."""

    def __init__(self, connection: socket.socket, answering: Answering) -> None:
        self._connection = connection
        self._answering = answering
        self._writer: asyncio.StreamWriter | None = None
        self._open = asyncio.Event()
        self._numbers = itertools.count()
        self._asked: dict[int, asyncio.Future[bytes]] = {}

    async def run(self) -> None:
        """Until the other end is closed; what was asked and is not answered then fails."""
        reader, self._writer = await asyncio.open_unix_connection(sock=self._connection)
        self._open.set()
        answers: set[asyncio.Task[None]] = set()
        try:
            while True:
                length = int.from_bytes(await reader.readexactly(LENGTH_BYTES), "big")
                number, word, body = _decode(await reader.readexactly(length))
                if word:
                    task = asyncio.create_task(self._answer(number, word))
                    answers.add(task)
                    task.add_done_callback(answers.discard)
                elif not (waiting := self._asked.pop(number)).done():
                    waiting.set_result(body)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            self._writer.close()
            for answer in answers:
                answer.cancel()
            for waiting in self._asked.values():
                if not waiting.done():
                    waiting.set_exception(ConnectionResetError("the other process is gone"))

    async def ask(self, word: str) -> bytes:
        """The other end's answer. Raises ConnectionError."""
        await self._open.wait()
        number = next(self._numbers)
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        self._send(number, word, b"")
        told: bytes = await answer
        return told

    async def _answer(self, number: int, word: str) -> None:
        self._send(number, "", await self._answering(word))

    def _send(self, number: int, word: str, body: bytes) -> None:
        assert self._writer is not None, "open"
        frame = _encode((number, word, body))
        self._writer.write(len(frame).to_bytes(LENGTH_BYTES, "big") + frame)
