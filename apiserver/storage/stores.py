"""Stores: every served resource's store, above one etcd and one feed; rows that are views of one kind share its place.

https://kubernetes.io/docs/reference/using-api/api-concepts/
"""

from collections.abc import Callable, Iterable, Mapping

from apiserver.storage.abreast import Abreast
from apiserver.storage.etcd import Etcd
from apiserver.storage.feed import Feed, buckets
from apiserver.storage.store import Removed, Store
from apiserver.workers.place import Place
from kube.api.meta import Tree
from kube.api.resource import Resource


class Stores:
    """Every served resource's store."""

    def __init__(
        self, etcd: Etcd, root: str, rows: Iterable[Resource], ttls: Mapping[tuple[str, str], int], place: Place | None = None
    ) -> None:
        self.root = root  # ends in a slash
        self._etcd = etcd
        self._ttl_seconds = ttls  # (group, plural) -> how long its objects live
        self._homes = {row.kind: row for row in rows if row.view_tree is None}
        self._stores: dict[tuple[str, str, str], Store] = {}
        self.removed: Callable[[Resource], Removed | None] = lambda resource: None  # what to call when an object is gone
        place = place or Place()
        self.feed = Feed(etcd, root, buckets(root, map(self.prefix, rows)), place.tell)
        self.abreast = Abreast(self.feed, place)

    def prefix(self, row: Resource) -> str:
        """Where the row's objects are kept: a row that is another view of a kind shares that kind's place."""
        home = self._homes[row.kind] if row.view_tree is not None else row
        return f"{self.root}{home.group}/{home.plural}/" if home.group else f"{self.root}{home.plural}/"

    def store_for(self, row: Resource) -> Store:
        key = (row.group, row.version, row.plural)
        store = self._stores.get(key)
        if store is None or store.resource is not row:
            store = self._stores[key] = self.make(row)
            if row.served_form is None:
                store.cache.getters |= {name: _on_stored(row, getter) for name, getter in row.field_selectors.items()}
        return store

    def make(self, row: Resource) -> Store:
        """A store of one's own, for a row that is not served."""
        store = Store(row, self.prefix(row), self._etcd, self.feed, self._ttl(row))
        store.removed = self.removed(row)
        return store

    def _ttl(self, row: Resource) -> int:
        return self._ttl_seconds.get((row.group, row.plural), 0)


def _on_stored(row: Resource, getter: Callable[[Tree], str]) -> Callable[[Tree], str]:
    """A field of the row's own form, read from the stored form."""
    convert = row.view_tree
    return getter if convert is None else lambda tree: getter(convert(tree))
