"""Load: writers who note what was acknowledged, and a watcher who notes what it was told, whatever happens to the server."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import orjson

from tests.component.apiserver_faults.raw_http import Answer, ask, request
from tests.wait import eventually

PATH = "/api/v1/namespaces/default/configmaps"
CREATED = 201
PATIENCE_SECONDS = 60.0
MAY_FAIL = frozenset((0, 409, 429, 500, 503, 504))  # 0: the connection ended; 409: the answer of an earlier try was lost


@dataclass
class Writers:
    """Each creates one object after another, under names that nobody else uses."""

    url: Callable[[], str]  # of the server to write to now
    prefix: str = "w"
    acknowledged: set[str] = field(default_factory=set)
    answers: Counter[int] = field(default_factory=Counter)
    slowest: float = 0.0
    wrong: list[str] = field(default_factory=list)
    stopping: bool = False

    async def run(self, writer: int) -> None:
        number = 0
        while not self.stopping:
            number += 1
            name = f"{self.prefix}{writer}-{number}"
            began = time.monotonic()
            answer = await _asked(self.url(), "POST", PATH, b'{"metadata":{"name":"%s"}}' % name.encode())
            self.slowest = max(self.slowest, time.monotonic() - began)
            self.answers[answer.status] += 1
            if not answer.status:
                await eventually(self._listening, PATIENCE_SECONDS, "a server that listens")
            if answer.status == CREATED:
                self.acknowledged.add(name)
            elif answer.status not in MAY_FAIL or (answer.status and not answer.is_status()):
                self.wrong.append(f"{name}: {answer}")

    async def _listening(self) -> bool:
        return self.stopping or await listening(self.url())

    def start(self, count: int) -> list["asyncio.Task[None]"]:
        return [asyncio.ensure_future(self.run(number)) for number in range(count)]


async def listed(url: str, query: str = "") -> Any:
    """The list, and names twice in it would show."""
    answer = await ask(url, "GET", PATH + query)
    assert answer.status == 200, answer
    return answer.tree


@dataclass
class Watching:
    """A client that watches, and begins again where it was when its watch ends; 410 is noted, and ends it."""

    url: Callable[[], str]
    revision: str
    added: list[str] = field(default_factory=list)
    revisions: list[int] = field(default_factory=list)
    expired: bool = False

    async def run(self) -> None:
        while not self.expired:
            with suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
                await self._once()
            await eventually(lambda: listening(self.url()), PATIENCE_SECONDS, "a server that listens")

    async def _once(self) -> None:
        target = f"{PATH}?watch=1&allowWatchBookmarks=true&resourceVersion={self.revision}"
        reader, writer = await asyncio.open_connection("127.0.0.1", int(self.url().rpartition(":")[2]))
        try:
            writer.write(request("GET", target, headers={"Connection": "close"}))
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                return
            rest = b""
            while size := int(await reader.readline() or b"0", 16):
                rest += await reader.readexactly(size)
                await reader.readexactly(2)
                *lines, rest = rest.split(b"\n")
                for line in lines:
                    self._take(orjson.loads(line))
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    def _take(self, event: Any) -> None:
        if event["type"] == "ERROR":
            self.expired = event["object"]["code"] == 410
            return
        metadata = event["object"]["metadata"]
        self.revision = metadata["resourceVersion"]
        if event["type"] == "ADDED":
            self.added.append(metadata["name"])
            self.revisions.append(int(self.revision))


async def listening(url: str) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    except OSError:
        return False
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return True


async def more(names: Collection[str], enough: int) -> bool:
    return len(names) >= enough


async def _asked(url: str, method: str, target: str, body: bytes) -> Answer:
    try:
        return await ask(url, method, target, body)
    except OSError:
        return Answer(0, {}, b"")
