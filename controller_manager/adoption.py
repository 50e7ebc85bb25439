"""Adoption: an owner takes in what its selector matches and nobody controls, and lets go of what it no longer matches.

The decision is `claim`; what is done about it is `Adopter`. Before adopting, the owner is read again past the cache: one
that is being deleted, or is another object under the same name, must not collect children.
https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#non-template-pod-acquisitions · controller_ref_manager.go
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from kube.api import labels
from kube.api.labels import Selector
from kube.api.meta import Tree, controller_of, key_of, owner_reference
from kube.api.status import Conflict, Invalid, NotFound
from kube.client.rest import STRATEGIC, Client

V = TypeVar("V")


@dataclass(frozen=True)
class Claim(Generic[V]):
    keep: list[V]
    adopt: list[V]
    release: list[V]


def selector_of(owner: Any) -> Selector:
    """Of a view with a LabelSelector, or with a plain map of labels (ReplicationController, Service)."""
    selector = owner.spec.selector
    return labels.from_map(selector) if isinstance(selector, Mapping) else labels.from_label_selector(selector)


def claim(owner: Any, selector: Selector, candidates: Iterable[V]) -> Claim[V]:
    """Which candidates stay, come and go. Those controlled by another stay out of it. An owner that is being deleted changes
    nothing, and an object that is being deleted is not adopted."""
    keep: list[V] = []
    adopt: list[V] = []
    release: list[V] = []
    deleting = owner.metadata.deletionTimestamp is not None
    for one in candidates:
        metadata: Any = one.metadata  # type: ignore[attr-defined]
        controller = controller_of(metadata)
        matches = selector.matches(metadata.labels)
        if controller is not None:
            if controller.uid == owner.metadata.uid and matches:
                keep.append(one)
            elif controller.uid == owner.metadata.uid and not deleting:
                release.append(one)
        elif matches and not deleting and metadata.deletionTimestamp is None:
            adopt.append(one)
    return Claim(keep, adopt, release)


class Adopter:
    """Carries out claims of one owner. `finalizer` is put on what is adopted and taken from what is released (Job)."""

    def __init__(self, client: Client, owner: Any, finalizer: str = "") -> None:
        self._client = client
        self._owner = owner
        self._finalizer = finalizer
        self._may_adopt: bool | None = None

    async def settle(self, claimed: Claim[V]) -> list[V]:
        """Adopt and release; the objects that are the owner's afterwards."""
        for one in claimed.release:
            await self._release(one)
        adopted = [one for one in claimed.adopt if await self._adopt(one)]
        return claimed.keep + adopted

    async def _adopt(self, one: Any) -> bool:
        if self._may_adopt is None:
            self._may_adopt = await self._owner_stands()
        if not self._may_adopt:
            return False
        metadata: Tree = {"uid": one.metadata.uid, "ownerReferences": [owner_reference(self._owner)]}
        if self._finalizer:
            metadata["finalizers"] = [self._finalizer]
        return await self._patch(one, metadata)

    async def _release(self, one: Any) -> None:
        gone = {"$patch": "delete", "uid": self._owner.metadata.uid}
        metadata: Tree = {"uid": one.metadata.uid, "ownerReferences": [gone]}
        if self._finalizer:
            metadata["$deleteFromPrimitiveList/finalizers"] = [self._finalizer]
        await self._patch(one, metadata)

    async def _patch(self, one: Any, metadata: Tree) -> bool:
        """False where the object is gone, or is another one by now."""
        try:
            await self._client.patch(type(one), key_of(one), {"metadata": metadata}, type=STRATEGIC)
        except (NotFound, Conflict, Invalid):
            return False
        return True

    async def _owner_stands(self) -> bool:
        try:
            fresh: Any = await self._client.get(type(self._owner), *key_of(self._owner))
        except NotFound:
            return False
        return fresh.metadata.uid == self._owner.metadata.uid and fresh.metadata.deletionTimestamp is None
