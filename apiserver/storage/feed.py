"""Feed: one etcd watch over the whole registry that keeps every watch cache current, and the exact reads they allow.

Our choice: one watch for all resources in place of upstream's one each. It starts with one paged read however many kinds there
are; revisions are seen in one order across kinds; and since every write of the cluster passes by, the caches are nearly always
at etcd's own revision.

An exact read asks etcd for its revision (asking.py) and waits until the caches have come that far. A revision at which none of
our keys was written never arrives; nobody makes one in an etcd that is the cluster's own. Where nothing came for QUIET_SECONDS,
the feed writes a key of its own, the mark: a watch tells in order, so when it tells of the mark it has told everything before.
etcd's own answer to a question for progress does not say that: before 3.4.25 it overtakes the events that a newly opened watch
still has to bring (etcd-io/etcd#15220), and a cache that believed it would stand at a revision whose changes it has not seen.

The compactor's key passes by, too, and tells what `compacted` is: a cache whose resource never changed could show a revision
that etcd has forgotten for ever, and a list's continue token would not expire.
https://kubernetes.io/docs/reference/using-api/api-concepts/#semantics-for-get-and-list · KEP-2340
"""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial

from apiserver.storage import codec
from apiserver.storage.asking import Asking, Reader, release
from apiserver.storage.compactor import COMPACT_KEY
from apiserver.storage.entry import Entry
from apiserver.storage.etcd import Compacted, Etcd, Outcome
from apiserver.storage.etcd_watch import Batch, EtcdWatch
from apiserver.storage.watch_cache import Position, WatchCache, prefix_end
from kube.api.status import ApiError, Timeout
from kube.component.logging import get_logger

PAGE = 2_000  # keys a read at start-up
FRESH_SECONDS = 3.0  # how long a read waits for the caches, as upstream's watch cache
QUIET_SECONDS = 0.3
MARK_KEY = "revision_mark"  # below the root, where no object is
RETRY_SECONDS = 1.0

log = get_logger(__name__)


