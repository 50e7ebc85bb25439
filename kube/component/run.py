"""Run: from `main(config)` to a process — event loop, logging, signals, memory settings, exit code.

SIGTERM and SIGINT cancel the main task, which cleans up and ends; exit code 0. A StartupError or an OSError while starting is
one clear line and exit code 1; anything else that escapes is a bug: a traceback, exit code 1, and the supervisor starts anew.
"""

import asyncio
import contextlib
import ctypes
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import uvloop

from kube.component import logging

C = TypeVar("C")

# glibc gives buffers above a threshold back to the kernel at once, which makes large lists several times dearer (mallopt(3)).
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
MMAP_THRESHOLD_BYTES, TRIM_THRESHOLD_BYTES = 256 << 20, 64 << 20


class StartupError(Exception):
    """The program cannot start, for a reason that its user can mend: the message says what, why and what to do."""


def run(prog: str, main: Callable[[C], Awaitable[None]], config: C) -> None:
    """Run a program to its end, then leave the process with its exit code."""
    logging.configure(int(getattr(config, "v", 0)))
    keep_large_buffers()
    try:
        uvloop.run(_until_signalled(main, config))
    except StartupError as error:
        print(f"{prog}: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    raise SystemExit(0)


async def _until_signalled(main: Callable[[C], Awaitable[None]], config: C) -> None:
    loop = asyncio.get_running_loop()
    task: asyncio.Task[Any] = asyncio.ensure_future(main(config))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def keep_large_buffers() -> None:
    """Let the allocator keep large buffers for the next list; does nothing where the C library has no mallopt."""
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD_BYTES)
        library.mallopt(M_TRIM_THRESHOLD, TRIM_THRESHOLD_BYTES)
