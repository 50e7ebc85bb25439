"""Follow: keep something up to date with the objects of one resource, from the watch cache.

`put(key, tree)` is called for each object that is there, before `follow` returns, and then for each change, in order; None: the
object is gone, or no concern of the follower's, by its bytes. A request may be ahead of the follower's task: `storage/abreast.py`
has it take at once what the cache was told. Where the watch is cut (etcd's history was lost) it begins anew, and what went
meanwhile is told as gone.

An object that `put` cannot make anything of is logged and left out; it must neither end the server nor keep it from starting
again, as the object would still be there then.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from apiserver.storage.store import Store
from apiserver.storage.watch_cache import Event, Selection, Watcher
from kube.api.meta import Key, Tree
from kube.api.resource import Resource
from kube.component.logging import get_logger

if TYPE_CHECKING:
    from apiserver.context import Server

log = get_logger(__name__)

Put = Callable[[Key, Tree | None], None]
Concerns = Callable[[bytes], bool]

IDLE_SECONDS = 3600.0  # how long to wait for a change before looking whether the watch was cut


def follow(server: "Server", row: Resource, put: Put, concerns: Concerns | None = None) -> None:
    """Start following, for the server's life. `concerns` looks at an object's bytes: what it says no to is not decoded."""
    follower = _Follower(server.stores.store_for(row), put, concerns)
    follower.begin()
    server.stores.abreast.looks.append(follower.look)
    server.spawn(follower.run(), f"follow {row.plural}")


class _Follower:
    def __init__(self, store: Store, put: Put, concerns: Concerns | None) -> None:
        self._store = store
        self._put = put
        self._concerns = concerns
        self._known: set[Key] = set()
        self._watcher: Watcher

    def begin(self) -> None:
        present, self._watcher = self._store.cache.watch_from_now(Selection(self._store.prefix))
        keys = {self._key(event) for event in present}
        for key in self._known - keys:
            self._told(key, None)
        self._known = keys
        for event in present:
            self._tell(event)

    async def run(self) -> None:
        try:
            while True:
                events, _ = await self._watcher.take(IDLE_SECONDS)
                self._tell_all(events)
        finally:
            self._watcher.close()

    def look(self) -> None:
        """Take what is queued, now."""
        self._tell_all(self._watcher.queued())

    def _tell_all(self, events: list[Event]) -> None:
        for event in events:
            self._tell(event)
        if self._watcher.cut:
            self._watcher.close()
            self.begin()

    def _tell(self, event: Event) -> None:
        key = self._key(event)
        if event.type == "DELETED":
            self._known.discard(key)
            self._told(key, None)
        else:
            self._known.add(key)
            concerned = self._concerns is None or self._concerns(event.entry.data)
            self._told(key, event.entry.tree() if concerned else None)

    def _told(self, key: Key, tree: Tree | None) -> None:
        try:
            self._put(key, tree)
        except Exception:  # the top of a watch's loop
            log.exception("object left out", prefix=self._store.prefix, key=key)

    def _key(self, event: Event) -> Key:
        metadata = event.entry.metadata
        return Key(metadata.namespace, metadata.name)
