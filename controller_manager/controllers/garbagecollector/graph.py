"""Graph: who owns whom, over the metadata of every object that can be deleted. Pure.

Owners are matched by UID: names are used again, UIDs never. An object is *waiting* while it is deleted in the foreground: it stays
until the dependents that block it are gone. Every change answers with the UIDs that have to be looked at because of it.
https://kubernetes.io/docs/concepts/architecture/garbage-collection/ · pkg/controller/garbagecollector/graph_builder.go
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from kube.api.meta import Key
from kube.api.resource import Resource

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"


@dataclass(frozen=True)
class Owner:
    """One ownerReference."""

    api_version: str
    kind: str
    name: str
    uid: str
    blocks: bool = False  # blockOwnerDeletion


@dataclass(frozen=True)
class Item:
    """What the graph knows of an object."""

    uid: str
    resource: Resource
    key: Key
    owners: tuple[Owner, ...] = ()
    deleting: bool = False
    finalizers: tuple[str, ...] = ()

    @property
    def waiting(self) -> bool:
        return self.deleting and FOREGROUND in self.finalizers

    @property
    def orphaning(self) -> bool:
        return self.deleting and ORPHAN in self.finalizers

    def blocks(self, owner: str) -> bool:
        return any(one.uid == owner and one.blocks for one in self.owners)


class Standing(Enum):
    """How an owner stands to the question whether its dependent may live."""

    SOLID = "solid"
    WAITING = "waiting"
    ABSENT = "absent"


@dataclass(frozen=True)
class Decision:
    """What to do with a dependent. At most one of `prune` and `delete` is set."""

    prune: tuple[str, ...] = ()  # UIDs of owners whose references go
    delete: str = ""  # a propagation policy
    unblock: bool = False  # before it is deleted, none of its references block any more


class Graph:
    def __init__(self) -> None:
        self._items: dict[str, Item] = {}
        self._dependents: dict[str, set[str]] = {}  # by the owner's UID, also of owners never seen

    def __len__(self) -> int:
        return len(self._items)

    def get(self, uid: str) -> Item | None:
        return self._items.get(uid)

    def dependents(self, uid: str) -> list[Item]:
        return [self._items[one] for one in sorted(self._dependents.get(uid, ()))]

    def observe(self, new: Item) -> set[str]:
        """An object is there, or changed."""
        old = self._items.get(new.uid)
        self._items[new.uid] = new
        before, after = (old.owners if old is not None else ()), new.owners
        for owner in {one.uid for one in before} - {one.uid for one in after}:
            self._unlink(owner, new.uid)
        for one in after:
            self._dependents.setdefault(one.uid, set()).add(new.uid)
        look: set[str] = set()
        if new.waiting or new.orphaning or any(self._doubtful(new, one) for one in after):
            look.add(new.uid)
        if new.waiting and not (old is not None and old.waiting):
            look |= self._dependents.get(new.uid, set())
        if before != after:  # an owner may have waited for this
            look |= {one.uid for one in before if self._waits(one.uid)}
        return look

    def remove(self, uid: str) -> set[str]:
        """An object is gone."""
        old = self._items.pop(uid, None)
        if old is None:
            return set()
        for one in old.owners:
            self._unlink(one.uid, uid)
        return self._dependents.get(uid, set()) | {one.uid for one in old.owners if self._waits(one.uid)}

    def standing(self, item: Item, owner: Owner) -> Standing | None:
        """How an owner stands, as far as the graph knows; None: it must be asked for."""
        found = self._items.get(owner.uid)
        if found is None:
            return None
        if not reachable(item, found):
            return Standing.ABSENT
        return Standing.WAITING if found.waiting else Standing.SOLID

    def blocking(self, uid: str) -> list[Item]:
        """The dependents that an owner which is deleted in the foreground waits for."""
        return [one for one in self.dependents(uid) if one.blocks(uid)]

    def _doubtful(self, item: Item, owner: Owner) -> bool:
        return self.standing(item, owner) is not Standing.SOLID

    def _waits(self, uid: str) -> bool:
        found = self._items.get(uid)
        return found is not None and found.waiting

    def _unlink(self, owner: str, uid: str) -> None:
        found = self._dependents.get(owner, set())
        found.discard(uid)
        if not found:
            self._dependents.pop(owner, None)


def reachable(item: Item, owner: Item) -> bool:
    """A namespaced owner owns within its namespace only."""
    return not owner.resource.namespaced or owner.key.namespace == item.key.namespace


def decide(item: Item, standings: Sequence[tuple[Owner, Standing]], dependents: Iterable[Item]) -> Decision:
    """What becomes of an object whose owners stand so. With one solid owner it stays, and loses the other references."""
    if not standings:
        return Decision()
    others = tuple(owner.uid for owner, standing in standings if standing is not Standing.SOLID)
    if len(others) < len(standings):
        return Decision(prune=others)
    own = list(dependents)
    if any(standing is Standing.WAITING for _, standing in standings) and own:
        # A circle in which each waits for the next: whoever sees that stops blocking, and the circle comes undone.
        return Decision(delete="Foreground", unblock=any(one.waiting for one in own))
    if ORPHAN in item.finalizers:
        return Decision(delete="Orphan")
    return Decision(delete="Foreground" if FOREGROUND in item.finalizers else "Background")


def item_of(resource: Resource, metadata: Any) -> Item:
    """From an object's metadata, a view."""
    return Item(
        uid=metadata.uid,
        resource=resource,
        key=Key(metadata.namespace or "", metadata.name),
        owners=tuple(
            Owner(one.apiVersion, one.kind, one.name, one.uid, bool(one.blockOwnerDeletion))
            for one in metadata.ownerReferences or ()
        ),
        deleting=metadata.deletionTimestamp is not None,
        finalizers=tuple(metadata.finalizers or ()),
    )
