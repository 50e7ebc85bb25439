"""Turn: who may change a lab now. `up` and `down` are alone with it; `kill`, `start`, `cut` and `heal` go beside each other.

Without it a host that is started while the lab goes down is left running: `down` has looked at it before it was there.
The lock is on the state directory itself (flock), and goes with the process that holds it. Where the directory was removed
while somebody waited, it is another one, or none at all: the waiter looks again.
"""

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def taken(state: Path, *, alone: bool, make: bool = False) -> Iterator[None]:
    """Wait until it is ours. Where there is no such directory, nothing is locked, unless `make` says to make it."""
    descriptor = _locked(state, fcntl.LOCK_EX if alone else fcntl.LOCK_SH, make)
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _locked(state: Path, how: int, make: bool) -> int | None:
    while True:
        if make:
            state.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            descriptor = os.open(state, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            if make:
                continue
            return None
        _wait(descriptor, how, state)
        if _is_still(state, descriptor):
            return descriptor
        os.close(descriptor)


def _wait(descriptor: int, how: int, state: Path) -> None:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"another command is at work on the lab in {state}; waiting for it", file=sys.stderr)
        fcntl.flock(descriptor, how)


def _is_still(state: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), state.stat())
    except FileNotFoundError:
        return False
