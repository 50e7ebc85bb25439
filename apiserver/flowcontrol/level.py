"""Level: the seats of one priority level, and the queues of those that wait for one.

Seats. Of the server's seats each level has its nominal number, by its shares. A part of them it may lend: the rest is guaranteed
and never given away. Beyond its nominal number a level takes what nobody uses and nobody is guaranteed, up to its borrowing limit
(our choice: at once, where upstream moves limits every ten seconds).

Queues. A request goes to the shortest of its flow's queues. The next seat goes to the queue that was served least: each keeps the
virtual time at which its next request begins, by the seconds that its requests were served; a queue that was empty begins at the
level's present virtual time, so that nobody saves up turns.
KEP-1040 · apiserver pkg/util/flowcontrol/fairqueuing
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field

GUESS_SECONDS = 0.003  # how long a request is thought to be served, until it is known


class Refused(Exception):
    """No seat: the reason is upstream's word for it (queue-full, concurrency-limit, time-out)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Limits:
    """Of a level, in seats; `queues` 0: who finds no seat is refused."""

    nominal: int
    lendable: int = 0
    most: int = 1 << 30  # with what is borrowed
    queues: int = 0
    queue_length: int = 0

    @property
    def guaranteed(self) -> int:
        return self.nominal - self.lendable


class Seats:
    """What the levels of a server share."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.used = 0
        self.levels: list[Level] = []
        self.waiting: dict[Level, None] = {}  # those with queues that are not empty

    def reserved_from(self, level: "Level") -> int:
        """Seats that are guaranteed to others and not in use."""
        return sum(max(0, one.guaranteed - one.used) for one in self.levels if one is not level)

    def dispatch(self) -> None:
        """A seat became free: let the next ones begin."""
        for level in tuple(self.waiting):
            level.dispatch()


@dataclass(eq=False)
class _Waiting:
    ready: asyncio.Future[None]
    queue: "_Queue"


@dataclass
class _Queue:
    number: int
    start: float = 0.0  # the virtual time at which the next request begins
    waiting: deque[_Waiting] = field(default_factory=deque)


class Level:
    """One limited level."""

    def __init__(self, name: str, seats: Seats, limits: Limits) -> None:
        self.name = name
        self.used = 0
        self.queued = 0
        self._seats = seats
        self._now = 0.0  # virtual
        self._queues: dict[int, _Queue] = {}
        self.limit(limits)

    def limit(self, limits: Limits) -> None:
        """From now on."""
        self.limits = limits
        self.guaranteed = limits.guaranteed

    def take(self) -> bool:
        """A seat at once, if there is one and nobody waits."""
        if self.queued or not self._free():
            return False
        self.used += 1
        self._seats.used += 1
        return True

    async def wait(self, hand: tuple[int, ...], seconds: float) -> int:
        """A seat in turn; the queue that it was waited for in. Raises Refused."""
        if not self.limits.queues:
            raise Refused("concurrency-limit")
        queue = min((self._queue(number) for number in hand), key=lambda one: len(one.waiting))
        if len(queue.waiting) >= self.limits.queue_length:
            raise Refused("queue-full")
        if not queue.waiting:
            queue.start = max(queue.start, self._now)
        one = _Waiting(asyncio.get_running_loop().create_future(), queue)
        queue.waiting.append(one)
        self.queued += 1
        self._seats.waiting[self] = None
        try:
            async with asyncio.timeout(seconds):
                await one.ready
        except TimeoutError:
            self._leave(one)
            raise Refused("time-out") from None
        except BaseException:
            self._leave(one)
            raise
        return queue.number

    def give(self) -> None:
        """A seat back."""
        self.used -= 1
        self._seats.used -= 1
        if self._seats.waiting:
            self._seats.dispatch()

    def served(self, number: int, seconds: float) -> None:
        """How long a request that had waited in a queue was served."""
        queue = self._queues.get(number)
        if queue is not None:
            queue.start += seconds - GUESS_SECONDS
            if not queue.waiting and queue.start <= self._now:
                del self._queues[number]

    def dispatch(self) -> None:
        """Give the free seats to those that wait."""
        while self.queued and self._free():
            queue = min((one for one in self._queues.values() if one.waiting), key=lambda one: one.start)
            one = queue.waiting.popleft()
            self._forget_one()
            self._now = max(self._now, queue.start)
            queue.start += GUESS_SECONDS
            if not one.ready.done():
                self.used += 1
                self._seats.used += 1
                one.ready.set_result(None)

    def _free(self) -> bool:
        if self.used < self.guaranteed:
            return True
        seats, limits = self._seats, self.limits
        if self.used < limits.nominal:
            return seats.used < seats.total
        return self.used < limits.most and seats.used + seats.reserved_from(self) < seats.total

    def _queue(self, number: int) -> _Queue:
        found = self._queues.get(number)
        if found is None:
            found = self._queues[number] = _Queue(number)
        return found

    def _leave(self, one: _Waiting) -> None:
        """Of one that no longer waits; a seat that it got meanwhile goes back."""
        if one.ready.done() and not one.ready.cancelled():
            self.give()
        elif one in one.queue.waiting:
            one.queue.waiting.remove(one)
            self._forget_one()

    def _forget_one(self) -> None:
        self.queued -= 1
        if not self.queued:
            self._seats.waiting.pop(self, None)
