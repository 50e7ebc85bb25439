"""Garbage collector: deletes what has lost all its owners, and carries out foreground and orphan deletion.

- background: an object all of whose owners (by UID) are gone is deleted; with one left it only loses the other references;
- foreground: an owner with the finalizer foregroundDeletion stays until its dependents with blockOwnerDeletion are gone;
- orphan: an owner with the finalizer orphan goes once no dependent refers to it any more.
An owner that the graph does not know is asked for before anything is deleted on its account, and an object is deleted in the form
that was looked at. An owner of a kind that is not served now may come back: nothing is decided until it is.
https://kubernetes.io/docs/concepts/architecture/garbage-collection/ · pkg/controller/garbagecollector/garbagecollector.go
"""

import asyncio
from typing import Any

from controller_manager.controller import Context, Controller
from controller_manager.controllers.garbagecollector.graph import (
    FOREGROUND,
    ORPHAN,
    Decision,
    Graph,
    Item,
    Owner,
    Standing,
    decide,
    item_of,
    reachable,
)
from controller_manager.controllers.garbagecollector.monitors import Metadata, Monitors
from kube.api.meta import Key, Tree
from kube.api.resource import Resource
from kube.api.status import NotFound
from kube.api.views import view

METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
UNKNOWN_KIND_SECONDS = 30.0  # how often to ask again for an owner of a kind that is not served