class Feed:
    """`run` it; `ready` is set once every object is in its cache. `bucket` tells a key's cache prefix.

    `tell` hears the newest revision of what is below the prefixes `judging`: when it is written here, and once it is in its cache
    (abreast.py).
    """

    def __init__(self, etcd: Etcd, root: str, bucket: Callable[[str], str], tell: Callable[[int], None]) -> None:
        self._etcd = etcd
        self._tell = tell
        self.judging: set[str] = set()
        self.judged = 0  # the newest revision of what is below them, in the caches: who compares it need not look
        self.compacted = 0  # the oldest revision that may still be shown, as far as the compactors have told
        self._root = root
        self._bucket = bucket
        self._caches: dict[str, WatchCache] = {}
        self._position = Position()
        self.ready = asyncio.Event()
        self._watch: EtcdWatch | None = None
        self._moved = asyncio.Event()  # set, and replaced, whenever `revision` grew and somebody waits for that
        self._expecting = 0  # how many wait
        self._marking = asyncio.Lock()
        self._asking = Asking(etcd.revision, self._answered)
        self._late = asyncio.TaskGroup()  # of readers who wait for the caches, while it runs

    @property
    def revision(self) -> int:
        """What every cache is at."""
        return self._position.revision

    def cache(self, prefix: str) -> WatchCache:
        """The cache of a resource's prefix; an empty one for a resource that has no objects yet."""
        found = self._caches.get(prefix)
        if found is None:
            found = self._caches[prefix] = WatchCache(prefix, self._position)
            found.fill((), self.revision)
        return found

    async def run(self) -> None:
        """For ever: read everything, then follow; read anew where etcd has compacted what is missing."""
        async with asyncio.TaskGroup() as self._late:
            self._late.create_task(self._asking.run())
            while True:
                try:
                    await self._load()
                    await self._follow()
                except Compacted as gap:
                    log.warning("the registry's history is gone, reading it anew", at=self.revision, compacted=gap.revision)
                except ApiError as error:
                    log.warning("etcd is not available", err=error)
                    await asyncio.sleep(RETRY_SECONDS)

    def end_watches(self) -> None:
        """The server stops: its clients shall look for another one now."""
        for cache in self._caches.values():
            cache.end_watchers()

    def wrote(self, prefix: str, outcome: Outcome) -> None:
        """Before anybody hears of a write: no worker judges by what was there before it."""
        if outcome.done and prefix in self.judging:
            self._tell(outcome.revision)

    async def fresh(self) -> int:
        """Wait until the caches hold every write that was acknowledged before this call; their revision."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.when_fresh(partial(_let_go_on, waiter))
        await waiter
        return self.revision

    def when_fresh(self, reader: Reader) -> None:
        """Likewise: it is called once, with what went wrong, if anything did."""
        self._asking.add(reader)

    async def reach(self, revision: int) -> None:
        """Wait until the caches are at `revision` or beyond; Timeout after FRESH_SECONDS."""
        if self.revision >= revision:
            return
        try:
            async with asyncio.timeout(FRESH_SECONDS):
                while self.revision < revision:
                    if not await self._moves():
                        await self._mark(min(revision, await self._etcd.revision()))
        except TimeoutError:
            raise too_large(revision, self.revision) from None

    async def _moves(self) -> bool:
        """Wait for something to come; whether it did within QUIET_SECONDS."""
        self._expecting += 1
        try:
            async with asyncio.timeout(QUIET_SECONDS):
                await self._moved.wait()
                return True
        except TimeoutError:
            return False
        finally:
            self._expecting -= 1

    async def _mark(self, revision: int) -> None:
        """Make a revision of our own above this one, unless the caches are there; one mark serves all who wait."""
        async with self._marking:
            if self.revision < revision:
                await self._etcd.mark(self._root + MARK_KEY)
                await self._moves()

    def _answered(self, readers: list[Reader], revision: int) -> None:
        """`revision` is etcd's own."""
        if self.revision >= revision:
            release(readers)
        else:
            self._late.create_task(self._release_at(revision, readers))

    async def _release_at(self, revision: int, readers: list[Reader]) -> None:
        """Where nothing came of it for so long, the watch hangs (its member may be stopped)."""
        before = self.revision
        try:
            await self.reach(revision)
        except ApiError as error:
            if self.revision == before and self._watch is not None:
                log.warning("the watch of etcd is silent, opening another one", at=before, etcd=revision)
                self._watch.begin_anew()
            release(readers, error)
        else:
            release(readers)

    async def _load(self) -> None:
        end = prefix_end(self._root)
        start, revision, self.compacted = self._root, 0, 0
        found: dict[str, list[Entry]] = {}
        while True:
            page = await self._etcd.range(start, end, revision=revision, limit=PAGE)
            revision = revision or page.revision
            for item in page.items:
                if not codec.is_object(item.value):
                    self._note(item.key, item.value)
                    continue
                entry = Entry(item.key, codec.served(item.value, item.revision), item.revision)
                found.setdefault(self._bucket(item.key), []).append(entry)
            if not page.more:
                break
            start = page.items[-1].key + "\0"
        self._fill(found, revision)

    def _fill(self, found: dict[str, list[Entry]], revision: int) -> None:
        self._position.revision = self.judged = revision
        found.pop("", None)
        for prefix in {*self._caches, *found}:
            self.cache(prefix).fill(found.get(prefix, ()), revision)
        log.info("registry read", objects=sum(map(len, found.values())), resources=len(found), revision=revision)
        self.ready.set()
        self._wake()

    async def _follow(self) -> None:
        self._watch = EtcdWatch(self._etcd, self._root, prefix_end(self._root), self.revision + 1)
        try:
            await self._watch.follow(self._take)
        finally:
            self._watch = None

    def _take(self, batch: Batch) -> None:
        told = 0
        for key, value, revision in batch.changes:
            prefix = self._bucket(key)
            if prefix and codec.is_object(value):
                self.cache(prefix).apply(key, value, revision)
                if prefix in self.judging:
                    self.judged = told = revision
            elif not prefix:
                self._note(key, value)
        if batch.revision > self.revision:
            self._position.revision = batch.revision
            self._wake()
        if told:
            self._tell(told)

    def _note(self, key: str, value: bytes | None) -> None:
        """A key of no object: the compactor's says what is forgotten from now on."""
        if key == self._root + COMPACT_KEY and value is not None and value.isdigit():
            self.compacted = max(self.compacted, int(value))

    def _wake(self) -> None:
        if self._expecting:
            moved, self._moved = self._moved, asyncio.Event()
            moved.set()


def _let_go_on(waiter: "asyncio.Future[None]", error: ApiError | None) -> None:
    if waiter.done():
        return  # given up
    if error is None:
        waiter.set_result(None)
    else:
        waiter.set_exception(error)


def too_large(revision: int, current: int) -> Timeout:
    """The client named a revision from the future (or the caches hang behind)."""
    causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
    return Timeout(
        f"Timeout: Too large resource version: {revision}, current: {current}", {"causes": causes, "retryAfterSeconds": 1}
    )


def buckets(root: str, prefixes: Iterable[str]) -> Callable[[str], str]:
    """A function from key to cache prefix that knows these; others are taken to be `<root><group>/<resource>/`.

    A key straight below the root is no object: its prefix is empty.
    """
    known = frozenset(prefixes)

    def bucket(key: str) -> str:
        first, _, rest = key[len(root) :].partition("/")
        if not rest:
            return ""
        prefix = f"{root}{first}/"
        if prefix in known:
            return prefix
        return f"{prefix}{rest.split('/', 1)[0]}/"

    return bucket
