"""Inotify: told by the kernel when something in a directory changes.

No package that is kept well offers it without threads; these are three system calls.
https://man7.org/linux/man-pages/man7/inotify.7.html
"""

import asyncio
import ctypes
import os
import struct
from contextlib import suppress
from pathlib import Path

_LIBC = ctypes.CDLL(None, use_errno=True)

IN_MODIFY, IN_ATTRIB, IN_CLOSE_WRITE = 0x2, 0x4, 0x8
IN_MOVED_FROM, IN_MOVED_TO, IN_CREATE, IN_DELETE, IN_DELETE_SELF, IN_MOVE_SELF = 0x40, 0x80, 0x100, 0x200, 0x400, 0x800
IN_NONBLOCK, IN_CLOEXEC = os.O_NONBLOCK, os.O_CLOEXEC

ENTRIES = IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_CREATE  # of a directory: files come, change and go
CONTENT = IN_MODIFY | IN_MOVE_SELF | IN_DELETE_SELF | IN_ATTRIB  # of a file: it grows, or is rotated away
BUFFER = 64 * 1024  # bytes
EVENT = struct.Struct("iIII")  # watch, mask, cookie, length of the name behind it


class Changes:
    """`async with Changes() as changes: changes.watch(path, ENTRIES); await changes.next()`.

    The kernel is asked only by `next`: a file that changes without end costs nothing in between. Of equal changes in a row it
    keeps one.
    """

    def __init__(self) -> None:
        self._descriptor = -1

    async def __aenter__(self) -> "Changes":
        self._descriptor = _LIBC.inotify_init1(IN_NONBLOCK | IN_CLOEXEC)
        if self._descriptor < 0:
            number = ctypes.get_errno()
            raise OSError(number, f"inotify_init1: {os.strerror(number)} (see fs.inotify.max_user_instances)")
        return self

    async def __aexit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def watch(self, path: Path, mask: int) -> int:
        """The number that `next` tells of a change by. Raises OSError where the path is not there."""
        number: int = _LIBC.inotify_add_watch(self._descriptor, os.fsencode(path), mask)
        if number < 0:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error), str(path))
        return number

    async def next(self) -> set[int]:
        """Return the watches of which something changed since the last return; -1: the kernel lost count, it may be any."""
        loop = asyncio.get_running_loop()
        while not (found := self.so_far()):
            something = asyncio.Event()
            loop.add_reader(self._descriptor, something.set)
            try:
                await something.wait()
            finally:
                loop.remove_reader(self._descriptor)
        return found

    def so_far(self) -> set[int]:
        """As `next`, but without waiting: it may be nothing."""
        found: set[int] = set()
        with suppress(BlockingIOError):
            while events := os.read(self._descriptor, BUFFER):
                position = 0
                while position < len(events):
                    number, _, _, length = EVENT.unpack_from(events, position)
                    found.add(number)
                    position += EVENT.size + length
        return found
