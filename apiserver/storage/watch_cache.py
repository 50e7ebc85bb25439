"""Watch cache: every object of one resource as of one revision, what happened lately, and who is told.

Promise
- The cache holds exactly what etcd held at `revision`: changes arrive in etcd's order, whole revisions at a time.
- An object's bytes are encoded once per change and shared by every GET, LIST and watcher.
- A watcher from revision N gets every change after N, in order, once; or Expired, where the history no longer reaches
  back to N. It never silently skips.
- Nobody waits for a watcher: what it has not taken yet stands in its own bounded queue, and it is cut when that is full.

The history keeps at least HISTORY_SECONDS (a bookmark's period and a quarter), between HISTORY_MIN and HISTORY_MAX changes.
With a selector, an object that begins to match is ADDED and one that ceases to is DELETED, with its last matching content and
the new revision. A watcher whose field selector demands one value (spec.nodeName=x) is only looked at for objects that have
or had that value: a thousand kubelets cost as much as one.
Everything here is synchronous, so between two awaits the cache is consistent. The feed (feed.py) is the only writer.
apiserver pkg/storage/cacher · https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

import asyncio
import bisect
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal, NamedTuple, Protocol

from apiserver.storage import codec
from apiserver.storage.entry import Entry, FieldGetters
from apiserver.storage.field_index import FieldIndex
from apiserver.storage.packing import Packing
from kube.api.fields import FieldSelector
from kube.api.labels import Selector
from kube.api.meta import Tree
from kube.api.status import Expired

HISTORY_SECONDS = 75.0
HISTORY_MIN = 100
HISTORY_MAX = 102_400
WATCHER_BUFFER = 10_000  # changes a watcher may lag behind; they are shared, so this bounds time more than memory

EventType = Literal["ADDED", "MODIFIED", "DELETED"]


@dataclass(frozen=True)
class Selection:
    """Which objects: those below a key prefix that match both selectors; None matches everything."""

    prefix: str
    labels: Selector | None = None
    fields: FieldSelector | None = None
    getters: FieldGetters = field(default_factory=dict)  # the cache's own

    @property
    def everything(self) -> bool:
        return self.labels is None and self.fields is None

    def matches(self, entry: Entry) -> bool:
        if not entry.key.startswith(self.prefix):
            return False
        if self.labels is not None and not self.labels.matches(entry.metadata.labels or {}):
            return False
        if self.fields is None:
            return True
        values = entry.fields(self.getters)
        return self.fields.matches(lambda name: values.get(name, ""))


class Change:
    """One change in the history; `new` is None where the object was deleted."""

    __slots__ = ("_gone", "_lines", "at", "forms", "new", "old", "revision")

    def __init__(self, revision: int, old: Entry | None, new: Entry | None, at: float) -> None:
        self.revision = revision
        self.old = old
        self.new = new
        self.at = at
        self.forms: dict[object, Change] | None = None  # the same change to those who see another form (served_form.py)
        self._lines: dict[object, bytes] | None = None
        self._gone: Entry | None = None

    def seen_by(self, selection: Selection) -> "Event | None":
        """The event that a watcher of `selection` gets, if any."""
        was = self.old is not None and selection.matches(self.old)
        is_now = self.new is not None and selection.matches(self.new)
        if is_now:
            assert self.new is not None
            return Event("MODIFIED" if was else "ADDED", self.new, self)
        return Event("DELETED", self.gone, self) if was else None

    def line(self, name: object, render: Callable[[], bytes]) -> bytes:
        """An encoded event, made for the first watcher who wants it so and kept for the others."""
        if self._lines is None:
            self._lines = {}
        found = self._lines.get(name)
        if found is None:
            found = self._lines[name] = render()
        return found

    @property
    def gone(self) -> Entry:
        """The old content with the revision of this change."""
        if self._gone is None:
            assert self.old is not None, "only what existed can be gone"
            self._gone = self.old.at(self.revision)
        return self._gone


class Event(NamedTuple):
    type: EventType
    entry: Entry
    change: Change | None  # None: one of the initial events


class Sink(Protocol):
    """Who is told of changes."""

    selection: Selection
    since: int

    def push(self, event: Event) -> None: ...

    def end(self) -> None:
        """Nothing follows."""


class Watcher:
    """A queue of events for one watch request; made by WatchCache.watch, ended by `close`."""

    def __init__(self, cache: "WatchCache", selection: Selection, since: int) -> None:
        self._cache = cache
        self.selection = selection
        self.since = since  # changes at or below it are not for this watcher
        self.cut = False  # the queue was full, or the cache was read anew: the stream must end
        self._queue: deque[Event] = deque()
        self._waiting: asyncio.Future[None] | None = None

    def push(self, event: Event) -> None:
        if self.cut:
            return
        if len(self._queue) >= WATCHER_BUFFER:
            self.end()
            return
        self._queue.append(event)
        self._wake()

    def end(self) -> None:
        """Nothing follows what is queued."""
        self.cut = True
        self._wake()

    async def take(self, timeout_seconds: float) -> tuple[list[Event], int]:
        """Everything queued, once there is something or the time is over; and the revision that this covers."""
        if not self._queue and not self.cut:
            loop = asyncio.get_running_loop()
            self._waiting = loop.create_future()
            alarm = loop.call_later(timeout_seconds, self._wake)  # a third of the cost of asyncio.timeout
            try:
                await self._waiting
            finally:
                alarm.cancel()
                self._waiting = None
        return self.queued(), max(self._cache.revision, self.since)

    def queued(self) -> list[Event]:
        """Everything queued, without waiting."""
        events = list(self._queue)
        self._queue.clear()
        return events

    def close(self) -> None:
        self._cache.forget(self)

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


class Position:
    """How far the feed has come; one for all its caches, since one watch feeds them."""

    __slots__ = ("revision",)

    def __init__(self) -> None:
        self.revision = 0


class WatchCache:
    """The objects below one key prefix (`/registry/pods/`)."""

    def __init__(self, prefix: str, position: Position) -> None:
        self.prefix = prefix
        self._position = position
        self.getters: dict[str, Callable[[Tree], str]] = {}  # the selectable fields, of all rows stored here
        self._index = FieldIndex(self.getters)
        self._packing = Packing()
        self._entries: dict[str, Entry] = {}
        self._keys: list[str] = []  # sorted
        self._history: deque[Change] = deque()
        self._complete_after = 0  # the history has every change after this revision
        self._watchers: dict[Sink, None] = {}  # in order of arrival; those that no field value finds
        self._indexed: dict[tuple[str, str], dict[Sink, None]] = {}  # by (field, value) that its selector demands

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def revision(self) -> int:
        """The revision that this is the state of."""
        return self._position.revision

    # -- reading

    def get(self, key: str) -> Entry | None:
        return self._entries.get(key)

    def below(self, prefix: str, after: str = "") -> Iterator[Entry]:
        """Entries below `prefix` in key order, from the first key at or after `after`. Do not await while iterating."""
        keys, entries = self._keys, self._entries
        position = bisect.bisect_left(keys, max(prefix, after))
        end = bisect.bisect_left(keys, prefix_end(prefix)) if prefix != self.prefix else len(keys)
        return (entries[keys[i]] for i in range(position, end))

    def candidates(self, selection: Selection, after: str = "") -> Iterable[Entry]:
        """In key order, from the first key at or after `after`, the entries that may match: all others do not."""
        demanded = _demanded_value(selection)
        if demanded is None or demanded[0] not in self.getters:
            return self.below(selection.prefix, after)
        found = self._index.having(*demanded, self._entries.values())
        return sorted((one for one in found if one.key >= after and one.key.startswith(selection.prefix)), key=_key)

    def count(self, prefix: str, after: str = "") -> int:
        """How many keys below `prefix` stand at or after `after`."""
        return bisect.bisect_left(self._keys, prefix_end(prefix)) - bisect.bisect_left(self._keys, max(prefix, after))

    @property
    def changed(self) -> int:
        """No change after this revision is known: a list at any revision from here to `revision` is the present one."""
        return self._history[-1].revision if self._history else self._complete_after

    # -- watching

    def watch(self, selection: Selection, since: int) -> Watcher:
        """A watcher of every change after `since`. Raises Expired where the history does not reach back so far."""
        if since < self._complete_after:
            raise Expired(f"too old resource version: {since} ({self._complete_after})")
        watcher = Watcher(self, selection, since)
        first = bisect.bisect_right(self._history, since, key=lambda change: change.revision)
        for change in islice(self._history, first, None):
            event = change.seen_by(selection)
            if event is not None:
                watcher.push(event)
        self._place(watcher)[watcher] = None
        return watcher

    def watch_from_now(self, selection: Selection) -> tuple[list[Event], Watcher]:
        """What matches at `revision` as ADDED events, and a watcher of everything after."""
        present = [Event("ADDED", entry, None) for entry in self.candidates(selection) if selection.matches(entry)]
        watcher = Watcher(self, selection, self.revision)
        self._place(watcher)[watcher] = None
        return present, watcher

    def add(self, sink: Sink) -> None:
        """Tell of everything after the present revision."""
        self._place(sink)[sink] = None

    def forget(self, watcher: Sink) -> None:
        self._place(watcher).pop(watcher, None)
        demanded = _demanded_value(watcher.selection)
        if demanded is not None and not self._indexed[demanded]:
            del self._indexed[demanded]

    # -- writing: the feed's part

    def fill(self, entries: Iterable[Entry], revision: int) -> None:
        """Start, or start anew: everything as of `revision`, in key order. All watchers are cut."""
        self._entries = {entry.key: entry for entry in entries}
        self._keys = sorted(self._entries)
        self._index.clear()
        self._packing.fill(self._entries.values())
        self._history.clear()
        self._complete_after = revision
        self.end_watchers()

    def end_watchers(self) -> None:
        """No watcher gets anything more."""
        for watcher in [*self._watchers, *(one for place in self._indexed.values() for one in place)]:
            watcher.end()

    def apply(self, key: str, data: bytes | None, revision: int) -> None:
        """One change from etcd; None: deleted."""
        old = self._entries.get(key)
        if data is None:
            if old is None:
                return
            new = None
            del self._entries[key]
            del self._keys[bisect.bisect_left(self._keys, key)]
        else:
            new = self._entries[key] = Entry(key, codec.served(data, revision), revision)
            if old is None:
                bisect.insort(self._keys, key)
        self._index.change(old, new)
        change = Change(revision, old, new, time.monotonic())
        self._remember(change)
        for watcher in self._concerned(change):
            if revision > watcher.since and (event := change.seen_by(watcher.selection)) is not None:
                watcher.push(event)
        self._packing.change(old, new, self._entries.values())

    def _remember(self, change: Change) -> None:
        history = self._history
        history.append(change)
        oldest_kept = change.at - HISTORY_SECONDS
        while len(history) > HISTORY_MAX or (len(history) > HISTORY_MIN and history[0].at < oldest_kept):
            self._complete_after = history.popleft().revision

    def _place(self, watcher: Sink) -> dict[Sink, None]:
        demanded = _demanded_value(watcher.selection)
        return self._watchers if demanded is None else self._indexed.setdefault(demanded, {})

    def _concerned(self, change: Change) -> list[Sink]:
        found = list(self._watchers)
        if self._indexed:
            for name, value in self._values(change):
                found += self._indexed.get((name, value), ())
        return found

    def _values(self, change: Change) -> set[tuple[str, str]]:
        return {item for entry in (change.old, change.new) if entry is not None for item in entry.fields(self.getters).items()}


def _demanded_value(selection: Selection) -> tuple[str, str] | None:
    """The (field, value) that every matching object has, if the field selector names one."""
    if selection.fields is None:
        return None
    for term in selection.fields.terms:
        if term.equal:
            return (term.field, term.value)
    return None


def _key(entry: Entry) -> str:
    return entry.key


def prefix_end(prefix: str) -> str:
    """The first string after all that begin with `prefix`."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)
