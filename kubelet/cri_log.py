"""CRI log: a container's output as log collectors read it: `<time> <stream> <tag> <text>`, the tag F for a whole line, else P.

    /var/log/pods/<namespace>_<pod>_<uid>/<container>/<attempt>.log           being written
    .../<attempt>.log.<time of rotation>, .../<attempt>.log.<time>.gz         before that; all but the newest are compressed

A file that is full is put away, at most one a second (names have seconds), and of all together no more than so many are kept, nor
more bytes than so many full ones have.
https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md · pkg/kubelet/logs
"""

import errno
import gzip
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO

import orjson

from kubelet.runtime.runtime import LogPolicy

STAMP = "%Y%m%d-%H%M%S"
GZIP, HALF_DONE = ".gz", ".tmp"
FAST = 1  # gzip's level: text becomes a tenth with it, and 10 MiB take 0.1 s
MODE = 0o640  # what pods say is not for every user of the host
LAST = 32 * 1024  # bytes: the engine cuts lines at 16 KiB


def cri_lines(entries: Iterable[bytes]) -> bytes:
    """The engine's JSON entries in CRI form; one that cannot be read is left out. Pure."""
    lines = []
    for entry in entries:
        try:
            tree = orjson.loads(entry)
        except orjson.JSONDecodeError:
            continue
        text = tree["log"]
        tag, end = ("F", "") if text.endswith("\n") else ("P", "\n")
        lines.append(f"{tree['time']} {tree['stream']} {tag} {text}{end}")
    return "".join(lines).encode(errors="replace")


class CriFile:
    """The log of one attempt of a container. All of it blocks."""

    def __init__(self, path: Path, policy: LogPolicy) -> None:
        self.path = path
        self._policy = policy
        self._file: BinaryIO | None = None
        self.uncompressed = False  # something was put away since `compress`

    def last_stamp(self) -> bytes:
        """The time of the last entry, as it is written there; what an earlier kubelet wrote by half is taken away."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.uncompressed = True  # it may have been, before this kubelet
        if self.path.is_symlink():
            self.path.unlink()
        with open(self.path, "ab+", opener=_opened) as file:
            size = file.tell()
            file.seek(max(0, size - LAST))
            end = file.read()
            file.truncate(size - len(end) + end.rfind(b"\n") + 1)
        if not size:
            plain = [one for one in rotated(self.path) if not one.name.endswith(GZIP)]
            end = plain[-1].read_bytes()[-LAST:] if plain else b""
        lines = end[: end.rfind(b"\n") + 1].splitlines()
        return lines[-1].partition(b" ")[0] if lines else b""

    def write(self, lines: bytes, now: datetime) -> None:
        if self._file is None:
            self._file = os.fdopen(_opened(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), "ab", buffering=0)
        if self._file.write(lines) != len(lines):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
        if self._file.tell() >= self._policy.max_size:
            self._rotate(now)

    def _rotate(self, now: datetime) -> None:
        assert self._file is not None, "it was written to"
        name = self.path.with_name(f"{self.path.name}.{now.astimezone(UTC).strftime(STAMP)}")
        if name.exists() or name.with_name(name.name + GZIP).exists():
            return
        self.close()
        self.path.rename(name)
        self.path.touch(mode=MODE)
        self.uncompressed = True
        for old in self._too_many():
            old.unlink(missing_ok=True)

    def _too_many(self) -> list[Path]:
        """Of what was put away: beyond the number that is kept, or the bytes, as files that fill within a second are larger."""
        newest_first = rotated(self.path)[::-1]
        sizes = accumulate(one.stat().st_size for one in newest_first)
        most = self._policy.max_size * self._policy.max_files
        kept = sum(1 for number, size in enumerate(sizes, 2) if number <= self._policy.max_files and size <= most)
        return newest_first[max(1, kept) :]

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def compress(self) -> None:
        """All that was put away, but the newest: a collector may still be reading that."""
        if not self.uncompressed:
            return
        self.uncompressed = False
        for half in self.path.parent.glob(f"{self.path.name}.*{HALF_DONE}"):
            half.unlink(missing_ok=True)
        for one in rotated(self.path)[:-1]:
            if not one.name.endswith(GZIP):
                with suppress(FileNotFoundError):  # its pod was removed meanwhile
                    _compress(one)

    def remove(self) -> None:
        self.close()
        for one in (self.path, *self.path.parent.glob(f"{self.path.name}.*")):
            one.unlink(missing_ok=True)


def _opened(path: str | Path, flags: int) -> int:
    return os.open(path, flags, MODE)


def rotated(path: Path) -> list[Path]:
    """What was put away, the oldest first."""
    return sorted(one for one in path.parent.glob(f"{path.name}.*") if not one.name.endswith(HALF_DONE))


def _compress(path: Path) -> None:
    half = path.with_name(path.name + HALF_DONE)
    half.touch(mode=MODE)
    with path.open("rb") as source, gzip.open(half, "wb", compresslevel=FAST) as target:
        shutil.copyfileobj(source, target, 1 << 20)
    os.rename(half, path.with_name(path.name + GZIP))
    path.unlink()
