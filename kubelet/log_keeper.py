"""Log keeper: writes each container's output in CRI form below /var/log/pods, from what the engine keeps of it.

The engine's files are what `kubectl logs` reads; these are for log collectors, and are named and rotated as they expect. Nothing
polls: the kernel tells which logs have grown. A pass copies what is new, of each log at most so much, and rests at least as long
as it worked: a pod that writes without end takes its part of one core and no more. Where it writes faster than that, the engine's
files are held until they are copied, and the rest is shorter. Where a pass left off is told by the last line that was written, so a
kubelet that starts again goes on there. docs/decisions/0014-container-logs.md
"""

import asyncio
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kube.component.clock import Clock
from kube.component.logging import get_logger
from kubelet.cri_log import CriFile, cri_lines
from kubelet.engine_log import EngineLog
from kubelet.inotify import CONTENT, Changes
from kubelet.pod_files import link_directory, log_directory
from kubelet.runtime.runtime import LogPolicy, RuntimeContainer

log = get_logger("kubelet.logs")

REST_SECONDS = 0.25  # at least, before a pass that has to wait for lines: those that come one by one are copied together
MOST_OF_ONE = 4 << 20  # bytes of the engine's, of one log in one pass; as much again for each file that it is behind
HOLD_EVERY = 1 << 20  # bytes copied between two looks at whether there are files to hold
BEHIND, HURRY = 2, 0.25  # files; the part of the time that was worked for which is rested then
COMPRESS_SECONDS = 10.0  # upstream's containerLogMonitorInterval
ANY = -1


@dataclass
class Kept:
    """One attempt of a container."""

    source: Path
    target: CriFile
    link: Path
    reader: EngineLog | None = None
    watch: int = 0
    gaps: int = 0  # that were told

    def close(self) -> None:
        self.target.close()
        if self.reader is not None:
            self.reader.close()
            self.reader = None


