"""Lines: kept connections to a server of several workers, one to each of them."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import orjson

from tests.component.apiserver_faults.raw_http import Answer, request
from tests.component.conftest import ADMIN_TOKEN

PATIENCE_SECONDS = 20.0


class Line:
    """One connection: a worker's for as long as it lasts."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def ask(self, method: str, target: str, tree: Any = None, token: str = ADMIN_TOKEN) -> Answer:
        self._writer.write(request(method, target, None if tree is None else orjson.dumps(tree), token=token))
        async with asyncio.timeout(PATIENCE_SECONDS):
            status, headers = await self._head()
            if "content-length" in headers:
                return Answer(status, headers, await self._reader.readexactly(int(headers["content-length"])))
            return Answer(status, headers, b"".join([part async for part in self.chunks()]))

    async def watch(self, target: str) -> None:
        """Begin a watch; `chunks` has its events."""
        self._writer.write(request("GET", target))
        assert (await self._head())[0] == 200

    async def chunks(self) -> AsyncIterator[bytes]:
        while size := int(await self._reader.readline(), 16):
            yield await self._reader.readexactly(size)
            await self._reader.readexactly(2)
        await self._reader.readexactly(2)

    async def _head(self) -> tuple[int, Mapping[str, str]]:
        first, *lines = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").splitlines()
        return int(first.split()[1]), {name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)}


@asynccontextmanager
async def lines(port: int, count: int) -> AsyncIterator[list[Line]]:
    """So many connections, opened one after the other: with as many workers each has one."""
    opened: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    try:
        found = []
        for _ in range(count):
            opened.append(await asyncio.open_connection("127.0.0.1", port))
            line = Line(*opened[-1])
            assert (await line.ask("GET", "/livez")).status == 200
            found.append(line)
        yield found
    finally:
        for _, writer in opened:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


def connections(pid: int, port: int) -> int:
    """How many connections to the port a process has."""
    established = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1].endswith(f":{port:04X}") and fields[3] == "01":
            established.add(f"socket:[{fields[9]}]")
    return sum(str(one.readlink()) in established for one in Path(f"/proc/{pid}/fd").iterdir() if one.is_symlink())