class GarbageCollector(Controller[str]):
    """Its keys are UIDs."""

    name = "garbage-collector-controller"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._graph = Graph()
        self._monitors = Monitors(context.client, context.informers, self._seen)

    @property
    def workers(self) -> int:
        return self.config.concurrent_gc_syncs

    async def prepare(self, tasks: asyncio.TaskGroup) -> None:
        await self._monitors.start(tasks)

    async def reconcile(self, key: str) -> float | None:
        item = self._graph.get(key)
        if item is None:
            return None
        if item.orphaning:
            await self._orphan(item)
        elif item.waiting:
            await self._wait_for_dependents(item)
        elif not item.deleting and item.owners:
            return await self._collect(item)
        return None

    def _seen(self, row: Resource, old: Any, new: Any) -> None:
        if new is None:
            self._look_at(self._graph.remove(old.uid))
        else:
            self._look_at(self._graph.observe(item_of(row, new)))

    def _look_at(self, uids: set[str]) -> None:
        for uid in uids:
            self.queue.add(uid)

    # --- an object that may have lost its owners ---------------------------------------------------------------------

    async def _collect(self, item: Item) -> float | None:
        standings = [self._graph.standing(item, owner) for owner in item.owners]
        if all(standing is Standing.SOLID for standing in standings):
            return None
        latest = await self._latest(item)
        if latest is None:
            return None
        fresh = item_of(item.resource, view(Metadata, latest).metadata)
        known: list[tuple[Owner, Standing]] = []
        for owner in fresh.owners:
            if self._misplaced(item, owner):
                return None  # upstream: left alone, for its owner can never be found
            self._warn_if_elsewhere(fresh, owner)
            standing = self._graph.standing(fresh, owner) or await self._ask(fresh, owner)
            if standing is None:
                return UNKNOWN_KIND_SECONDS
            known.append((owner, standing))
        if not fresh.deleting:
            await self._carry_out(fresh, latest, decide(fresh, known, self._graph.dependents(item.uid)))
        return None

    async def _carry_out(self, item: Item, latest: Tree, decision: Decision) -> None:
        references = latest["metadata"].get("ownerReferences") or []
        if decision.prune:
            kept = [one for one in references if one["uid"] not in decision.prune]
            await self._patch(item, latest, {"ownerReferences": kept or None})
        if not decision.delete:
            return
        if decision.unblock:
            latest = await self._patch(
                item, latest, {"ownerReferences": [{**one, "blockOwnerDeletion": False} for one in references]}
            )
        version = latest["metadata"]["resourceVersion"]
        try:
            await self.client.delete(item.resource, item.key, uid=item.uid, resource_version=version, propagation=decision.delete)
        except NotFound:
            self._look_at(self._graph.remove(item.uid))

    def _warn_if_elsewhere(self, item: Item, owner: Owner) -> None:
        """An owner in another namespace counts as absent; that is told, since it is always a mistake."""
        found = self._graph.get(owner.uid)
        if found is None or reachable(item, found):
            return
        about = {
            "apiVersion": item.resource.api_version,
            "kind": item.resource.kind,
            "namespace": item.key.namespace,
            "name": item.key.name,
            "uid": item.uid,
        }
        named = f"[{owner.api_version}/{owner.kind}, namespace: {item.key.namespace}, name: {owner.name}, uid: {owner.uid}]"
        message = f'ownerRef {named} does not exist in namespace "{item.key.namespace}"'
        self.recorder.event(about, "Warning", "OwnerRefInvalidNamespace", message)

    def _misplaced(self, item: Item, owner: Owner) -> bool:
        """A cluster-scoped object cannot have a namespaced owner."""
        row = self._monitors.resource(owner.api_version, owner.kind)
        return row is not None and row.namespaced and not item.resource.namespaced

    async def _ask(self, item: Item, owner: Owner) -> Standing | None:
        """Past the graph: is the owner there, where it would have to be? None: its kind is not served."""
        row = self._monitors.resource(owner.api_version, owner.kind)
        if row is None:
            return None
        namespace = item.key.namespace if row.namespaced else ""
        try:
            tree = await self._get(row, Key(namespace, owner.name))
        except NotFound:
            return Standing.ABSENT
        metadata = view(Metadata, tree).metadata
        if metadata.uid != owner.uid:
            return Standing.ABSENT
        return Standing.WAITING if item_of(row, metadata).waiting else Standing.SOLID

    # --- an owner that is being deleted ------------------------------------------------------------------------------

    async def _orphan(self, item: Item) -> None:
        """First the dependents forget it, then it goes."""
        for dependent in self._graph.dependents(item.uid):
            latest = await self._latest(dependent)
            if latest is None:
                continue
            references = latest["metadata"].get("ownerReferences") or []
            kept = [one for one in references if one["uid"] != item.uid]
            if len(kept) < len(references):
                await self._patch(dependent, latest, {"ownerReferences": kept or None})
        await self._drop_finalizer(item, ORPHAN)

    async def _wait_for_dependents(self, item: Item) -> None:
        blocking = self._graph.blocking(item.uid)
        if not blocking:
            await self._drop_finalizer(item, FOREGROUND)
        self._look_at({one.uid for one in blocking if not one.deleting})

    async def _drop_finalizer(self, item: Item, finalizer: str) -> None:
        latest = await self._latest(item)
        if latest is None:
            return
        finalizers = latest["metadata"].get("finalizers") or []
        if finalizer in finalizers:
            await self._patch(item, latest, {"finalizers": [one for one in finalizers if one != finalizer]})

    # --- requests ----------------------------------------------------------------------------------------------------

    async def _latest(self, item: Item) -> Tree | None:
        """The object's metadata now; None where it is gone, which the graph then knows, too."""
        try:
            tree = await self._get(item.resource, item.key)
        except NotFound:
            tree = {"metadata": {}}
        if tree["metadata"].get("uid") == item.uid:
            return tree
        self._look_at(self._graph.remove(item.uid))
        return None

    async def _get(self, row: Resource, key: Key) -> Tree:
        return (await self.client.request("GET", row.path(key.namespace, key.name), headers={"Accept": METADATA})).tree()

    async def _patch(self, item: Item, latest: Tree, metadata: Tree) -> Tree:
        """Only onto the form that was looked at; lists are given whole, so that it works for custom resources, too."""
        guard = {"uid": item.uid, "resourceVersion": latest["metadata"]["resourceVersion"]}
        return await self.client.patch(item.resource, item.key, {"metadata": {**guard, **metadata}})
