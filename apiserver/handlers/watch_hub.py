"""Watch hub: events to many watchers of the same thing, rendered once, framed once, written to each connection at once.

Watchers with the same selection and form make a group, which is one watcher to the cache. What piles up in a group goes out as
one chunk: at the end of the loop's turn, or later where the group has had more than its share. A group owes a rest of REST_SHARE
times the processor's time that each chunk took to write, and takes it, REST_SECONDS at most at once, when it owes more than
CREDIT_SECONDS: so delivery never takes more than a share of the loop however many watch, the events of a quiet cluster and those
of a burst of some writes go out at once, and a busy one's go many at a time, which costs ten times less.

The rules of a watch hold: a member joins at the revision that the group's other members are at, gets every event after it once
and in order, and does not hold up anybody. A client that does not take what it is sent (its connection is full) has its events
queued, as references to shared bytes, and is cut beyond WATCHER_BUFFER of them.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Hashable
from functools import partial

from apiserver.storage import watch_cache
from apiserver.storage.watch_cache import Event, Selection, WatchCache
from kube.component.http_cycle import chunk_of

REST_SHARE = 8.0
REST_SECONDS = 0.1
CREDIT_SECONDS = 0.03

Push = Callable[[bytes], bool]  # writes a chunk; False: the connection is full
Line = Callable[[Event], bytes]  # an event as its watchers want it


class Member:
    """One watch. Its owner waits for `news`, lets the connection drain, and then sends `next_piece` until there is none."""

    def __init__(self, group: "_Group", push: Push) -> None:
        self.cut = False
        self._group = group
        self._push = push
        self._backlog: deque[tuple[bytes, int]] = deque()  # pieces, and how many events each has
        self._queued = 0
        self._behind = False  # the owner is to send; nothing is written past it
        self._news: asyncio.Future[None] | None = None

    async def news(self, timeout_seconds: float) -> None:
        """Until the owner has something to do, or the time is over."""
        if self.cut or self._behind:
            return
        loop = asyncio.get_running_loop()
        self._news = loop.create_future()
        alarm = loop.call_later(timeout_seconds, self._wake)
        try:
            await self._news
        finally:
            alarm.cancel()
            self._news = None

    def next_piece(self) -> bytes | None:
        """What the owner is to send now; None: nothing is left, and events are written at once again."""
        if not self._backlog:
            self._behind = False
            return None
        piece, events = self._backlog.popleft()
        self._queued -= events
        return piece

    def say(self, line: bytes) -> None:
        """A line of the member's own (a bookmark), after everything that the cache has told so far."""
        self._group.flush()
        self.deliver(chunk_of(line), line, 1)

    def deliver(self, chunk: bytes, piece: bytes, events: int) -> None:
        """A piece, and the same framed."""
        if self.cut:
            return
        if not self._behind:
            if not self._push(chunk):
                self._behind = True  # this one was taken; the next ones wait
                self._wake()
        elif self._queued + events > watch_cache.WATCHER_BUFFER:
            self.end()
        else:
            self._backlog.append((piece, events))
            self._queued += events
            self._wake()

    def end(self) -> None:
        """Nothing follows what is in the backlog."""
        self.cut = True
        self._wake()

    def leave(self) -> None:
        self._group.leave(self)

    def _wake(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)


class _Group:
    """The members that get the same bytes; one watcher of the cache."""

    def __init__(self, cache: WatchCache, selection: Selection, line: Line, on_empty: Callable[[], object]) -> None:
        self.selection = selection
        self.since = cache.revision
        self._cache = cache
        self._line = line
        self._on_empty = on_empty
        self._members: dict[Member, None] = {}
        self._lines: list[bytes] = []
        self._timer: asyncio.Handle | None = None
        self._rested_at = 0.0  # when it will owe nothing any longer
        self._loop = asyncio.get_running_loop()
        cache.add(self)

    def join(self, push: Push) -> Member:
        """A member from the cache's revision on."""
        self.flush()
        member = Member(self, push)
        self._members[member] = None
        return member

    def leave(self, member: Member) -> None:
        if member in self._members:
            del self._members[member]
            if not self._members:
                self._dissolve()

    def push(self, event: Event) -> None:
        """The cache tells of an event."""
        self._lines.append(self._line(event))
        if self._timer is None:
            rest = self._rested_at - CREDIT_SECONDS - time.monotonic()
            self._timer = self._loop.call_later(rest, self.flush) if rest > 0 else self._loop.call_soon(self.flush)

    def end(self) -> None:
        """The cache has nothing more to tell."""
        self.flush()
        members, self._members = self._members, {}
        self._dissolve()
        for member in members:
            member.end()

    def flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._lines:
            return
        began = time.thread_time()  # by the clock, a group would rest for whoever took the core when the writing woke them
        lines, self._lines = self._lines, []
        piece = b"".join(lines)
        chunk = chunk_of(piece)
        for member in self._members:
            member.deliver(chunk, piece, len(lines))
        spent, now = time.thread_time() - began, time.monotonic()
        self._rested_at = min(max(self._rested_at, now) + REST_SHARE * spent, now + CREDIT_SECONDS + REST_SECONDS)

    def _dissolve(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._cache.forget(self)
        self._on_empty()


class Hub:
    """Every group of a server."""

    def __init__(self) -> None:
        self._groups: dict[Hashable, _Group] = {}

    def join(self, name: Hashable, cache: WatchCache, selection: Selection, line: Line, push: Push) -> Member:
        """`name`: equal where selection and lines are. The caller has told its client everything up to the cache's revision."""
        group = self._groups.get(name)
        if group is None:
            group = self._groups[name] = _Group(cache, selection, line, partial(self._groups.pop, name, None))
        return group.join(push)
