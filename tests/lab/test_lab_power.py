"""A host is switched off while its engine still tidies up: what goes away meanwhile is no fault. Real cgroups; no lab is needed."""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.lab import power

pytestmark = pytest.mark.root


@pytest.fixture
def churning() -> Iterator[tuple[str, list[int]]]:
    """A cgroup below which others come and go, and how often they have."""
    name = f"skiff-power-{os.getpid()}"
    hierarchy = next(one for one in (power.CGROUPS / "pids", power.CGROUPS) if one.is_dir())
    root, ended, rounds = hierarchy / name, threading.Event(), [0]
    root.mkdir()

    def churn() -> None:
        while not ended.is_set():
            children: list[Path] = [root / f"pod{n}" for n in range(20)]
            for child in children:
                child.mkdir()
            for child in children:
                child.rmdir()
            rounds[0] += 1

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        yield name, rounds
    finally:
        ended.set()
        thread.join()
        power.remove_cgroups(name)
    assert not root.exists()


def test_a_cgroup_that_goes_while_it_is_read_has_no_processes(churning: tuple[str, list[int]]) -> None:
    """Rule: `lab kill` and `lab-down` end a host whose containers are ending by themselves (issue 4, clean hands)."""
    name, rounds = churning
    deadline = time.monotonic() + 20
    while rounds[0] < 1000:
        assert power.in_cgroups(name) == set()
        assert time.monotonic() < deadline, f"only {rounds[0]} rounds of coming and going"
