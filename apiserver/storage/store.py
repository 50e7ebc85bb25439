"""Store: the generic registry of one resource — create, get, list, update, delete — on the watch cache and etcd.

Every write is a compare-and-swap on the object's mod_revision. An update takes the object from the cache, lets `mutate` make
the new one, and writes it if nobody was faster; else it begins again with what stands in etcd. A refusal, or a change that
is none, counts only against an object that is known to be the newest. An update that changes nothing writes nothing.
apiserver pkg/registry/generic/registry/store.go, pkg/storage/etcd3/store.go
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

import orjson

from apiserver.storage import codec, deletion
from apiserver.storage.abreast import judges
from apiserver.storage.entry import Entry, FieldGetters
from apiserver.storage.etcd import Compacted, Etcd, FutureRevision
from apiserver.storage.etcd_messages import KeyValue
from apiserver.storage.feed import Feed, too_large
from apiserver.storage.listing import Ask, Freshness, encode_token, token_expired, version_expired
from apiserver.storage.served_form import FormedWatcher, ServedForm, initial
from apiserver.storage.watch_cache import Event, Selection, WatchCache, Watcher, prefix_end
from kube.api.meta import Key, Tree
from kube.api.resource import Resource
from kube.api.status import AlreadyExists, ApiError, Expired, Timeout, already_exists, not_found

Mutate = Callable[[Tree], Awaitable[Tree]]
Fresh = Callable[[], Tree]
Change = Callable[[Fresh, Tree], Awaitable[Tree]]  # (fresh, old): a tree of the object that may be changed, and one that may not
Check = Callable[[Tree], Awaitable[None]]
Removed = Callable[[Tree], Awaitable[None]]

ETCD_PAGE = 500  # keys a read of an old revision


class Page(NamedTuple):
    """A part of a list, or all of it."""

    entries: list[Entry]
    revision: int
    token: str = ""  # empty: this is the end
    remaining: int | None = None  # how many objects come after; unknown under selectors


async def _accept(tree: Tree) -> None:
    """No check."""


class Store:
    """The objects of one resource. Rows that share their storage share `prefix` and `cache`, and convert at the edges."""

    def __init__(self, resource: Resource, prefix: str, etcd: Etcd, feed: Feed, ttl_seconds: int = 0) -> None:
        self.resource = resource
        self.prefix = prefix
        self._etcd = etcd
        self._feed = feed
        self._ttl_seconds = ttl_seconds
        self._form: ServedForm | None = resource.served_form
        if judges(resource.group, resource.plural):
            feed.judging.add(prefix)
        self.now = deletion.utc_now
        self.removed: Removed | None = None  # called with each object that is gone

    @cached_property
    def cache(self) -> WatchCache:
        return self._feed.cache(self.prefix)

    @property
    def getters(self) -> FieldGetters:
        """Every selectable field, of the entries that this store hands out."""
        return self.cache.getters if self._form is None else self.resource.field_selectors

    def path(self, key: Key) -> str:
        """The key in etcd."""
        return f"{self.prefix}{key.namespace}/{key.name}" if self.resource.namespaced else f"{self.prefix}{key.name}"

    # -- reading

    async def entry(self, key: Key, version: int | None = None) -> Entry:
        """The newest state (`version` None), any (0), or one not older than `version`. Raises NotFound."""
        found = await self._exact(key) if version is None else self.cache.get(self.path(key))
        if version:
            await self._feed.reach(version)
            found = self.cache.get(self.path(key))
        if found is None:
            raise self.missing(key)
        return found if self._form is None else (await self._form.entries([found]))[0]

    async def _exact(self, key: Key) -> Entry | None:
        """The newest state: from the cache, or from etcd itself where the cache does not catch up in time."""
        try:
            await self._feed.fresh()
        except Timeout:
            return await self._newest(key)
        return self.cache.get(self.path(key))

    async def get(self, key: Key) -> Tree:
        """The newest state, in this row's version. Raises NotFound."""
        return self._viewed((await self.entry(key)).tree())

    def cached(self, key: Key) -> Tree | None:
        """What the cache has, which may be milliseconds old; of a custom resource as it is stored."""
        found = self.cache.get(self.path(key))
        return self._viewed(found.tree()) if found else None

    def cached_entry(self, key: Key) -> Entry | None:
        """Likewise, not decoded."""
        return self.cache.get(self.path(key))

    def cached_list(self, namespace: str = "") -> list[Tree]:
        """Likewise; an empty namespace is all of them."""
        if not self.cache:
            return []
        return [self._viewed(entry.tree()) for entry in self.cache.below(self.prefix_of(namespace))]

    def prefix_of(self, namespace: str) -> str:
        return f"{self.prefix}{namespace}/" if namespace and self.resource.namespaced else self.prefix

    async def fresh(self) -> int:
        return await self._feed.fresh()

    async def reach(self, version: int) -> None:
        await self._feed.reach(version)

    async def page(self, ask: Ask) -> Page:
        """One page. Raises Expired where the revision asked for is gone."""
        if self._form is None:
            return await self._stored_page(ask)
        if ask.selection.everything:
            page = await self._stored_page(ask)
            return page._replace(entries=await self._form.entries(page.entries))
        page = await self._stored_page(replace(ask, selection=Selection(ask.selection.prefix), limit=0))
        found = [entry for entry in await self._form.entries(page.entries) if ask.selection.matches(entry)]
        if ask.limit and len(found) > ask.limit:
            return self._unfinished(ask, page.revision, found[: ask.limit], 0)
        return page._replace(entries=found)

    async def _stored_page(self, ask: Ask) -> Page:
        if ask.freshness is Freshness.EXACT:
            await self._feed.reach(ask.revision)
            if ask.revision < self._feed.compacted:
                raise _gone(ask)
            if self.cache.changed > ask.revision:
                return await self._list_at(ask)
            return self._page(ask, ask.revision)
        if ask.freshness is Freshness.NEWEST:
            try:
                await self._feed.fresh()
            except Timeout:  # the cache does not catch up
                return await self._list_at(replace(ask, revision=await self._etcd.revision()))
        elif ask.freshness is Freshness.NOT_OLDER:
            await self._feed.reach(ask.revision)
        return self._page(ask, self._feed.revision)

    def _page(self, ask: Ask, revision: int) -> Page:
        """From the cache, whose state is that of `revision`."""
        cache, selection = self.cache, ask.selection
        after = self.prefix + ask.after
        if not ask.limit:
            entries = cache.candidates(selection, after)
            return Page([one for one in entries if selection.everything or selection.matches(one)], revision)
        found: list[Entry] = []
        for entry in cache.candidates(selection, after):
            if len(found) == ask.limit:
                return self._unfinished(ask, revision, found, cache.count(selection.prefix, entry.key))
            if selection.matches(entry):
                found.append(entry)
        return Page(found, revision)

    def _unfinished(self, ask: Ask, revision: int, found: list[Entry], remaining: int) -> Page:
        start = found[-1].key[len(self.prefix) :] + "\0"
        return Page(found, revision, encode_token(revision, start), remaining if ask.selection.everything else None)

    async def _list_at(self, ask: Ask) -> Page:
        """From etcd, as of a revision that the cache has left behind."""
        selection = ask.selection
        start, end = max(selection.prefix, self.prefix + ask.after), prefix_end(selection.prefix)
        found: list[Entry] = []
        more, remaining = True, 0
        while more:
            limit = min(ask.limit, ETCD_PAGE) if ask.limit and selection.everything else ETCD_PAGE
            try:
                page = await self._etcd.range(start, end, revision=ask.revision, limit=limit)
            except Compacted:
                raise _gone(ask) from None
            except FutureRevision:
                raise too_large(ask.revision, self._feed.revision) from None
            for seen, item in enumerate(page.items):
                if ask.limit and len(found) == ask.limit:
                    return self._unfinished(ask, ask.revision, found, page.total - seen)
                entry = Entry(item.key, codec.served(item.value, item.revision), item.revision)
                if selection.matches(entry):
                    found.append(entry)
            more, remaining = page.more, page.total - len(page.items)
            start = page.items[-1].key + "\0" if page.items else start
            if more and ask.limit and len(found) == ask.limit:
                return self._unfinished(ask, ask.revision, found, remaining)
        return Page(found, ask.revision)

    # -- watching

    def watch(self, selection: Selection, since: int) -> Watcher | FormedWatcher:
        """A watcher of every change after `since`. Raises Expired."""
        if self._form is not None:
            return FormedWatcher(self.cache, self._form, selection, since)
        return self.cache.watch(selection, since)

    async def watch_from_now(self, selection: Selection) -> tuple[list[Event], Watcher | FormedWatcher]:
        """What is there as ADDED events, and a watcher of everything after."""
        if self._form is not None:
            return await initial(self.cache, self._form, selection)
        return self.cache.watch_from_now(selection)

    # -- writing

    async def create(self, tree: Tree, dry_run: bool = False) -> Tree:
        """Store a new object whose metadata is complete; the object as stored. Raises AlreadyExists."""
        return (await self.add(tree, dry_run)).tree()

    async def add(self, tree: Tree, dry_run: bool = False) -> Entry:
        """Likewise, not decoded: as clients of this row see it."""
        key = Key(tree["metadata"].get("namespace", ""), tree["metadata"]["name"])
        path = self.path(key)
        if dry_run:
            current = await self._etcd.get(path)
            if current is not None:
                raise self._exists(key, _entry(current))
            return _seen(path, tree)
        stored = codec.encode(await self._stored(tree))
        outcome = await self._etcd.put(path, stored, 0, await self._lease())
        if outcome.current is not None:
            raise self._exists(key, _entry(outcome.current))
        self._feed.wrote(self.prefix, outcome)
        return await self._formed(Entry(path, codec.served(stored, outcome.revision), outcome.revision))

    async def update(self, key: Key, mutate: Mutate, dry_run: bool = False) -> Tree:
        """Replace the object by what `mutate` makes of it; called again, with the newest one, for as long as others are faster.

        Whoever removes the last thing that a deleted object waits for, removes the object. Raises NotFound and what `mutate`
        raises.
        """

        async def change(fresh: Fresh, _old: Tree) -> Tree:
            return await mutate(fresh())

        return (await self.replace(key, change, dry_run)).tree()

    async def replace(self, key: Key, change: Change, dry_run: bool = False) -> Entry:
        """As `update`, not decoded: as clients of this row see it. `change` is also given the object as it was."""
        path = self.path(key)
        current, newest = self.cache.get(path), False
        while True:
            if current is None:
                current, newest = await self._newest(key), True
            formed = await self._formed(current)
            old, new, failure, nothing = formed.tree(), None, None, False
            try:
                new = await change(formed.tree, old)
                nothing = await self._is_no_change(new, old, current)
            except ApiError as error:
                failure = error
            if not newest and (failure or nothing):
                latest, newest = await self._newest(key), True
                if latest.revision != current.revision:
                    current = latest
                    continue
            if failure is not None:
                raise failure
            assert new is not None, "mutate returns a tree"
            if dry_run or nothing:
                return formed if nothing else _seen(path, new)
            written, current = await self._replace(path, new, current.revision)
            if written is not None:
                return written
            newest = True

    async def delete(self, key: Key, options: Tree, check: Check = _accept, dry_run: bool = False) -> tuple[Tree, bool]:
        """Delete by DeleteOptions: the object, and whether it is gone. `check` (admission) sees it first."""
        path = self.path(key)
        current: Entry | None = await self._newest(key)
        while current is not None:
            formed = await self._formed(current)
            tree = formed.tree()
            deletion.check_preconditions(self.resource, tree, options)
            await check(tree)
            decision = deletion.decide(self.resource, formed.tree(), options, self.now())
            match decision:
                case deletion.Wait():
                    return tree, False
                case deletion.Mark(marked):
                    if dry_run:
                        return marked, False
                    written, current = await self._replace(path, marked, current.revision)
                    if written is not None:
                        return written.tree(), False
                case deletion.Remove():
                    gone, current = (True, None) if dry_run else await self._remove(path, tree, current.revision)
                    if gone:
                        return tree, True
        raise self.missing(key)

    async def _replace(self, path: str, new: Tree, expected: int) -> tuple[Entry | None, Entry | None]:
        """Write over revision `expected`: the object as clients see it; or None, and what stands there instead."""
        if deletion.may_go(self.resource, new):
            gone, current = await self._remove(path, new, expected)
            return (_seen(path, new), None) if gone else (None, current)
        stored = codec.encode(await self._stored(new))
        outcome = await self._etcd.put(path, stored, expected, await self._lease())
        self._feed.wrote(self.prefix, outcome)
        if not outcome.done:
            return None, _entry(outcome.current) if outcome.current else None
        if self._form is None and self.resource.view_tree is None:
            return Entry(path, codec.served(stored, outcome.revision), outcome.revision), None
        return _seen(path, new | {"metadata": new["metadata"] | {"resourceVersion": str(outcome.revision)}}), None

    async def _remove(self, path: str, tree: Tree, expected: int) -> tuple[bool, Entry | None]:
        outcome = await self._etcd.delete(path, expected)
        self._feed.wrote(self.prefix, outcome)
        if outcome.done and self.removed is not None:
            await self.removed(tree)
        return outcome.done, _entry(outcome.current) if outcome.current else None

    async def _newest(self, key: Key) -> Entry:
        found = await self._etcd.get(self.path(key))
        if found is None:
            raise self.missing(key)
        return _entry(found)

    async def _lease(self) -> int:
        return await self._etcd.lease(self._ttl_seconds) if self._ttl_seconds else 0

    def missing(self, key: Key) -> ApiError:
        return not_found(self.resource.plural, self.resource.group, key.name)

    def _exists(self, key: Key, current: Entry) -> ApiError:
        error = already_exists(self.resource.plural, self.resource.group, key.name)
        if current.tree()["metadata"].get("deletionTimestamp"):
            return AlreadyExists(f"object is being deleted: {error.message}", error.details)
        return error

    def _viewed(self, tree: Tree) -> Tree:
        return self.resource.view_tree(tree) if self.resource.view_tree else tree

    async def _formed(self, entry: Entry) -> Entry:
        """The same object in this row's version."""
        if self._form is not None:
            return (await self._form.entries([entry]))[0]
        return entry if self.resource.view_tree is None else _seen(entry.key, self.resource.view_tree(entry.tree()))

    async def _stored(self, tree: Tree) -> Tree:
        if self._form is not None:
            return await self._form.stored(tree)
        return self.resource.stored_tree(tree) if self.resource.stored_tree else tree

    async def _is_no_change(self, new: Tree | None, old: Tree, current: Entry) -> bool:
        """Whether a write would leave the bytes as they are. What reads alike may still be stored in another version."""
        if self._form is None or new != old:
            return new == old
        return await self._form.stored(old) == current.tree()


def _gone(ask: Ask) -> Expired:
    return token_expired(ask.after) if ask.after else version_expired()


def _seen(path: str, tree: Tree) -> Entry:
    """A tree as clients see it."""
    return Entry(path, orjson.dumps(tree), 0)


def _entry(item: KeyValue) -> Entry:
    return Entry(item.key, codec.served(item.value, item.revision), item.revision)
