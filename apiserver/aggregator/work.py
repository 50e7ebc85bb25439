"""Work: the tasks that keep APIServices and what is known of remote servers true. They sleep until something they look at changes.

local      makes and removes the APIServices of what is served here
remote     looks whether remote servers are available, and fetches their documents; every worker does, and the first writes it down
"""

import asyncio
from collections.abc import Awaitable, Callable

from apiserver.aggregator import availability, documents, local, trust
from apiserver.aggregator.availability import LOCAL, Finding
from apiserver.aggregator.registry import AVAILABLE, Aggregator, aggregator_of, remote_of
from apiserver.context import Server
from apiserver.storage.follow import follow
from apiserver.storage.metadata import fill_new
from apiserver.storage.store import Store
from apiserver.webhooks.resolver import SERVICE_NAME
from kube.api.meta import Key, Tree
from kube.api.resources import RESOURCES, resource_of
from kube.api.status import AlreadyExists, ApiError, NotFound
from kube.api.types import APIService, CustomResourceDefinition, EndpointSlice, Service
from kube.api.views import timestamp
from kube.component.logging import get_logger

RETRY_SECONDS = 1.0  # after trouble, and while something remote is not available
RECHECK_SECONDS = 30.0

log = get_logger(__name__)


def start(server: Server) -> None:
    """Begin, for the server's life."""
    aggregator = aggregator_of(server)
    own, far = asyncio.Event(), asyncio.Event()

    def service_changed(key: Key, tree: Tree | None) -> None:
        aggregator.put(key, tree)
        own.set()
        far.set()

    def endpoints_changed(key: Key, tree: Tree | None) -> None:
        name = ((tree or {}).get("metadata", {}).get("labels") or {}).get(SERVICE_NAME)
        if any(one.namespace == key.namespace and name in (None, one.service) for one in aggregator.remotes()):
            far.set()

    follow(server, resource_of(APIService), service_changed)
    follow(server, resource_of(CustomResourceDefinition), lambda key, tree: own.set())
    follow(server, resource_of(Service), lambda key, tree: endpoints_changed(key, None))
    follow(server, resource_of(EndpointSlice), endpoints_changed)
    if server.place.first:
        server.spawn(_published(server), "extension-apiserver-authentication")
        server.spawn(_repeated(own, lambda: _keep_local(server)), "local APIServices")
    server.spawn(_repeated(far, lambda: _keep_remote(server, aggregator)), "remote APIServices")


async def _published(server: Server) -> None:
    while True:
        try:
            return await trust.publish(server)
        except ApiError as error:
            log.warning("extension-apiserver-authentication cannot be written yet", reason=error)
            await asyncio.sleep(RETRY_SECONDS)


async def _repeated(changed: asyncio.Event, work: Callable[[], Awaitable[float | None]]) -> None:
    """Do the work at every change, and after as many seconds as it says; None: only at changes."""
    while True:
        changed.clear()
        try:
            pause = await work()
        except ApiError as error:
            log.warning("APIServices cannot be kept up to date", reason=error)
            pause = RETRY_SECONDS
        except Exception:  # a periodic task's top: what is stored must not end the server, it would do so at each start
            log.exception("APIServices cannot be kept up to date")
            pause = RETRY_SECONDS
        try:
            async with asyncio.timeout(pause):
                await changed.wait()
        except TimeoutError:
            continue


async def _keep_local(server: Server) -> None:
    store = server.stores.store_for(resource_of(APIService))
    definitions = server.stores.store_for(resource_of(CustomResourceDefinition)).cached_list()
    there = {one["metadata"]["name"]: one for one in store.cached_list()}
    wanted = local.custom(definitions) | local.built_in(RESOURCES)
    for tree in local.to_make(wanted, there):
        fill_new(tree, store.resource, "", store.now())
        try:
            await store.create(availability.with_finding(tree, LOCAL, timestamp(store.now())))
        except AlreadyExists:
            continue  # by another server
    for tree in local.to_remove(wanted, there):
        try:
            await store.delete(Key("", tree["metadata"]["name"]), {"preconditions": {"uid": tree["metadata"]["uid"]}})
        except NotFound:
            continue
    for tree in there.values():
        if remote_of(tree) is None and not _told(tree, LOCAL):
            await _tell(store, tree, LOCAL)


async def _keep_remote(server: Server, aggregator: Aggregator) -> float | None:
    store = server.stores.store_for(resource_of(APIService))
    remotes = {one.name: one for one in aggregator.remotes()}
    if not remotes:
        return None
    findings = await asyncio.gather(*(availability.look(server, aggregator, one) for one in remotes.values()))
    for remote, finding in zip(remotes.values(), findings, strict=True):
        tree = store.cached(Key("", remote.name))
        if server.place.first and tree is not None and not _told(tree, finding):
            await _tell(store, tree, finding)
        if finding.available:
            await documents.fetch(server, aggregator, remote)
    return RECHECK_SECONDS if all(one.available for one in findings) else RETRY_SECONDS


def _told(tree: Tree, finding: Finding) -> bool:
    """Whether the condition says that already."""
    conditions = (tree.get("status") or {}).get("conditions") or ()
    found: Tree = next((one for one in conditions if one["type"] == AVAILABLE), {})
    status = "True" if finding.available else "False"
    return (found.get("status"), found.get("reason"), found.get("message")) == (status, finding.reason, finding.message)


async def _tell(store: Store, tree: Tree, finding: Finding) -> None:
    async def told(current: Tree) -> Tree:
        return availability.with_finding(current, finding, timestamp(store.now()))

    try:
        await store.update(Key("", tree["metadata"]["name"]), told)
    except NotFound:
        return
