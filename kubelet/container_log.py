"""Container log: a container's output, from the engine's JSON log files: all, the end, since a time, and as it comes.

The engine writes one object a line, and renames the file when it is full (`.1` is the one before). Following waits for the
kernel to tell of a change, and ends with the container. https://docs.docker.com/engine/logging/drivers/json-file/ ·
https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#get-read-log-of-the-specified-pod
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import orjson

from kubelet.inotify import CONTENT, Changes
from kubelet.runtime.docker_config import moment

BLOCK = 64 * 1024  # bytes read at once
MOST_ROTATED = 9


@dataclass(frozen=True)
class LogOptions:
    """PodLogOptions. `tail` None is everything."""

    follow: bool = False
    tail: int | None = None
    since: datetime | None = None
    timestamps: bool = False
    limit: int | None = None  # bytes
    stream: str = "All"  # or Stdout, Stderr


def log_options(query: dict[str, str], now: datetime) -> LogOptions:
    """Raises ValueError, in upstream's words, for what makes no sense."""
    since = datetime.fromisoformat(query["sinceTime"]) if query.get("sinceTime") else None
    if query.get("sinceSeconds"):
        since = now - timedelta(seconds=_positive(query, "sinceSeconds", 1))
    return LogOptions(
        follow=query.get("follow", "") in ("true", "1"),
        tail=_positive(query, "tailLines", 0) if query.get("tailLines") else None,
        since=since,
        timestamps=query.get("timestamps", "") in ("true", "1"),
        limit=_positive(query, "limitBytes", 1) if query.get("limitBytes") else None,
        stream=query.get("stream") or "All",
    )


def _positive(query: dict[str, str], name: str, least: int) -> int:
    number = int(query[name])
    if number < least:
        raise ValueError(f"{name}: Invalid value: {number}: must be greater than or equal to {least}")
    return number


def lines_of(entries: Iterator[bytes], options: LogOptions) -> Iterator[bytes]:
    """The engine's entries as the client wants them. Pure."""
    wanted = options.stream.lower()
    for entry in entries:
        if not entry.endswith(b"\n"):
            continue  # still being written
        try:
            tree = orjson.loads(entry)
        except orjson.JSONDecodeError:
            continue
        if wanted in ("stdout", "stderr") and tree.get("stream") != wanted:
            continue
        if options.since is not None and moment(tree["time"]) < options.since:
            continue
        text = tree["log"].encode()
        yield tree["time"].encode() + b" " + text if options.timestamps else text


async def container_log(path: Path, options: LogOptions, ended: Awaitable[None] | None) -> AsyncIterator[bytes]:
    """`ended` returns when nothing more will be written; None if nothing will."""
    left = options.limit
    async for chunk in _chunks(path, options, ended):
        if left is not None:
            chunk = chunk[:left]
            left -= len(chunk)
        yield chunk
        if left == 0:
            return


async def _chunks(path: Path, options: LogOptions, ended: Awaitable[None] | None) -> AsyncIterator[bytes]:
    if not options.follow or ended is None:
        entries, _ = await asyncio.to_thread(_read, path, options.tail)
        for part in _joined(lines_of(iter(entries), options)):
            yield part
        return
    async with Changes() as changes:
        changes.watch(path, CONTENT)
        file, entries = await asyncio.to_thread(_read_and_hold, path, options.tail)
        with file:  # the reader may go away before all is sent
            for part in _joined(lines_of(iter(entries), options)):
                yield part
            async for part in _followed(path, file, options, changes, ended):
                yield part


async def _followed(
    path: Path, file: BinaryIO, options: LogOptions, changes: Changes, ended: Awaitable[None]
) -> AsyncIterator[bytes]:
    """`file` is open where the lines begin that were not told yet."""
    end = asyncio.ensure_future(ended)
    try:
        while True:
            last = end.done()
            left_behind = _rotated(path, file)  # asked before reading: what was written until then is read from the old file
            for part in _joined(lines_of(_complete_lines(file), options)):
                yield part
                await asyncio.sleep(0)  # a pod that writes without end must not hold up the others
            if left_behind:
                newer = _next(path, file)
                file.close()
                file = newer
                changes.watch(path, CONTENT)
                continue
            if last:
                return
            change = asyncio.ensure_future(changes.next())
            try:
                await asyncio.wait({change, end}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                change.cancel()
    finally:
        file.close()
        end.cancel()


def _complete_lines(file: BinaryIO) -> Iterator[bytes]:
    """Whole lines from here on; a half one is left for the next time."""
    while True:
        position = file.tell()
        line = file.readline()
        if not line.endswith(b"\n"):
            file.seek(position)
            return
        yield line


def _rotated(path: Path, file: BinaryIO) -> bool:
    with suppress(FileNotFoundError):
        return path.stat().st_ino != os.fstat(file.fileno()).st_ino
    return False


def _next(path: Path, file: BinaryIO) -> BinaryIO:
    """The file that was begun when `file` was full: a slow reader may be several files behind."""
    wanted = os.fstat(file.fileno()).st_ino
    files = [path, *(path.with_name(f"{path.name}.{number}") for number in range(1, MOST_ROTATED + 1))]
    opened: BinaryIO | None = None
    for one in files:  # the newest first
        try:
            candidate: BinaryIO = one.open("rb")
        except FileNotFoundError:
            continue  # it is being renamed, or there is none so old
        if os.fstat(candidate.fileno()).st_ino == wanted:
            candidate.close()
            break
        if opened is not None:
            opened.close()
        opened = candidate
    return opened if opened is not None else path.open("rb")


def _joined(lines: Iterator[bytes]) -> Iterator[bytes]:
    """In blocks: a write for each line would be dear."""
    block = bytearray()
    for line in lines:
        block += line
        if len(block) >= BLOCK:
            yield bytes(block)
            block.clear()
    if block:
        yield bytes(block)


def _read(path: Path, tail: int | None) -> tuple[list[bytes], int]:
    """Entries, oldest first, and where the newest file was read to."""
    newest, position = _entries(path, tail)
    found = newest
    for number in range(1, MOST_ROTATED + 1):
        older = path.with_name(f"{path.name}.{number}")
        if (tail is not None and len(found) >= tail) or not older.exists():
            break
        found = _entries(older, None if tail is None else tail - len(found))[0] + found
    return found, position


def _read_and_hold(path: Path, tail: int | None) -> tuple[BinaryIO, list[bytes]]:
    """The entries, and the newest file, open behind them: it may be put away while they are sent."""
    while True:
        file: BinaryIO = path.open("rb")
        entries, position = _read(path, tail)
        if not _rotated(path, file):
            file.seek(position)
            return file, entries
        file.close()


def _entries(path: Path, tail: int | None) -> tuple[list[bytes], int]:
    with path.open("rb") as file:
        size = file.seek(0, 2)
        start = 0 if tail is None else _start_of_last(file, size, tail)
        file.seek(start)
        content = file.read(size - start)
    whole = content[: content.rfind(b"\n") + 1]
    return whole.splitlines(keepends=True), start + len(whole)


def _start_of_last(file: BinaryIO, size: int, lines: int) -> int:
    """Where the last `lines` lines begin."""
    position, seen, tail = size, 0, b""
    if lines == 0:
        return size
    while position > 0 and seen <= lines:
        step = min(BLOCK, position)
        position -= step
        file.seek(position)
        block = file.read(step)
        seen += block.count(b"\n")
        tail = block + tail
    kept = tail.splitlines(keepends=True)[-lines:]
    return size - sum(len(one) for one in kept)
