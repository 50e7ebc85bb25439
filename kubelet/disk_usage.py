"""Disk usage: how full file systems are, and what directories take of them.

The kernel knows the first at once; the second means to look at every file, so it is done in a thread, at most once a minute,
as upstream's kubelet does. https://man7.org/linux/man-pages/man3/statvfs.3.html
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

AGE_SECONDS = 60.0
BLOCK = 512  # st_blocks counts in these


@dataclass(frozen=True)
class FileSystem:
    """Bytes and inodes."""

    available: int
    capacity: int
    inodes_free: int
    inodes: int

    @property
    def used(self) -> int:
        return self.capacity - self.available


@dataclass(frozen=True)
class Taken:
    """By a directory and all below it."""

    size: int = 0
    inodes: int = 0


class VolumeUsage(NamedTuple):
    """Of a file system, as a whole and what is in it."""

    disk: FileSystem
    taken: Taken


def whole(disk: FileSystem) -> VolumeUsage:
    return VolumeUsage(disk, Taken(disk.used, disk.inodes - disk.inodes_free))


def file_system(path: Path) -> FileSystem:
    found = os.statvfs(path)
    return FileSystem(found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize, found.f_favail, found.f_files)


def taken(directory: Path) -> Taken:
    """What `du -x` would say; a file that goes away meanwhile, or of another file system, is not counted."""
    size, seen, stack = 0, set(), [str(directory)]
    try:
        device = os.lstat(directory).st_dev
    except OSError:
        return Taken()
    while stack:
        path = stack.pop()
        try:
            one = os.lstat(path)
            if one.st_dev != device or one.st_ino in seen:
                continue
            seen.add(one.st_ino)
            size += one.st_blocks * BLOCK
            if os.path.isdir(path) and not os.path.islink(path):
                stack += [entry.path for entry in os.scandir(path)]
        except OSError:
            continue
    return Taken(size, len(seen))


class DirectorySizes:
    """Remembers what directories take. Blocking: call it in a thread."""

    def __init__(self, age: float = AGE_SECONDS, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._age = age
        self._monotonic = monotonic
        self._known: dict[Path, tuple[float, Taken]] = {}

    def of(self, directory: Path) -> Taken:
        now = self._monotonic()
        known = self._known.get(directory)
        if known is None or now - known[0] >= self._age:
            known = self._known[directory] = (now, taken(directory))
        return known[1]

    def keep_only(self, directories: set[Path]) -> None:
        """Forget the others: their pods are gone."""
        for directory in self._known.keys() - directories:
            del self._known[directory]
