"""The API server's own end: killed under load it loses nothing and is back at once; asked to end it cuts off nobody."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from apiserver.config import Config
from apiserver.workers.ending import LONG_RUNNING_SECONDS
from tests.component.apiserver_faults.load import PATH, Watching, Writers, listed, more
from tests.component.apiserver_faults.raw_http import ask, conversation, request
from tests.component.apiserver_faults.server_process import ServerProcess
from tests.wait import eventually

WITHIN_SECONDS = 20.0
BODY = b'{"metadata":{"name":"%s"}}'


@pytest.fixture
def process(api_config: Config, tmp_path: Path) -> Iterator[ServerProcess]:
    one = ServerProcess(api_config, tmp_path, {"--shutdown-delay-duration": "1s"})
    yield one
    one.remove()


def test_no_acknowledged_write_is_lost_when_the_server_is_killed_under_load(runner: asyncio.Runner, process: ServerProcess) -> None:
    """Half of a request is on its way when it dies: nothing is left of that. Rule: issue 3: no acknowledged write is lost."""

    async def scenario() -> None:
        await process.start()
        writers = Writers(lambda: process.url)
        tasks = writers.start(6)
        await eventually(partial(more, writers.acknowledged, 100), WITHIN_SECONDS, "writes")
        reader, writer = await asyncio.open_connection("127.0.0.1", process.port)
        writer.write(request("POST", PATH, BODY % b"half")[:-5])
        await writer.drain()
        process.kill()
        with suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()
        await process.start()
        done = len(writers.acknowledged)
        await eventually(lambda: more(writers.acknowledged, done + 50), WITHIN_SECONDS, "writes go on")
        start = await listed(process.url)
        watching = Watching(lambda: process.url, start["metadata"]["resourceVersion"])
        watch = asyncio.ensure_future(watching.run())
        await eventually(lambda: more(writers.acknowledged, done + 100), WITHIN_SECONDS, "writes go on")
        writers.stopping = True
        await asyncio.gather(*tasks)
        names = {one["metadata"]["name"] for one in (await listed(process.url))["items"]}
        assert writers.wrong == []
        assert writers.acknowledged <= names
        assert "half" not in names
        new = names - {one["metadata"]["name"] for one in start["items"]}
        await eventually(lambda: more(watching.added, len(new)), WITHIN_SECONDS, "the watch has what is new")
        assert sorted(watching.added) == sorted(new)
        watch.cancel()

    runner.run(scenario())


def test_a_server_that_ends_says_so_first_and_finishes_what_it_began(runner: asyncio.Runner, process: ServerProcess) -> None:
    """/readyz fails while all is served still; answers end their connections; a watch ends in good order; exit code 0.

    Rule: https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/ (--shutdown-delay-duration)
    """

    async def scenario() -> None:
        await process.start()
        watch = asyncio.ensure_future(conversation(process.url, [request("GET", f"{PATH}?watch=1")], ["GET"]))
        half = request("POST", PATH, BODY % b"slow")
        reader, writer = await asyncio.open_connection("127.0.0.1", process.port)
        writer.write(half[:-5])
        await writer.drain()
        process.terminate()
        await eventually(partial(_fails, process, "/readyz"), WITHIN_SECONDS, "it is not ready")
        assert (await ask(process.url, "GET", "/livez")).status == 200
        last = await ask(process.url, "POST", PATH, BODY % b"last")
        assert (last.status, last.headers["connection"]) == (201, "close")
        writer.write(half[-5:])
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 201 ")
        writer.close()
        (told,) = await watch
        assert told.status == 200
        assert [b"slow" in line or b"last" in line for line in told.body.splitlines()][-2:] == [True, True]
        assert await asyncio.to_thread(process.ended) == 0
        with pytest.raises(ConnectionRefusedError):
            await ask(process.url, "GET", "/livez")

    runner.run(scenario())


def test_a_request_on_its_way_has_its_time_when_the_server_ends(runner: asyncio.Runner, process: ServerProcess) -> None:
    """It is waited for longer than what may last for days (a connection into a pod). Rule: issue 3: no request is cut off."""

    async def scenario() -> None:
        await process.start()
        half = request("POST", PATH, BODY % b"late")
        reader, writer = await asyncio.open_connection("127.0.0.1", process.port)
        writer.write(half[:-5])
        await writer.drain()
        process.terminate()
        await eventually(partial(_takes_nothing_new, process), WITHIN_SECONDS, "nothing new is taken")
        enough = time.monotonic() + LONG_RUNNING_SECONDS + 1
        await eventually(partial(_is_past, enough), WITHIN_SECONDS, "some seconds are over")
        writer.write(half[-5:])
        assert (await reader.read()).startswith(b"HTTP/1.1 201 ")
        writer.close()
        assert await asyncio.to_thread(process.ended) == 0

    runner.run(scenario())


async def _takes_nothing_new(process: ServerProcess) -> bool:
    try:
        await ask(process.url, "GET", "/livez")
    except OSError:
        return True
    return False


async def _is_past(moment: float) -> bool:
    return time.monotonic() > moment


async def _fails(process: ServerProcess, path: str) -> bool:
    return (await ask(process.url, "GET", path)).status == 500
