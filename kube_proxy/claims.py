"""Claims: who wants what in the kernel, and what changes when one owner changes its mind. Pure.

Every Service claims slots: an element of a map, a chain, a set. Several may claim the same slot (the chain that all Services of
three endpoints share, a hairpin address); the slot is there as long as somebody claims it. Where claims differ (two Services with
one external IP and port) the owner first in order gets the slot, and the next one when it goes.
Law: the state depends on the owners' last claims alone, not on the way there; so changes applied one by one lead to what
building everything anew leads to.
"""

import heapq
from collections.abc import Hashable, Iterable, Mapping
from typing import Generic, NamedTuple, TypeVar

O = TypeVar("O", bound=Hashable)  # noqa: E741 -- owners, of which one is the smallest
S = TypeVar("S", bound=Hashable)
V = TypeVar("V")


class Change(NamedTuple, Generic[S, V]):
    """A slot's value before and after; None: not there."""

    slot: S
    old: V | None
    new: V | None


class Claims(Generic[O, S, V]):
    def __init__(self) -> None:
        self._sole: dict[S, tuple[O, V]] = {}  # slots with one claimant: nearly all
        self._claimants: dict[S, _Claimants[O, V]] = {}  # the others
        self._slots_of: dict[O, Mapping[S, V]] = {}

    def claim(self, owner: O, wanted: Mapping[S, V]) -> list[Change[S, V]]:
        """Replace all that an owner claims; returns what changes by it."""
        before = self._slots_of.get(owner)
        if before is None:
            return self._first_claim(owner, wanted)
        changed = [slot for slot in before.keys() | wanted.keys() if before.get(slot) != wanted.get(slot)]
        old = {slot: self.value(slot) for slot in changed}
        for slot in changed:
            self._put(slot, owner, wanted.get(slot))
        if wanted:
            self._slots_of[owner] = wanted
        else:
            self._slots_of.pop(owner, None)
        changes = (Change(slot, old[slot], self.value(slot)) for slot in changed)
        return [change for change in changes if change.old != change.new]

    def _first_claim(self, owner: O, wanted: Mapping[S, V]) -> list[Change[S, V]]:
        """The same for an owner that claims nothing yet: at the start these are thousands."""
        if wanted:
            self._slots_of[owner] = wanted
        changes: list[Change[S, V]] = []
        sole, shared = self._sole, self._claimants
        for slot, value in wanted.items():
            if slot not in shared:
                mine = (owner, value)
                if sole.setdefault(slot, mine) is mine:
                    changes.append(Change(slot, None, value))
                    continue
            old = self.value(slot)
            self._put(slot, owner, value)
            new = self.value(slot)
            if old is not new and old != new:
                changes.append(Change(slot, old, new))
        return changes

    def value(self, slot: S) -> V | None:
        """What a slot holds."""
        held = self._sole.get(slot)
        if held is not None:
            return held[1]
        claimants = self._claimants.get(slot)
        return claimants.first() if claimants else None

    def items(self) -> Iterable[tuple[S, V]]:
        """Everything that is held."""
        for slot, (_, value) in self._sole.items():
            yield slot, value
        for slot, claimants in self._claimants.items():
            yield slot, claimants.first()

    def owners(self) -> set[O]:
        return set(self._slots_of)

    def _put(self, slot: S, owner: O, value: V | None) -> None:
        claimants = self._claimants.get(slot)
        if claimants is None:
            held = self._sole.pop(slot, None)
            if held is None or held[0] == owner:
                if value is not None:
                    self._sole[slot] = (owner, value)
                return
            claimants = self._claimants[slot] = _Claimants()
            claimants.put(*held)
        if value is None:
            claimants.remove(owner)
        else:
            claimants.put(owner, value)
        if not claimants.values:
            del self._claimants[slot]


class _Claimants(Generic[O, V]):
    """Who claims one slot. The heap may hold owners that have left; thousands may share a slot, so the first is found in log n."""

    __slots__ = ("_heap", "values")

    def __init__(self) -> None:
        self.values: dict[O, V] = {}
        self._heap: list[O] = []

    def put(self, owner: O, value: V) -> None:
        if owner not in self.values:
            heapq.heappush(self._heap, owner)  # type: ignore[type-var]
        self.values[owner] = value

    def remove(self, owner: O) -> None:
        self.values.pop(owner, None)
        if len(self._heap) > 2 * len(self.values) + 8:
            self._heap = sorted(self.values)  # type: ignore[type-var]

    def first(self) -> V:
        while self._heap[0] not in self.values:
            heapq.heappop(self._heap)  # type: ignore[type-var]
        return self.values[self._heap[0]]


def merged(changes: Iterable[Change[S, V]]) -> list[Change[S, V]]:
    """Changes made one after the other as one change a slot; what ends where it began is left out."""
    first: dict[S, V | None] = {}
    last: dict[S, V | None] = {}
    for change in changes:
        first.setdefault(change.slot, change.old)
        last[change.slot] = change.new
    return [Change(slot, old, last[slot]) for slot, old in first.items() if old != last[slot]]
