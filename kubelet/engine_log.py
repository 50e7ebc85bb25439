"""Engine log: a container's output as the engine keeps it: JSON, an entry a line, read forward from file to file.

The engine renames a file that is full (`.1` is the one before) and begins anew. A reader keeps the file that it reads open, so
nothing is lost to it while it is at most as many files behind as the engine keeps. One that may fall further behind holds (`hold`)
the files that were begun since, which keeps them on the disk though the engine removes them. All of it blocks for a read's time.
https://docs.docker.com/engine/logging/drivers/json-file/
"""

import os
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

BLOCK = 64 * 1024  # bytes read at once
MOST_ROTATED = 99
MOST_HELD = 20  # files that nobody sees any more
ROTATION_TRIES, ROTATION_SECONDS = 50, 0.002  # between the renaming and the new file the engine needs microseconds


class EngineLog:
    """Reads from a place that it keeps. Use as a context manager, or close it."""

    def __init__(self, path: Path, file: BinaryIO, newest: BinaryIO | None = None) -> None:
        """From where `file` stands; `newest` is the file that was being written when the log was opened."""
        self._path = path
        self._file = file
        self._ahead: deque[BinaryIO] = deque()  # files begun since, the oldest first
        self.gaps = 0  # how many times the next file was not there any more
        last = file if newest is None else newest
        self._last = (os.fstat(last.fileno()).st_ino, os.fstat(last.fileno()).st_size)

    @classmethod
    def whole(cls, path: Path) -> "EngineLog":
        """From the first entry that is still there. Raises FileNotFoundError where the container is gone."""
        return cls._from(path, _all_files(path), -1)

    @classmethod
    def tail(cls, path: Path, entries: int) -> "EngineLog":
        """From the first of the last entries."""
        files = _all_files(path)
        missing = entries
        for number, file in enumerate(files):
            size = os.fstat(file.fileno()).st_size
            start, found = _start_of_last(file, size, missing)
            file.seek(start)
            missing -= found
            if missing <= 0:
                return cls._from(path, files, number)
        return cls._from(path, files, -1)

    @classmethod
    def after(cls, path: Path, stamp: bytes) -> "EngineLog":
        """From the entry behind the one of that time; from the first, where it is not there any more."""
        files = _all_files(path)
        mark = b'"time":"%b"}\n' % stamp
        for number, file in enumerate(files):
            found = file.read().rfind(mark)
            file.seek(found + len(mark) if found >= 0 else 0)
            if found >= 0:
                return cls._from(path, files, number)
        return cls._from(path, files, -1)

    @classmethod
    def _from(cls, path: Path, files: list[BinaryIO], chosen: int) -> "EngineLog":
        log = cls(path, files[chosen], files[0])
        for file in files:
            if file is not files[chosen]:
                file.close()
        return log

    def __enter__(self) -> "EngineLog":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        for file in (self._file, *self._ahead):
            file.close()
        self._ahead.clear()

    def hold(self) -> int:
        """Have what was begun since, before it is removed; returns how many files this reader is behind."""
        while len(self._ahead) < MOST_HELD and _rotated(self._path, newest := self._ahead[-1] if self._ahead else self._file):
            self._ahead.append(self._after(newest))
        return len(self._ahead)

    def _after(self, file: BinaryIO) -> BinaryIO:
        newer, whole = _next(self._path, file)
        self.gaps += not whole
        return newer

    def blocks(self) -> Iterator[list[bytes]]:
        """Whole entries up to the end of what there is; a half one is left for the next time."""
        while True:
            # Asked before reading: what was written until then is in the old file.
            left_behind = bool(self._ahead) or _rotated(self._path, self._file)
            yield from _complete_lines(self._file)
            if not left_behind:
                return
            newer = self._ahead.popleft() if self._ahead else self._after(self._file)
            self._file.close()
            self._file = newer

    def blocks_of_now(self) -> Iterator[list[bytes]]:
        """The same, but no entry that was written after the log was opened: who writes faster than we read has no end."""
        inode, size = self._last
        at_last = False
        for block in self.blocks():
            here = os.fstat(self._file.fileno()).st_ino == inode
            if at_last and not here:
                return
            at_last = here
            beyond = self._file.tell() - size if here else 0
            while block and beyond > 0:
                beyond -= len(block.pop())
            yield block


def _all_files(path: Path) -> list[BinaryIO]:
    """All open, the newest first, with no rotation in between."""
    for _ in range(ROTATION_TRIES):
        files: list[BinaryIO] = []
        with suppress(FileNotFoundError):
            files.append(path.open("rb"))
            for number in range(1, MOST_ROTATED + 1):
                files.append(path.with_name(f"{path.name}.{number}").open("rb"))
        if files and not _rotated(path, files[0]):
            return files
        for file in files:
            file.close()
        time.sleep(ROTATION_SECONDS)
    raise FileNotFoundError(path)


def _complete_lines(file: BinaryIO) -> Iterator[list[bytes]]:
    """Not by `readlines`: that goes on behind a half line at the end, and tells the rest of it, written meanwhile, as a line."""
    size = BLOCK
    while True:
        position = file.tell()
        block = file.read(size)
        whole = block.rfind(b"\n") + 1
        if whole < len(block):
            file.seek(position + whole)
        if whole:
            size = BLOCK
            yield block[:whole].splitlines(keepends=True)
        elif len(block) == size:
            size *= 2  # an entry that is longer than a block
        else:
            return


def _rotated(path: Path, file: BinaryIO) -> bool:
    with suppress(FileNotFoundError):
        return path.stat().st_ino != os.fstat(file.fileno()).st_ino
    return False


def _next(path: Path, file: BinaryIO) -> tuple[BinaryIO, bool]:
    """The file that was begun when `file` was full: a slow reader may be several files behind. Else the oldest that there is, and
    False: what was between them is lost.
    """
    behind = os.fstat(file.fileno()).st_ino
    files = _all_files(path)
    inodes = [os.fstat(one.fileno()).st_ino for one in files]
    chosen = files[inodes.index(behind) - 1] if behind in inodes else files[-1]
    for one in files:
        if one is not chosen:
            one.close()
    return chosen, behind in inodes


def _start_of_last(file: BinaryIO, size: int, lines: int) -> tuple[int, int]:
    """Where the last `lines` lines begin, and how many there are from there. A half line at the end does not count."""
    if lines <= 0:
        return size, 0
    position, blocks, seen = size, [b""], 0
    while position > 0 and seen <= lines:
        step = min(BLOCK, position)
        position -= step
        file.seek(position)
        block = file.read(step)
        seen += block.count(b"\n")
        blocks.append(block)
    text = b"".join(reversed(blocks))
    whole = text[: text.rfind(b"\n") + 1]
    kept = whole.splitlines(keepends=True)[-lines:]
    return position + len(whole) - sum(map(len, kept)), len(kept)