class LogKeeper:
    def __init__(self, root: Path, policy: LogPolicy, clock: Clock) -> None:
        self._root = root
        self._links = link_directory(root)
        self._policy = policy
        self._clock = clock
        self._kept: dict[str, Kept] = {}  # by container id
        self._fresh: set[str] = set()  # ids that were not looked at yet
        self._new = asyncio.Event()
        self._passing = asyncio.Lock()
        self._worked = 0.0  # seconds of a processor, in this pass
        self._behind = 0  # files that a log is behind at most

    def follow(self, record: RuntimeContainer) -> None:
        """Keep this container's log, from now on. Told again of the same, it does nothing."""
        if record.id in self._kept or not record.log_path:
            return
        target = log_directory(self._root, record.pod) / record.name / f"{record.attempt}.log"
        link = self._links / f"{record.pod.name}_{record.pod.namespace}_{record.name}-{record.id}.log"
        self._kept[record.id] = Kept(Path(record.log_path), CriFile(target, self._policy), link)
        self._fresh.add(record.id)
        self._new.set()

    async def forget(self, container_ids: Iterable[str]) -> None:
        """The containers are removed: remove what is kept of them."""
        async with self._passing:
            gone = [kept for container_id in container_ids if (kept := self._kept.pop(container_id, None)) is not None]
            await asyncio.to_thread(_remove, gone)

    async def run(self) -> None:
        """Until cancelled."""
        try:
            async with Changes() as changes:
                await self._follow(changes)
        finally:
            for kept in self._kept.values():
                kept.close()

    async def _follow(self, changes: Changes) -> None:
        changed: set[int] = set()
        compress_at = 0.0
        while True:
            self._worked = 0.0
            async with self._passing:
                more = await self._pass(changes, changed)
                if time.monotonic() >= compress_at:
                    await asyncio.to_thread(_compress, list(self._kept.values()))
                    compress_at = time.monotonic() + COMPRESS_SECONDS
            rest = self._worked * (HURRY if self._behind >= BEHIND else 1.0)
            await asyncio.sleep(max(0.0 if more else REST_SECONDS, rest))
            waits = any(kept.target.uncompressed for kept in self._kept.values())
            within = compress_at - time.monotonic() if waits else None
            changed = more | changes.so_far() if more else await self._changed(changes, within)

    async def _changed(self, changes: Changes, within: float | None) -> set[int]:
        """The watches of the logs that have grown; empty where there is a new log, or none has in that time."""
        told, new = asyncio.ensure_future(changes.next()), asyncio.ensure_future(self._new.wait())
        try:
            await asyncio.wait({told, new}, return_when=asyncio.FIRST_COMPLETED, timeout=within)
            return told.result() if told.done() else set()
        finally:
            told.cancel()
            new.cancel()

    async def _pass(self, changes: Changes, changed: set[int]) -> set[int]:
        """Copy what is new; returns the watches of the logs that may have more already."""
        self._new.clear()
        self._behind = 0
        fresh, self._fresh = self._fresh, set()
        due = [kept for key, kept in self._kept.items() if key in fresh or kept.watch in changed or ANY in changed]
        more: set[int] = set()
        for kept in due:
            unfinished = await asyncio.to_thread(self._copy, kept, due)
            with suppress(FileNotFoundError):  # it is being rotated, which is told too; or its container is gone
                before, kept.watch = kept.watch, changes.watch(kept.source, CONTENT)
                unfinished |= kept.watch != before
            if unfinished:
                more.add(kept.watch)
        return more

    def _hold(self, due: list[Kept]) -> dict[Path, int]:
        """How many files each of them is behind, by its link."""
        behind = {kept.link: _hold(kept) for kept in due}
        self._behind = max(self._behind, *behind.values())
        return behind

    def _copy(self, kept: Kept, due: list[Kept]) -> bool:
        """Returns whether there was more than may be copied in one pass. It takes its time: all that are due are held meanwhile."""
        began = time.thread_time()
        try:
            if kept.reader is None:
                kept.reader = _opened(kept)
            behind, held, copied = self._hold(due)[kept.link], 0, 0
            for block in kept.reader.blocks():
                kept.target.write(cri_lines(block), self._clock.now())
                copied += sum(map(len, block))
                if copied >= MOST_OF_ONE * (1 + behind):
                    return True
                if copied - held >= HOLD_EVERY:
                    held = copied
                    self._hold(due)
            kept.target.close()
        except OSError as error:  # a full disk, or a container that was removed: its other logs go on
            log.warning("container log cannot be kept", source=kept.source, reason=error)
            kept.close()
        finally:
            self._worked += time.thread_time() - began
        return False


def _hold(kept: Kept) -> int:
    """Returns how many files the log is behind."""
    if kept.reader is None:
        return 0
    behind = 0
    with suppress(FileNotFoundError):  # its container is gone
        behind = kept.reader.hold()
    if kept.reader.gaps > kept.gaps:
        kept.gaps = kept.reader.gaps
        log.warning("container log has a gap: it is written faster than it can be copied", source=kept.source)
    return behind


def _opened(kept: Kept) -> EngineLog:
    stamp = kept.target.last_stamp()
    kept.link.parent.mkdir(parents=True, exist_ok=True)
    kept.link.unlink(missing_ok=True)
    kept.link.symlink_to(kept.target.path)
    return EngineLog.after(kept.source, stamp) if stamp else EngineLog.whole(kept.source)


def _compress(logs: list[Kept]) -> None:
    for kept in logs:
        try:
            kept.target.compress()
        except OSError as error:  # a full disk: what was put away stays as it is until there is room
            log.warning("container log cannot be compressed", path=kept.target.path, reason=error)
            kept.target.uncompressed = True


def _remove(logs: list[Kept]) -> None:
    for kept in logs:
        kept.close()
        kept.target.remove()
        kept.link.unlink(missing_ok=True)
