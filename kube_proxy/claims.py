"""Claims: who wants what in the kernel, and what changes when one owner changes its mind. Pure.

Every Service claims slots: an element of a map, a chain, a set. Several may claim the same slot (the chain that all Services of
three endpoints share, a hairpin address); the slot is there as long as somebody claims it. Where claims differ (two Services with
one external IP and port) the owner first in order gets the slot, and the next one when it goes.
Law: the state depends on the owners' last claims alone, not on the way there; so changes applied one by one lead to what
building everything anew leads to.
"""

import heapq
from collections.abc import Hashable, Iterable, Mapping
from typing import Any, Generic, NamedTuple, Protocol, TypeVar


class Ordered(Hashable, Protocol):
    """What can be a key, and of which one is the smallest."""

    def __lt__(self, other: Any, /) -> bool: ...


O = TypeVar("O", bound=Ordered)  # noqa: E741 -- owners
S = TypeVar("S", bound=Hashable)
V = TypeVar("V")


class Change(NamedTuple, Generic[S, V]):
    """A slot's value before and after; None: not there."""

    slot: S
    old: V | None
    new: V | None


class Claims(Generic[O, S, V]):
    def __init__(self) -> None:
        self._values: dict[S, V] = {}  # what every slot holds
        self._sole: dict[S, O] = {}  # who claims a slot alone: nearly all
        self._shared: dict[S, _Claimants[O, V]] = {}  # and those with several claimants
        self._slots_of: dict[O, Mapping[S, V]] = {}

    def claim(self, owner: O, wanted: Mapping[S, V]) -> list[Change[S, V]]:
        """Replace all that an owner claims; returns what changes by it."""
        before = self._slots_of.get(owner, {})
        changed = [slot for slot in before.keys() | wanted.keys() if before.get(slot) != wanted.get(slot)]
        old = {slot: self._values.get(slot) for slot in changed}
        for slot in changed:
            self._put(slot, owner, wanted.get(slot))
        if wanted:
            self._slots_of[owner] = wanted
        else:
            self._slots_of.pop(owner, None)
        changes = (Change(slot, old[slot], self._values.get(slot)) for slot in changed)
        return [change for change in changes if change.old != change.new]

    def claim_all(self, claims: Iterable[tuple[O, Mapping[S, V]]]) -> None:
        """The same for many owners, of whom nobody asks what changes by them. At the start these are thousands."""
        for owner, wanted in claims:
            if owner in self._slots_of:
                self.claim(owner, wanted)
            elif wanted:
                self._slots_of[owner] = wanted
                self._join(owner, wanted)

    def items(self) -> Iterable[tuple[S, V]]:
        """Everything that is held."""
        return self._values.items()

    def owners(self) -> set[O]:
        return set(self._slots_of)

    def _join(self, owner: O, wanted: Mapping[S, V]) -> None:
        """The first claims of an owner: those that nobody else has all at once."""
        free = dict(wanted)
        for slot in wanted.keys() & self._values.keys():
            self._put(slot, owner, free.pop(slot))
        self._values.update(free)
        self._sole.update(dict.fromkeys(free, owner))

    def _put(self, slot: S, owner: O, value: V | None) -> None:
        claimants = self._shared.get(slot)
        if claimants is None:
            holder = self._sole.get(slot)
            if holder is None or holder == owner:
                self._put_alone(slot, owner, value)
                return
            claimants = self._shared[slot] = _Claimants(self._sole.pop(slot), self._values[slot])
        if value is None:
            claimants.remove(owner)
        else:
            claimants.put(owner, value)
        if claimants.values:
            self._values[slot] = claimants.first()
        else:
            del self._shared[slot], self._values[slot]

    def _put_alone(self, slot: S, owner: O, value: V | None) -> None:
        if value is None:
            self._sole.pop(slot, None)
            self._values.pop(slot, None)
        else:
            self._sole[slot] = owner
            self._values[slot] = value


class _Claimants(Generic[O, V]):
    """Who claims one slot. Thousands may share it, so once one has left, the first of the others is found in log n: by a heap,
    which may hold owners that have left.
    """

    __slots__ = ("_first", "_heap", "values")

    def __init__(self, owner: O, value: V) -> None:
        self.values: dict[O, V] = {owner: value}
        self._first = owner
        self._heap: list[O] | None = None  # as long as nobody has left there is none

    def put(self, owner: O, value: V) -> None:
        if self._heap is not None and owner not in self.values:
            heapq.heappush(self._heap, owner)
        self.values[owner] = value
        if owner < self._first:
            self._first = owner

    def remove(self, owner: O) -> None:
        self.values.pop(owner, None)
        if self._heap is None or len(self._heap) > 2 * len(self.values) + 8:
            self._heap = sorted(self.values)
        while self._heap and self._heap[0] not in self.values:
            heapq.heappop(self._heap)
        if self._heap:
            self._first = self._heap[0]

    def first(self) -> V:
        return self.values[self._first]


def merged(changes: Iterable[Change[S, V]]) -> list[Change[S, V]]:
    """Changes made one after the other as one change a slot; what ends where it began is left out."""
    first: dict[S, V | None] = {}
    last: dict[S, V | None] = {}
    for change in changes:
        first.setdefault(change.slot, change.old)
        last[change.slot] = change.new
    return [Change(slot, old, last[slot]) for slot, old in first.items() if old != last[slot]]
