"""Back-off: how long to wait before a container is started, or an image pulled, again.

The first retry is immediate; then 10 s, 20 s, 40 s ... 300 s, each counted from the last failure. A delay is forgotten once
nothing failed for twice the longest. Pure: every method is told the time.
https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/ #restart-policy · client-go util/flowcontrol/backoff.go
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

FIRST = timedelta(seconds=10)
LONGEST = timedelta(seconds=300)
FORGET = 2 * LONGEST


@dataclass
class _Entry:
    delay: timedelta
    updated: datetime


class Backoff:
    """Delays by name."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}

    def retry_at(self, name: str, failed_at: datetime) -> datetime | None:
        """When the next try may begin, if there was a failure before this one."""
        entry = self._entries.get(name)
        if entry is None or failed_at - entry.updated > FORGET:
            return None
        return failed_at + entry.delay

    def delay(self, name: str) -> timedelta:
        entry = self._entries.get(name)
        return entry.delay if entry else FIRST

    def tried(self, name: str, failed_at: datetime, now: datetime) -> None:
        """A new try begins after a failure: the next one will have to wait longer."""
        entry = self._entries.get(name)
        if entry is None or failed_at - entry.updated > FORGET:
            self._entries[name] = _Entry(FIRST, now)
        else:
            self._entries[name] = _Entry(min(entry.delay * 2, LONGEST), now)

    def forget(self, name: str) -> None:
        self._entries.pop(name, None)


def go_duration(delay: timedelta) -> str:
    """As Go prints a duration of whole seconds: 10s, 1m20s, 5m0s."""
    minutes, seconds = divmod(int(delay.total_seconds()), 60)
    return f"{minutes}m{seconds}s" if minutes else f"{seconds}s"
