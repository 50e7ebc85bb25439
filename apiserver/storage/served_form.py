"""Served form: a row whose objects look to its clients otherwise than they are stored — every version of a custom resource.

A row says so by `Resource.served_form`, an object of the protocol below. The store then hands out entries in the served form, and
everything behind it (lists, selectors, tables, events) works on those without knowing. To convert may mean to ask a webhook, so it
is asynchronous; what was converted once is kept with the entry, and with the change, for all who come later.

    stored entry ──(entries)──► served entry          read: get, list, watch, the old object of an update
    served tree  ──(stored)───► stored tree           write

Selectors look at the served form: the same object may match in one version and not in another.
"""

from collections.abc import Sequence
from typing import Protocol

from apiserver.storage.entry import Entry
from apiserver.storage.watch_cache import Change, Event, Selection, WatchCache
from kube.api.meta import Tree


class ServedForm(Protocol):
    """How one row's objects become what its clients see, and back. Hashable by identity."""

    async def entries(self, stored: Sequence[Entry]) -> list[Entry]:
        """The same objects as clients of the row see them; raises ApiError where one cannot be converted."""

    async def stored(self, tree: Tree) -> Tree:
        """A client's object in the form that it is stored in."""


class FormedWatcher:
    """A watcher of served entries over one of stored entries; the part of Watcher that a watch request needs."""

    def __init__(self, cache: WatchCache, form: ServedForm, selection: Selection, since: int) -> None:
        self._form = form
        self._selection = selection
        self._stored = cache.watch(Selection(selection.prefix), since)
        self.since = since

    @property
    def cut(self) -> bool:
        return self._stored.cut

    async def take(self, timeout_seconds: float) -> tuple[list[Event], int]:
        """As Watcher.take. Raises ApiError where an object cannot be converted."""
        events, revision = await self._stored.take(timeout_seconds)
        changes = [event.change for event in events if event.change is not None]
        await self._form.entries([entry for change in changes for entry in (change.old, change.new) if entry is not None])
        found = [(await self._formed(change)).seen_by(self._selection) for change in changes]
        return [event for event in found if event is not None], revision

    def close(self) -> None:
        self._stored.close()

    async def _formed(self, change: Change) -> Change:
        """The change as this row's clients see it, one for all of them."""
        if change.forms is None:
            change.forms = {}
        found = change.forms.get(self._form)
        if found is None:
            old, new = [(await self._form.entries([one]))[0] if one is not None else None for one in (change.old, change.new)]
            found = change.forms[self._form] = Change(change.revision, old, new, change.at)
        return found


async def initial(cache: WatchCache, form: ServedForm, selection: Selection) -> tuple[list[Event], FormedWatcher]:
    """What matches now as ADDED events, and a watcher of everything after."""
    watcher = FormedWatcher(cache, form, selection, cache.revision)
    try:
        present = await form.entries(list(cache.below(selection.prefix)))
    except BaseException:
        watcher.close()
        raise
    return [Event("ADDED", entry, None) for entry in present if selection.matches(entry)], watcher
