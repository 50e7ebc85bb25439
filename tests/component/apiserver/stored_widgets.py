"""Widgets on a real etcd: a kind of no meaning, and stores that hold it, for the tests of the storage."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import Any

from apiserver.storage.etcd import Etcd
from apiserver.storage.store import Store
from apiserver.storage.stores import Stores
from apiserver.storage.watch_cache import Selection
from kube.api.meta import Tree
from kube.api.resource import Resource
from tests.component.etcd_member import EtcdMember

WIDGET = Resource(
    "example.com",
    "v1",
    "Widget",
    "widgets",
    grace_seconds=lambda tree, asked: tree["spec"].get("grace", 0) if asked is None else asked,
)
Scenario = Callable[[Stores, Store], Coroutine[Any, Any, None]]
_numbers = count()


def a_widget(name: str, **spec: Any) -> Tree:
    metadata = {"name": name, "namespace": "default", "uid": f"uid-{name}", "generation": 1, "labels": {"app": name[0]}}
    return {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": metadata, "spec": spec}


def own_root() -> str:
    """A prefix in etcd that no other test has."""
    return f"/storage-{next(_numbers)}/"


@asynccontextmanager
async def stores_on(member: EtcdMember, root: str = "") -> AsyncIterator[Stores]:
    etcd = Etcd([member.endpoint])
    stores = Stores(etcd, root or own_root(), [WIDGET], {})
    feeding = asyncio.ensure_future(stores.feed.run())
    try:
        await stores.feed.ready.wait()
        yield stores
    finally:
        feeding.cancel()
        with suppress(asyncio.CancelledError):
            await feeding
        await etcd.close()


def run(member: EtcdMember, scenario: Scenario) -> None:
    async def whole() -> None:
        async with stores_on(member) as stores:
            await scenario(stores, stores.store_for(WIDGET))

    asyncio.run(whole())


def add_one(field: str) -> Callable[[Tree], Coroutine[Any, Any, Tree]]:
    async def mutate(tree: Tree) -> Tree:
        tree["spec"][field] = tree["spec"].get(field, 0) + 1
        return tree

    return mutate


def everything(store: Store) -> Selection:
    return Selection(store.prefix, getters=store.cache.getters)
