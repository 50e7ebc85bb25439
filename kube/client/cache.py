"""Cache: the objects of one resource, by key, with indexes. What an informer fills and programs read.

Promise: what it returns is never changed in place; a newer form of an object is another value. It may be some milliseconds
behind the server. Lookups by key, owner and index cost O(result).
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

from kube.api.labels import Selector
from kube.api.meta import Key, controller_of, key_of

V = TypeVar("V")
IndexOf = Callable[[V], Iterable[str]]
Views = list  # in a class with a method `list`, the name means the method

NAMESPACE, OWNER = "namespace", "owner"


def _namespace(view: Any) -> Iterable[str]:
    return (view.metadata.namespace or "",)


def _owner(view: Any) -> Iterable[str]:
    owner = controller_of(view.metadata)
    return (owner.uid,) if owner is not None else ()


class Cache(Generic[V]):
    def __init__(self) -> None:
        self._objects: dict[Key, V] = {}
        self._index_of: dict[str, IndexOf[V]] = {NAMESPACE: _namespace, OWNER: _owner}
        self._indexes: dict[str, dict[str, dict[Key, V]]] = {NAMESPACE: {}, OWNER: {}}

    def __len__(self) -> int:
        return len(self._objects)

    def __iter__(self) -> Iterator[V]:
        return iter(list(self._objects.values()))

    def get(self, key: Key) -> V | None:
        return self._objects.get(key)

    def keys(self) -> set[Key]:
        return set(self._objects)

    def list(self, namespace: str = "") -> Views[V]:
        """All objects, or those of a namespace."""
        if not namespace:
            return list(self._objects.values())
        return self.by_index(NAMESPACE, namespace)

    def select(self, namespace: str, selector: Selector) -> Views[V]:
        """The objects of a namespace whose labels match."""
        return [view for view in self.list(namespace) if selector.matches(view.metadata.labels)]  # type: ignore[attr-defined]

    def owned_by(self, uid: str) -> Views[V]:
        """The objects whose managing owner has this uid."""
        return self.by_index(OWNER, uid)

    def by_index(self, name: str, value: str) -> Views[V]:
        return [*self._indexes[name].get(value, {}).values()]

    def add_index(self, name: str, index_of: IndexOf[V]) -> None:
        """Index by the values that `index_of` gives for an object; safe at any time."""
        if name in self._index_of:
            return
        self._index_of[name] = index_of
        self._indexes[name] = {}
        for key, view in self._objects.items():
            for value in index_of(view):
                self._indexes[name].setdefault(value, {})[key] = view

    def set(self, view: V) -> V | None:
        """Put an object in; returns the form that it replaces. For informers."""
        key = key_of(view)  # type: ignore[arg-type]
        old = self.remove(key)
        self._objects[key] = view
        for name, index_of in self._index_of.items():
            for value in index_of(view):
                self._indexes[name].setdefault(value, {})[key] = view
        return old

    def remove(self, key: Key) -> V | None:
        old = self._objects.pop(key, None)
        if old is not None:
            for name, index_of in self._index_of.items():
                for value in index_of(old):
                    found = self._indexes[name].get(value, {})
                    found.pop(key, None)
                    if not found:
                        self._indexes[name].pop(value, None)
        return old
