"""Inotify: told by the kernel when something in a directory changes.

No package that is kept well offers it without threads; these are three system calls.
https://man7.org/linux/man-pages/man7/inotify.7.html
"""

import asyncio
import ctypes
import os
from pathlib import Path

_LIBC = ctypes.CDLL(None, use_errno=True)

IN_MODIFY, IN_ATTRIB, IN_CLOSE_WRITE = 0x2, 0x4, 0x8
IN_MOVED_FROM, IN_MOVED_TO, IN_CREATE, IN_DELETE, IN_DELETE_SELF, IN_MOVE_SELF = 0x40, 0x80, 0x100, 0x200, 0x400, 0x800
IN_NONBLOCK, IN_CLOEXEC = os.O_NONBLOCK, os.O_CLOEXEC

ENTRIES = IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_CREATE  # of a directory: files come, change and go
CONTENT = IN_MODIFY | IN_MOVE_SELF | IN_DELETE_SELF | IN_ATTRIB  # of a file: it grows, or is rotated away
BUFFER = 64 * 1024  # bytes


class Changes:
    """`async with Changes() as changes: changes.watch(path, ENTRIES); await changes.next()`."""

    def __init__(self) -> None:
        self._descriptor = -1
        self._something = asyncio.Event()

    async def __aenter__(self) -> "Changes":
        self._descriptor = _LIBC.inotify_init1(IN_NONBLOCK | IN_CLOEXEC)
        if self._descriptor < 0:
            number = ctypes.get_errno()
            raise OSError(number, f"inotify_init1: {os.strerror(number)} (see fs.inotify.max_user_instances)")
        asyncio.get_running_loop().add_reader(self._descriptor, self._read)
        return self

    async def __aexit__(self, *_: object) -> None:
        asyncio.get_running_loop().remove_reader(self._descriptor)
        os.close(self._descriptor)

    def watch(self, path: Path, mask: int) -> None:
        """Raises OSError where the path is not there."""
        if _LIBC.inotify_add_watch(self._descriptor, os.fsencode(path), mask) < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(path))

    async def next(self) -> None:
        """Return when something changed since the last return; many changes may be told as one."""
        await self._something.wait()
        self._something.clear()

    def _read(self) -> None:
        try:
            while os.read(self._descriptor, BUFFER):
                self._something.set()
        except BlockingIOError:
            return
