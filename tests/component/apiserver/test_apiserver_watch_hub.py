"""Many watchers of the same thing over real connections: each gets every event after its version, once, in order."""

import asyncio
import json
import random
from typing import Any

import pytest

from apiserver.handlers import watch
from apiserver.storage import watch_cache
from kube.client.rest import Client
from kube.component.http_cycle import Cycle
from tests.component.conftest import ADMIN_TOKEN, RunningApi

PATH = "/api/v1/namespaces/default/configmaps"


class RawWatch:
    """A watch on a socket of its own, which reads when it is told to."""

    def __init__(self, api: RunningApi, query: str) -> None:
        self._port = int(api.url.rpartition(":")[2])
        self._query = query
        self._buffer = b""

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port, limit=4096)
        head = f"GET {PATH}?watch=1&{self._query} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ADMIN_TOKEN}\r\n\r\n"
        self._writer.write(head.encode())
        assert b" 200 " in await self._reader.readuntil(b"\r\n\r\n")

    async def event(self) -> dict[str, Any] | None:
        """The next one; None at the end of the stream."""
        while b"\n" not in self._buffer:
            size = int(await self._reader.readline() or b"0", 16)
            if size == 0:
                return None
            self._buffer += await self._reader.readexactly(size)
            await self._reader.readexactly(2)
        line, _, self._buffer = self._buffer.partition(b"\n")
        found: dict[str, Any] = json.loads(line)
        return found

    async def numbers_until(self, last: int) -> list[int]:
        found: list[int] = []
        while not found or found[-1] != last:
            event = await self.event()
            assert event is not None, "the stream goes on"
            if event["type"] != "BOOKMARK":
                found.append(int(event["object"]["data"]["number"]))
        return found

    def close(self) -> None:
        self._writer.close()


async def put(client: Client, number: int, text: str = "") -> int:
    tree = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "data": {"number": str(number), "text": text}}
    answer = await client.request("PUT", f"{PATH}/one", body=tree) if number else await client.request("POST", PATH, body=tree)
    return int(answer.tree()["metadata"]["resourceVersion"])


def test_watchers_that_join_at_any_time_miss_nothing(runner: asyncio.Runner, apiserver: RunningApi, client: Client) -> None:
    """Rule: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes"""

    async def scenario() -> None:
        versions = [await put(client, 0)]
        last = 150
        reading: list[tuple[int, asyncio.Task[list[int]]]] = []
        watches: list[RawWatch] = []
        for number in range(1, last + 1):
            if number % 5 == 0:
                since = random.randrange(len(versions))
                one = RawWatch(apiserver, f"resourceVersion={versions[since]}")
                await one.open()
                watches.append(one)
                reading.append((since, asyncio.ensure_future(one.numbers_until(last))))
            versions.append(await put(client, number))
        async with asyncio.timeout(20):
            for since, task in reading:
                assert await task == list(range(since + 1, last + 1))
        for one in watches:
            one.close()

    runner.run(scenario())


def test_a_client_that_does_not_read_holds_up_nobody_and_gets_its_events_later(
    runner: asyncio.Runner, apiserver: RunningApi, client: Client
) -> None:
    """Rule: apiserver pkg/storage/cacher/cache_watcher.go"""

    async def scenario() -> None:
        version = await put(client, 0)
        slow, fast = (RawWatch(apiserver, f"resourceVersion={version}") for _ in range(2))
        await slow.open()
        await fast.open()
        last = 60
        async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(fast.numbers_until(last))
            for number in range(1, last + 1):
                await put(client, number, "x" * 300_000)
            assert await reading == list(range(1, last + 1))
        async with asyncio.timeout(30):
            assert await slow.numbers_until(last) == list(range(1, last + 1))
        slow.close()
        fast.close()

    runner.run(scenario())


def test_a_client_that_never_reads_is_cut(
    runner: asyncio.Runner, apiserver: RunningApi, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it gets before the cut has no gap. Rule: apiserver pkg/storage/cacher/cache_watcher.go"""
    monkeypatch.setattr(watch_cache, "WATCHER_BUFFER", 10)

    async def scenario() -> None:
        version = await put(client, 0)
        slow = RawWatch(apiserver, f"resourceVersion={version}")
        await slow.open()
        for number in range(1, 61):
            await put(client, number, "x" * 300_000)
        seen: list[int] = []
        async with asyncio.timeout(30):
            while (event := await slow.event()) is not None:
                seen.append(int(event["object"]["data"]["number"]))
        assert 0 < len(seen) < 60
        assert seen == list(range(1, len(seen) + 1))
        slow.close()

    runner.run(scenario())


def test_a_bookmark_never_overtakes_an_event(
    runner: asyncio.Runner, apiserver: RunningApi, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule: https://kubernetes.io/docs/reference/using-api/api-concepts/#watch-bookmarks"""
    monkeypatch.setattr(watch, "BOOKMARK_SECONDS", 0.01)

    async def scenario() -> None:
        version = await put(client, 0)
        one = RawWatch(apiserver, f"resourceVersion={version}&allowWatchBookmarks=true")
        await one.open()

        async def writing() -> None:
            for number in range(1, 101):
                await put(client, number)

        versions: list[int] = []
        kinds: set[str] = set()
        async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
            tasks.create_task(writing())
            number = 0
            while number < 100:
                event = await one.event()
                assert event is not None
                kinds.add(event["type"])
                versions.append(int(event["object"]["metadata"]["resourceVersion"]))
                number = int(event["object"].get("data", {}).get("number", number))
        assert versions == sorted(versions)
        assert kinds == {"MODIFIED", "BOOKMARK"}
        one.close()

    runner.run(scenario())


def test_watches_are_pushed_to(
    runner: asyncio.Runner, apiserver: RunningApi, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tests above are of the hub."""
    pushed: list[bytes] = []
    push = Cycle.push

    def noted(cycle: Cycle, chunk: bytes) -> bool:
        pushed.append(chunk)
        return push(cycle, chunk)

    monkeypatch.setattr(Cycle, "push", noted)

    async def scenario() -> None:
        version = await put(client, 0)
        one = RawWatch(apiserver, f"resourceVersion={version}")
        await one.open()
        for number in range(1, 11):
            await put(client, number)
            assert await one.numbers_until(number) == [number]
        assert pushed
        one.close()

    runner.run(scenario())
