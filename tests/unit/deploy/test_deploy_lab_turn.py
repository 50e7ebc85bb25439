"""One command at a time makes a lab or takes it down; those that touch a single host go beside each other."""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.lab import turn
from tests.wait import eventually_sync


def held(state: Path, how: int) -> bool:
    """Whether somebody's lock keeps this one away."""
    descriptor = os.open(state, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


@contextmanager
def waiting(state: Path, capsys: pytest.CaptureFixture[str], *, make: bool) -> Iterator[list[bool]]:
    """A command that wants the lab alone while it is held; yields what it finds in its turn: whether the state is there."""
    found: list[bool] = []

    def command() -> None:
        with turn.taken(state, alone=True, make=make):
            found.append(state.exists())

    thread = threading.Thread(target=command)
    with turn.taken(state, alone=False):
        thread.start()
        told = f"another command is at work on the lab in {state}; waiting for it"
        eventually_sync(lambda: told in capsys.readouterr().err, 5, "it waits")
        yield found
    thread.join(10)
    assert not thread.is_alive()


def test_commands_on_single_hosts_go_beside_each_other_and_keep_up_and_down_waiting(tmp_path: Path) -> None:
    with turn.taken(tmp_path, alone=False):
        assert not held(tmp_path, fcntl.LOCK_SH)
        assert held(tmp_path, fcntl.LOCK_EX)
    with turn.taken(tmp_path, alone=True):
        assert held(tmp_path, fcntl.LOCK_SH)
    assert not held(tmp_path, fcntl.LOCK_EX)


def test_who_waits_says_so_and_has_its_turn_afterwards(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with waiting(tmp_path, capsys, make=False) as found:
        assert found == []
    assert found == [True]


@pytest.mark.parametrize("make", [True, False])
def test_a_lab_that_was_removed_meanwhile_is_made_anew_or_not_there(
    make: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "lab"
    state.mkdir()
    with waiting(state, capsys, make=make) as found:
        state.rmdir()
    assert found == [make]
