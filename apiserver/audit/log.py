"""The audit log: lines appended to a file, which is put aside when it is full, and deleted when it is old.

`audit.log` becomes `audit-<time>.log`, as upstream names it. Of the old ones at most --audit-log-maxbackup are kept, for at most
--audit-log-maxage days; 0 is no limit. Each line is handed to the kernel before the request goes on.

Several workers append to one file, whole lines all of them (O_APPEND). Who finds it full puts it aside, under a lock of the
file; the others see that another file has its name.
https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/#log-backend
"""

import fcntl
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

DEFAULT_MEGABYTES = 100
FORM = "%Y-%m-%dT%H-%M-%S.%f"


class AuditLog:
    def __init__(self, path: str, megabytes: int = 0, days: int = 0, backups: int = 0) -> None:
        self._path = Path(path)
        self._limit = (megabytes or DEFAULT_MEGABYTES) * 1024 * 1024
        self._days = days
        self._backups = backups
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = self._opened()

    def write(self, line: bytes) -> None:
        self._follow()
        size = os.fstat(self._descriptor).st_size
        if size and size + len(line) > self._limit:
            self._turn()
        os.write(self._descriptor, line)

    def close(self) -> None:
        os.close(self._descriptor)

    def _opened(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def _follow(self) -> bool:
        """Write to what has the file's name; whether that was another file."""
        try:
            if os.path.samestat(self._path.stat(), os.fstat(self._descriptor)):
                return False
        except FileNotFoundError:
            pass  # it was put aside this moment, or somebody removed it
        os.close(self._descriptor)
        self._descriptor = self._opened()
        return True

    def _turn(self) -> None:
        """Begin the next file, unless another process did so while this one waited for the lock."""
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        if self._follow():
            return
        now = datetime.now(UTC)
        self._path.rename(self._path.with_name(f"{self._path.stem}-{now.strftime(FORM)[:-3]}{self._path.suffix}"))
        os.close(self._descriptor)  # and so the lock is released, with a file of the next name to come
        self._descriptor = self._opened()
        for path in surplus(sorted(self._old(), reverse=True), now, self._days, self._backups):
            path.unlink(missing_ok=True)

    def _old(self) -> Iterator[tuple[datetime, Path]]:
        for path in self._path.parent.glob(f"{self._path.stem}-*{self._path.suffix}"):
            stamp = path.name.removeprefix(f"{self._path.stem}-").removesuffix(self._path.suffix)
            try:
                yield datetime.strptime(stamp, FORM).replace(tzinfo=UTC), path
            except ValueError:
                continue  # not one of ours


def surplus(newest_first: list[tuple[datetime, Path]], now: datetime, days: int, backups: int) -> list[Path]:
    """What is to be deleted. Pure."""
    return [
        path
        for index, (moment, path) in enumerate(newest_first)
        if (backups and index >= backups) or (days and now - moment > timedelta(days=days))
    ]
