"""Expectations: what a controller did and its cache does not show yet.

A reconciler that looks at a cache some milliseconds old would create the same pods twice. So it says beforehand how many
objects it will create for an owner and which ones it will delete; the kit ticks them off as their events come; and until all
have come (or five minutes have passed, should an event have been lost) the owner's replicas are left alone.
Owners and deleted objects go by UID: names are used again, UIDs never.  client-go controller.UIDTrackingControllerExpectations
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

TIMEOUT_SECONDS = 300.0


@dataclass
class _Expected:
    at: float
    creations: int = 0
    deletions: set[str] = field(default_factory=set)


class Expectations:
    """`monotonic` is the clock's."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._by_owner: dict[str, _Expected] = {}

    def expect_creations(self, owner: str, count: int) -> None:
        """To be said before the first of them is sent."""
        self._of(owner).creations += count

    def expect_deletions(self, owner: str, uids: Iterable[str]) -> None:
        """To be said before the first of them is sent."""
        self._of(owner).deletions.update(uids)

    def created(self, owner: str) -> None:
        """An object of the owner was seen, or will not come: its creation failed."""
        expected = self._by_owner.get(owner)
        if expected is not None and expected.creations > 0:
            expected.creations -= 1

    def deleted(self, owner: str, uid: str) -> None:
        """An object of the owner is seen to go, or stays: its deletion failed."""
        expected = self._by_owner.get(owner)
        if expected is not None:
            expected.deletions.discard(uid)

    def satisfied(self, owner: str) -> bool:
        """Whether the cache shows all that was done for the owner."""
        expected = self._by_owner.get(owner)
        if expected is None:
            return True
        open_ones = expected.creations > 0 or bool(expected.deletions)
        return not open_ones or self._monotonic() - expected.at > TIMEOUT_SECONDS

    def forget(self, owner: str) -> None:
        """The owner is gone."""
        self._by_owner.pop(owner, None)

    def _of(self, owner: str) -> _Expected:
        expected = self._by_owner.get(owner)
        if expected is None or self.satisfied(owner):
            expected = self._by_owner[owner] = _Expected(self._monotonic())
        expected.at = self._monotonic()
        return expected
