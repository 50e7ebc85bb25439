"""Run: from `main(config)` to a process — event loop, logging, signals, memory settings, exit code.

SIGTERM and SIGINT cancel the main task, which cleans up and ends, exit code 0; a second signal ends the process at once. What
a user can mend (a StartupError, an unusable kubeconfig, a taken port, a file that is missing) and a lost lease are a line each
on standard error and exit code 1. Anything else that escapes is a bug: a traceback, exit code 1, and the supervisor starts anew.
With PYTHONASYNCIODEBUG=1 a callback that held the loop for more than 50 ms is told in the log.
"""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any, TypeVar

import uvloop

from kube.client.kubeconfig import ConfigError
from kube.client.leader import LostLease
from kube.component import logging

C = TypeVar("C")

# glibc gives buffers above a threshold back to the kernel at once, which makes large lists several times dearer (mallopt(3)).
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
MMAP_THRESHOLD_BYTES, TRIM_THRESHOLD_BYTES = 256 << 20, 64 << 20
SLOW_CALLBACK_SECONDS = 0.05


class StartupError(Exception):
    """The program cannot start, for a reason that its user can mend: the message says what, why and what to do."""


EXPECTED = (StartupError, ConfigError, LostLease, OSError)


def run(
    prog: str,
    main: Callable[[C], Awaitable[None]],
    config: C,
    *,
    signals: Iterable[signal.Signals] = (signal.SIGTERM, signal.SIGINT),
    tell: Callable[[str], None] | None = None,
) -> None:
    """Run a program to its end, then leave the process with its exit code. `tell`: where the line goes that says why it failed."""
    logging.configure(int(getattr(config, "v", 0)))
    keep_large_buffers()
    try:
        uvloop.run(_until_signalled(main, config, signals))
    except (*EXPECTED, BaseExceptionGroup) as error:
        leaves = list(_leaves(error))
        if not all(isinstance(leaf, EXPECTED) for leaf in leaves):
            raise
        for leaf in leaves:
            if tell is not None:
                tell(str(leaf))
            else:
                print(f"{prog}: {leaf}", file=sys.stderr)
        raise SystemExit(1) from None
    raise SystemExit(0)


async def _until_signalled(main: Callable[[C], Awaitable[None]], config: C, signals: Iterable[signal.Signals]) -> None:
    loop = asyncio.get_running_loop()
    loop.slow_callback_duration = SLOW_CALLBACK_SECONDS
    task: asyncio.Task[Any] = asyncio.ensure_future(main(config))
    signalled = False

    def end() -> None:
        nonlocal signalled
        if signalled:
            os._exit(1)
        signalled = True
        task.cancel()

    for number in signals:
        loop.add_signal_handler(number, end)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _leaves(error: BaseException) -> Iterator[BaseException]:
    """The errors of which a group consists."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error


def keep_large_buffers() -> None:
    """Let the allocator keep large buffers for the next list; does nothing where the C library has no mallopt."""
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD_BYTES)
        library.mallopt(M_TRIM_THRESHOLD, TRIM_THRESHOLD_BYTES)
