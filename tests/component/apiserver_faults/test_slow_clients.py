"""Clients that connect and are slow: two thousand of them cost the others nothing, and what they held is given back."""

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from apiserver.config import Config
from tests.component.apiserver_faults.load import PATH
from tests.component.apiserver_faults.raw_http import ask, request
from tests.component.apiserver_faults.server_process import ServerProcess
from tests.wait import eventually

SLOW = 2000
ROOM = 10  # descriptors that come and go by themselves
WITHIN_SECONDS = 20.0
BODY = b'{"metadata":{"name":"while-they-wait"}}'
HEAD = request("GET", PATH)


@pytest.fixture
def process(api_config: Config, tmp_path: Path) -> Iterator[ServerProcess]:
    one = ServerProcess(api_config, tmp_path)
    yield one
    one.remove()


def test_two_thousand_slow_clients_hold_up_nobody(runner: asyncio.Runner, process: ServerProcess) -> None:
    """Some say nothing, some send half a head, some half a body, some do not read: a request among them is answered as ever.

    (That a head has 32 s to be complete is tested with a clock of its own in test_component_http_server_limits.py.)
    Rule: issue 3: bad input never hangs the server; behaviour E.1.8: slow watchers are cut, never block others
    """

    async def scenario() -> None:
        await process.start()
        before = _descriptors(process)
        said = (b"", HEAD[: len(HEAD) // 2], request("POST", PATH, BODY)[:-5], request("GET", f"{PATH}?watch=1"))
        with ExitStack() as slow:
            for number in range(SLOW):  # the server is another process: it accepts them while this one waits
                one = slow.enter_context(socket.create_connection(("127.0.0.1", process.port)))
                one.sendall(said[number % len(said)])
            await eventually(
                lambda: _held(process, range(before + SLOW - ROOM, before + SLOW + ROOM)), WITHIN_SECONDS, "all are accepted"
            )
            assert (await ask(process.url, "POST", PATH, BODY)).status == 201
            assert (await ask(process.url, "GET", "/readyz")).status == 200
        await eventually(lambda: _held(process, range(before + ROOM)), WITHIN_SECONDS, "what they held is given back")
        assert (await ask(process.url, "GET", f"{PATH}/while-they-wait")).status == 200

    runner.run(scenario())


def _descriptors(process: ServerProcess) -> int:
    return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in process.workers)


async def _held(process: ServerProcess, numbers: range) -> bool:
    return _descriptors(process) in numbers
