"""Clean-up: a deleted definition's objects are deleted, and then the definition goes.

New objects are refused from the moment the definition is marked. Objects whose finalizers hold them are waited for. Every API
server does this; deleting what is deleted already changes nothing.
https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#finalizers
apiextensions-apiserver pkg/controller/finalizer/crd_finalizer.go
"""

import asyncio

from apiserver.context import Server
from apiserver.crd import conditions
from apiserver.crd.definition import DEFINITION
from apiserver.storage.deletion import utc_now
from apiserver.storage.store import Store
from apiserver.storage.watch_cache import Selection
from kube.api.apiextensions.customresourcedefinition import CLEANUP
from kube.api.meta import Key, Tree
from kube.api.resource import Resource
from kube.api.status import ApiError, NotFound
from kube.api.views import timestamp
from kube.component.logging import get_logger

LOOK_SECONDS = 5.0  # how often the objects are counted, beside whenever one goes
RETRY_SECONDS = 1.0

log = get_logger(__name__)


async def run(server: Server, definition: Tree) -> None:
    """Until the definition is gone."""
    key = Key("", definition["metadata"]["name"])
    definitions = server.stores.store_for(DEFINITION)
    while True:
        try:
            await definitions.update(key, _in_progress)
            await _empty(server, definition)
            await definitions.update(key, _completed)
            return
        except NotFound:
            return
        except ApiError as error:
            log.warning("the objects of a deleted definition cannot be deleted", name=key.name, err=error)
            await asyncio.sleep(RETRY_SECONDS)


async def _empty(server: Server, definition: Tree) -> None:
    """Delete the objects, and wait until none is left."""
    store = _plain_store(server, definition)
    if store is None:
        return
    await store.fresh()
    watcher = store.cache.watch(Selection(store.prefix), store.cache.revision)
    try:
        while left := list(store.cache.below(store.prefix)):
            for entry in left:
                await _delete(store, Key(entry.metadata.namespace, entry.metadata.name))
            await store.fresh()
            if len(store.cache):
                await watcher.take(LOOK_SECONDS)
    finally:
        watcher.close()


async def _delete(store: Store, key: Key) -> None:
    try:
        await store.delete(key, {})
    except NotFound:
        return  # somebody else was faster


def _plain_store(server: Server, definition: Tree) -> Store | None:
    """The objects as they are stored, whatever version that is: nobody needs to convert what is deleted."""
    accepted, spec = definition["status"].get("acceptedNames") or {}, definition["spec"]
    if not accepted.get("plural"):
        return None  # it never had any
    stored = next(one["name"] for one in spec["versions"] if one["storage"])
    row = Resource(spec["group"], stored, accepted["kind"], accepted["plural"], namespaced=spec["scope"] == "Namespaced")
    return server.stores.make(row)


async def _in_progress(definition: Tree) -> Tree:
    now = timestamp(utc_now())
    text = "CustomResource deletion is in progress"
    conditions.set_condition(definition, conditions.TERMINATING, "True", "InstanceDeletionInProgress", text, now)
    return definition


async def _completed(definition: Tree) -> Tree:
    now = timestamp(utc_now())
    conditions.set_condition(definition, conditions.TERMINATING, "False", "InstanceDeletionCompleted", "removed all instances", now)
    metadata = definition["metadata"]
    metadata["finalizers"] = [name for name in metadata.get("finalizers") or () if name != CLEANUP]
    if not metadata["finalizers"]:
        del metadata["finalizers"]
    return definition
