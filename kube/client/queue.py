"""WorkQueue: which keys want work, for any number of workers.

Promise: fair (first in, first out), stingy (a key added often before it is worked on is worked on once), never two workers on
one key (a key added while it is worked on comes again afterwards), and patient (per-key exponential back-off).

Three places: *queue* holds what waits, *dirty* what needs work, *processing* what is being worked on.
    add         -> dirty, and queue unless processing
    get         -> leaves dirty and queue, enters processing
    done        -> leaves processing; back to queue if it became dirty meanwhile
Resync is not retry: `forget` only ends a key's back-off.  client-go util/workqueue
"""

import asyncio
from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

FIRST_BACKOFF_SECONDS, LONGEST_BACKOFF_SECONDS = 0.005, 1000.0
MOST_DOUBLINGS = 60


class ShutDown(Exception):
    """The queue ends: no more work."""


class WorkQueue(Generic[K]):
    def __init__(self, first_backoff: float = FIRST_BACKOFF_SECONDS, longest_backoff: float = LONGEST_BACKOFF_SECONDS) -> None:
        self._queue: deque[K] = deque()
        self._dirty: set[K] = set()
        self._processing: set[K] = set()
        self._failures: dict[K, int] = {}
        self._timers: dict[K, tuple[float, asyncio.TimerHandle]] = {}
        self._ready = asyncio.Event()
        self._closed = False
        self._first, self._longest = first_backoff, longest_backoff

    def __len__(self) -> int:
        return len(self._queue)

    def add(self, key: K) -> None:
        if self._closed or key in self._dirty:
            return
        self._dirty.add(key)
        if key not in self._processing:
            self._queue.append(key)
            self._ready.set()

    def add_after(self, key: K, seconds: float) -> None:
        """Add later; of several the earliest counts."""
        if self._closed:
            return
        if seconds <= 0:
            self.add(key)
            return
        loop = asyncio.get_running_loop()
        due = loop.time() + seconds
        known = self._timers.get(key)
        if known is not None:
            if known[0] <= due:
                return
            known[1].cancel()
        self._timers[key] = (due, loop.call_at(due, self._due, key))

    def retry(self, key: K) -> None:
        """Add after a pause that doubles with every failure since the last `forget`."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        doublings = min(failures, MOST_DOUBLINGS)  # a key may fail for weeks
        self.add_after(key, min(self._first * 2**doublings, self._longest))

    def forget(self, key: K) -> None:
        """The work went well: the next failure is the first again."""
        self._failures.pop(key, None)

    def failures(self, key: K) -> int:
        return self._failures.get(key, 0)

    async def get(self) -> K:
        """The next key; the worker must call `done` with it. Raises ShutDown at the end."""
        while not self._queue:
            if self._closed:
                raise ShutDown
            self._ready.clear()
            await self._ready.wait()
        key = self._queue.popleft()
        self._dirty.discard(key)
        self._processing.add(key)
        return key

    def done(self, key: K) -> None:
        self._processing.discard(key)
        if key in self._dirty:
            self._queue.append(key)
            self._ready.set()

    def shut_down(self) -> None:
        """Take no more; workers end once the queue is empty."""
        self._closed = True
        for _, timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._ready.set()

    def _due(self, key: K) -> None:
        self._timers.pop(key, None)
        self.add(key)
