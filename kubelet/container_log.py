"""Container log: a container's output, from the engine's JSON log files: all, the end, since a time, and as it comes.

Following waits for the kernel to tell of a change, goes on across rotation, and ends with the container.
https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#get-read-log-of-the-specified-pod
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import orjson

from kubelet.engine_log import EngineLog
from kubelet.inotify import CONTENT, Changes
from kubelet.runtime.docker_config import moment

REST_SECONDS = 0.02  # after a change: a pod that writes line after line is told in blocks


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


def lines_of(entries: Iterable[bytes], options: LogOptions) -> Iterator[bytes]:
    """The engine's entries as the client wants them. Pure."""
    wanted = options.stream.lower()
    for entry in entries:
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
        with await asyncio.to_thread(_opened, path, options) as log:
            async for part in _told(log.blocks_of_now(), options):
                yield part
        return
    async with Changes() as changes:
        watched = changes.watch(path, CONTENT)
        with await asyncio.to_thread(_opened, path, options) as log:
            async for part in _followed(path, log, options, (changes, watched), ended):
                yield part


def _opened(path: Path, options: LogOptions) -> EngineLog:
    return EngineLog.whole(path) if options.tail is None else EngineLog.tail(path, options.tail)


async def _followed(
    path: Path, log: EngineLog, options: LogOptions, watch: tuple[Changes, int], ended: Awaitable[None]
) -> AsyncIterator[bytes]:
    changes, watched = watch
    end = asyncio.ensure_future(ended)
    try:
        while True:
            last = end.done()  # asked before reading: whatever is written until the end is read
            async for part in _told(log.blocks(), options):
                yield part
            if last:
                return
            try:
                before, watched = watched, changes.watch(path, CONTENT)
            except FileNotFoundError:  # it is being renamed, which may have been told already; or its container is removed
                await asyncio.sleep(REST_SECONDS)
                continue
            if watched != before:
                continue  # another file: what was written to it before it was watched is not told
            change = asyncio.ensure_future(changes.next())
            try:
                await asyncio.wait({change, end}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                change.cancel()
            await asyncio.sleep(REST_SECONDS)
    finally:
        end.cancel()


async def _told(blocks: Iterator[list[bytes]], options: LogOptions) -> AsyncIterator[bytes]:
    """In blocks: a write for each line would be dear. Others get their turn between them."""
    for block in blocks:
        part = b"".join(lines_of(block, options))
        if part:
            yield part
        await asyncio.sleep(0)
