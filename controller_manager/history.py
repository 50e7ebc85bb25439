"""History: the revisions of a template, kept as ControllerRevisions, for DaemonSets and StatefulSets.

A revision's data is the patch that brings the template back. Equal data is one revision: going back to it gives it a new number
instead of making another, so that pods that have it already are left alone.
https://kubernetes.io/docs/tasks/manage-daemon/rollback-daemon-set/ · pkg/controller/history
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from controller_manager.adoption import Adopter, claim, selector_of
from kube.api.hash import safe_hash
from kube.api.meta import Tree, key_of, owner_reference
from kube.api.status import AlreadyExists
from kube.api.types import ControllerRevision
from kube.api.views import tree_of, view
from kube.client.rest import Client

HASH_LABEL = "controller-revision-hash"


@dataclass(frozen=True)
class Current:
    """What the current template's revision should be. `existing`: it is there already, maybe under an older number."""

    data: Tree
    number: int
    existing: ControllerRevision | None


def data_of(owner: Any) -> Tree:
    """The patch that restores the owner's template. Its names are in order, as Go writes maps: upstream's `kubectl rollout undo`
    and conformance suite know the template's revision by its bytes.
    """
    patch = {"spec": {"template": {**tree_of(owner.spec.template), "$patch": "replace"}}}
    ordered: Tree = orjson.loads(orjson.dumps(patch, option=orjson.OPT_SORT_KEYS))
    return ordered


def current(owner: Any, revisions: Iterable[ControllerRevision]) -> Current:
    """Pure: which revision is the owner's template of."""
    data = data_of(owner)
    by_number = sorted(revisions, key=lambda one: one.revision or 0)
    same = [one for one in by_number if tree_of(one.data) == data]
    highest = max((one.revision or 0 for one in by_number), default=0)
    if not same:
        return Current(data, highest + 1, None)
    newest = same[-1]
    return Current(data, newest.revision if newest.revision == highest else highest + 1, newest)


def hash_of(revision: ControllerRevision) -> str:
    return str((revision.metadata.labels or {}).get(HASH_LABEL, ""))


def superfluous(revisions: Sequence[ControllerRevision], in_use: set[str], limit: int) -> list[ControllerRevision]:
    """Pure: the oldest ones beyond the limit, of those that no pod has; `in_use` are hashes."""
    spare = sorted((one for one in revisions if hash_of(one) not in in_use), key=lambda one: one.revision or 0)
    return spare[: max(len(spare) - limit, 0)]


class History:
    """Of one owner: reads and writes its revisions."""

    def __init__(self, client: Client, owner: Any) -> None:
        self._client = client
        self._owner = owner

    async def claimed(self, candidates: Iterable[ControllerRevision]) -> list[ControllerRevision]:
        claimed = claim(self._owner, selector_of(self._owner), candidates)
        return await Adopter(self._client, self._owner).settle(claimed)

    async def ensure(self, wanted: Current, collisions: int | None) -> ControllerRevision:
        """The current revision, made or given its new number. Raises AlreadyExists where another has its name."""
        if wanted.existing is not None:
            if wanted.existing.revision == wanted.number:
                return wanted.existing
            patched = await self._client.patch(ControllerRevision, key_of(wanted.existing), {"revision": wanted.number})
            return view(ControllerRevision, patched)
        tree = self._tree(wanted, safe_hash(wanted.data, collisions))
        try:
            return view(ControllerRevision, await self._client.create(ControllerRevision, tree))
        except AlreadyExists:
            there = await self._client.get(ControllerRevision, tree["metadata"]["namespace"], tree["metadata"]["name"])
            if tree_of(there.data) == wanted.data:
                return there
            raise

    async def prune(self, revisions: Sequence[ControllerRevision], in_use: set[str], limit: int) -> None:
        for one in superfluous(revisions, in_use, limit):
            await self._client.delete(ControllerRevision, key_of(one), uid=one.metadata.uid)

    def _tree(self, wanted: Current, digest: str) -> Tree:
        owner = self._owner
        labels = dict(owner.spec.template.metadata.labels or {}) if owner.spec.template.metadata is not None else {}
        return {
            "metadata": {
                "name": f"{owner.metadata.name}-{digest}",
                "namespace": owner.metadata.namespace,
                "labels": {**labels, HASH_LABEL: digest},
                "annotations": dict(owner.metadata.annotations or {}),
                "ownerReferences": [owner_reference(owner)],
            },
            "data": wanted.data,
            "revision": wanted.number,
        }
