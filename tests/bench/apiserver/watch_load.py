"""The watching side of the benchmark: raw protocols on uvloop that count events, in a process of its own.

    python -m tests.bench.apiserver.watch_load flood PORT CA WATCHERS            until a line comes on standard input
    python -m tests.bench.apiserver.watch_load paced PORT CA WATCHERS RATE SECONDS

Prints "ready" once every watch is open, and at the end a line of JSON. `flood` counts what others write; `paced` writes by
itself, RATE times a second, and takes the time from each write's response to each delivery of its event.
"""

import asyncio
import json
import re
import ssl
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import uvloop

from tests.bench.apiserver.objects import NAMESPACE, TOKEN, configmap

AT_ONCE = 50  # handshakes
QUIET_SECONDS = 1.0  # without an event: everything was delivered
VERSION = re.compile(rb'"resourceVersion":"(\d+)"')
HEAD = f"Host: localhost\r\nAuthorization: Bearer {TOKEN}\r\n"
BASE = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
Seen = Callable[[bytes], None]


class Watch(asyncio.Protocol):
    """One watch. Counts lines; hands whole ones to `seen`, if somebody wants them."""

    def __init__(self, version: str, seen: Seen | None) -> None:
        self._version = version
        self._seen = seen
        self._rest = b""
        self.open = asyncio.get_running_loop().create_future()
        self.events = 0
        self.last = 0.0
        self.lost = False

    def connection_made(self, transport: Any) -> None:  # uvloop's own kind
        transport.write(f"GET {BASE}?watch=1&resourceVersion={self._version} HTTP/1.1\r\n{HEAD}\r\n".encode())

    def data_received(self, data: bytes) -> None:
        if not self.open.done():
            self.open.set_result(data.split(b"\r\n", 1)[0])
            return
        count = data.count(b"}\n") + (self._rest[-1:] == b"}" and data[:1] == b"\n")
        self.events += count
        self.last = time.monotonic()
        if self._seen is None:
            self._rest = data[-1:]
            return
        *lines, self._rest = (self._rest + data).split(b"}\n")
        for line in lines:
            self._seen(line)

    def connection_lost(self, _error: Exception | None) -> None:
        self.lost = True


class Writer(asyncio.Protocol):
    """PUTs, one at a time; the future of a write is its resourceVersion and when it was told."""

    def __init__(self) -> None:
        self._transport: Any = None
        self._answer: asyncio.Future[tuple[int, float]] | None = None
        self._data = b""

    def connection_made(self, transport: Any) -> None:  # uvloop's own kind
        self._transport = transport

    async def put(self, number: int) -> tuple[int, float]:
        assert self._transport is not None, "connected"
        name = f"cm-{number % 64}"
        body = json.dumps(configmap(name, number))
        head = f"PUT {BASE}/{name} HTTP/1.1\r\n{HEAD}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self._answer, self._data = asyncio.get_running_loop().create_future(), b""
        self._transport.write((head + body).encode())
        return await self._answer

    def data_received(self, data: bytes) -> None:
        told = time.monotonic()
        self._data += data
        found = VERSION.search(self._data)
        if found and self._answer is not None and not self._answer.done():
            self._answer.set_result((int(found[1]), told))


async def opened(port: int, trust: ssl.SSLContext, watchers: int, seen: Seen | None) -> list[Watch]:
    """So many watches from now on."""
    loop = asyncio.get_running_loop()
    _, writer = await loop.create_connection(Writer, "127.0.0.1", port, ssl=trust, server_hostname="127.0.0.1")
    version, _ = await writer.put(time.time_ns())  # a change, whatever stood there
    found: list[Watch] = []
    for start in range(0, watchers, AT_ONCE):
        count = min(AT_ONCE, watchers - start)
        made = [
            loop.create_connection(lambda: Watch(str(version), seen), "127.0.0.1", port, ssl=trust, server_hostname="127.0.0.1")
            for _ in range(count)
        ]
        batch = [watch for _, watch in await asyncio.gather(*made)]
        heads = await asyncio.gather(*(watch.open for watch in batch))
        if any(b" 200 " not in head for head in heads):
            raise SystemExit(f"a watch was refused: {heads[0]!r}")
        found += batch
    return found


async def flood(port: int, trust: ssl.SSLContext, watchers: int) -> dict[str, float]:
    watches = await opened(port, trust, watchers, None)
    began = time.monotonic()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    before, events = -1, 0
    while events != before:
        await asyncio.sleep(QUIET_SECONDS)
        before, events = events, sum(watch.events for watch in watches)
    counts = [watch.events for watch in watches]
    seconds = max(watch.last for watch in watches) - began
    return {
        "events": sum(counts), "seconds": seconds, "uneven": max(counts) - min(counts),
        "lost": sum(watch.lost for watch in watches),
    }  # fmt: skip


async def paced(port: int, trust: ssl.SSLContext, watchers: int, rate: float, seconds: float) -> dict[str, float]:
    told: dict[int, float] = {}
    delivered: list[tuple[int, float]] = []

    def seen(line: bytes) -> None:
        found = VERSION.search(line)
        if found:
            delivered.append((int(found[1]), time.monotonic()))

    await opened(port, trust, watchers, seen)
    loop = asyncio.get_running_loop()
    _, writer = await loop.create_connection(Writer, "127.0.0.1", port, ssl=trust, server_hostname="127.0.0.1")
    print("ready", flush=True)
    began = time.monotonic()
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        version, at = await writer.put(number + 1_000_000)
        told[version] = at
    await asyncio.sleep(QUIET_SECONDS)
    delays = sorted((at - told[version]) * 1e3 for version, at in delivered if version in told)
    expected = len(told) * watchers
    return {
        "writes": len(told), "missing": expected - len(delays), "p50_ms": statistics.median(delays),
        "p99_ms": delays[int(len(delays) * 0.99)], "max_ms": delays[-1],
    }  # fmt: skip


def main(how: str, port: str, ca: str, watchers: str, *more: str) -> None:
    trust = ssl.create_default_context(cafile=ca)
    if how == "flood":
        result = uvloop.run(flood(int(port), trust, int(watchers)))
    else:
        rate, seconds = map(float, more)
        result = uvloop.run(paced(int(port), trust, int(watchers), rate, seconds))
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
