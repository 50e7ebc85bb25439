"""How a program ends: exit codes, what is told, signals."""

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from kube.client.kubeconfig import ConfigError
from kube.client.leader import LostLease
from kube.component.run import StartupError, run


@dataclass(frozen=True)
class Config:
    v: int = 0


def ended(main: Callable[[Config], Awaitable[None]]) -> object:
    """The exit code."""
    with pytest.raises(SystemExit) as end:
        run("kube-x", main, Config())
    return end.value.code


async def waiting(config: Config) -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.get_running_loop().create_future()


def test_signal_cancels_the_program_which_ends_well() -> None:
    cleaned: list[bool] = []

    async def main(config: Config) -> None:
        try:
            await waiting(config)
        finally:
            cleaned.append(True)

    assert ended(main) == 0
    assert cleaned == [True]


def test_program_that_returns_ends_well() -> None:
    async def main(config: Config) -> None:
        return

    assert ended(main) == 0


@pytest.mark.parametrize(
    "error", [StartupError("no etcd"), ConfigError("no etcd"), LostLease("no etcd"), FileNotFoundError("no etcd")]
)
def test_what_a_user_can_mend_is_one_line(error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    async def main(config: Config) -> None:
        raise error

    assert ended(main) == 1
    assert capsys.readouterr().err == "kube-x: no etcd\n"


def test_expected_error_in_a_task_group_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    async def fail() -> None:
        raise StartupError("no etcd")

    async def main(config: Config) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(fail())

    assert ended(main) == 1
    assert capsys.readouterr().err == "kube-x: no etcd\n"


def test_taken_port_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    async def main(config: Config) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", taken.getsockname()[1])

    assert ended(main) == 1
    told = capsys.readouterr().err
    assert "address already in use" in told
    assert told.count("\n") == 1


def test_bug_is_not_hidden() -> None:
    async def main(config: Config) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(bug())

    async def bug() -> None:
        raise AssertionError("never")

    with pytest.raises(ExceptionGroup):
        run("kube-x", main, Config())
