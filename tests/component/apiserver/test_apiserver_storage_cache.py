"""The watch cache over a real etcd: it equals etcd, tells watchers what they asked for, and cuts those that cannot follow."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from typing import Any

import orjson
import pytest

from apiserver.storage import codec, watch_cache
from apiserver.storage.etcd import Etcd
from apiserver.storage.store import Store
from apiserver.storage.stores import Stores
from kube.api import fields, labels
from kube.api.meta import Key, Tree
from kube.api.status import AlreadyExists, Expired, NotFound, ServiceUnavailable, Timeout
from tests.component.apiserver.stored_widgets import a_widget, add_one, everything, run
from tests.component.etcd_member import EtcdMember


def test_a_selector_watch_tells_what_begins_and_ceases_to_match(etcd: EtcdMember) -> None:
    """Rule: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes"""

    async def scenario(stores: Stores, store: Store) -> None:
        key = Key("default", "a")
        red = replace(everything(store), labels=labels.parse("color=red"))
        watcher = store.cache.watch(red, await store.fresh())

        def colored(color: str) -> Callable[[Tree], Coroutine[Any, Any, Tree]]:
            async def mutate(tree: Tree) -> Tree:
                tree["metadata"]["labels"] = {"color": color}
                return tree

            return mutate

        await store.create(a_widget("a"))
        for color in ("red", "blue", "red"):
            await store.update(key, colored(color))
        await store.delete(key, {})
        await store.fresh()
        events, _ = await watcher.take(1)
        assert [event.type for event in events] == ["ADDED", "DELETED", "ADDED", "DELETED"]
        assert events[1].entry.tree()["metadata"]["labels"] == {"color": "red"}
        revisions = [event.entry.revision for event in events]
        assert revisions == sorted(set(revisions))

    run(etcd, scenario)


def test_a_field_selector_watch_is_found_by_its_value(etcd: EtcdMember) -> None:
    async def scenario(stores: Stores, store: Store) -> None:
        wanted = replace(everything(store), fields=fields.parse("metadata.name=b"))
        watcher = store.cache.watch(wanted, await store.fresh())
        for name in ("a", "b", "c"):
            await store.create(a_widget(name))
        await store.fresh()
        events, _ = await watcher.take(1)
        assert [event.entry.metadata.name for event in events] == ["b"]
        watcher.close()

    run(etcd, scenario)


def test_the_cache_follows_an_etcd_that_is_killed_without_gap_or_duplicate(own_etcd: EtcdMember) -> None:
    async def scenario(stores: Stores, store: Store) -> None:
        watcher = store.cache.watch(everything(store), await store.fresh())
        for i in range(5):
            await store.create(a_widget(f"before{i}"))
        own_etcd.kill()
        with pytest.raises((ServiceUnavailable, Timeout)):
            await store.get(Key("default", "before0"))
        await asyncio.to_thread(own_etcd.start)
        for i in range(5):
            await store.create(a_widget(f"after{i}"))
        await store.fresh()
        events, _ = await watcher.take(1)
        assert [event.entry.metadata.name for event in events] == [f"{when}{i}" for when in ("before", "after") for i in range(5)]
        assert not watcher.cut

    run(own_etcd, scenario)


def test_the_cache_equals_etcd_at_every_revision(etcd: EtcdMember) -> None:
    """What a watcher of everything has seen up to revision R, put together, is what etcd holds at R."""

    async def scenario(stores: Stores, store: Store) -> None:
        start = await store.fresh()
        watcher = store.cache.watch(everything(store), start)

        async def worker(number: int) -> None:
            key = Key("default", f"w{number % 3}")
            for _ in range(8):
                with suppress(AlreadyExists):
                    await store.create(a_widget(key.name))
                with suppress(NotFound):
                    await store.update(key, add_one("n"))
                if number % 2:
                    with suppress(NotFound):
                        await store.delete(key, {})

        await asyncio.gather(*(worker(number) for number in range(6)))
        await store.fresh()
        events, _ = await watcher.take(1)
        client = Etcd([etcd.endpoint])
        state: dict[str, Tree] = {}
        for event in events:
            if event.type == "DELETED":
                del state[event.entry.key]
            else:
                state[event.entry.key] = event.entry.tree()
            there = await client.range(store.prefix, store.prefix[:-1] + "0", revision=event.entry.revision)
            assert state == {item.key: orjson.loads(codec.served(item.value, item.revision)) for item in there.items}
        await client.close()
        assert len(events) > 40

    run(etcd, scenario)


def test_a_slow_watcher_is_cut_and_nobody_waits(etcd: EtcdMember, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_cache, "WATCHER_BUFFER", 5)

    async def scenario(stores: Stores, store: Store) -> None:
        slow = store.cache.watch(everything(store), await store.fresh())
        quick = store.cache.watch(everything(store), store.cache.revision)
        for i in range(10):
            await store.create(a_widget(f"w{i}"))
            await store.fresh()
            assert len((await quick.take(1))[0]) == 1
        assert slow.cut
        assert not quick.cut
        assert len((await slow.take(0))[0]) == 5

    run(etcd, scenario)


def test_the_history_forgets_and_says_so(etcd: EtcdMember, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_cache, "HISTORY_MAX", 10)

    async def scenario(stores: Stores, store: Store) -> None:
        start = await store.fresh()
        for i in range(12):
            await store.create(a_widget(f"w{i}"))
        await store.fresh()
        with pytest.raises(Expired, match="too old resource version"):
            store.cache.watch(everything(store), start)
        store.cache.watch(everything(store), store.cache.revision - 10)

    run(etcd, scenario)


def test_a_compacted_gap_cuts_every_watcher_and_reads_anew(own_etcd: EtcdMember) -> None:
    # what if etcd compacts, while it cannot be reached, what the cache has not seen
    async def scenario(stores: Stores, store: Store) -> None:
        await store.create(a_widget("a"))
        watcher = store.cache.watch(everything(store), await store.fresh())
        other = Etcd([own_etcd.endpoint])
        await other.compact(await other.revision())
        await other.close()
        own_etcd.kill()
        with pytest.raises((ServiceUnavailable, Timeout)):
            await store.fresh()
        stores.feed._watch._next = 1  # as if it were far behind
        await asyncio.to_thread(own_etcd.start)
        await store.create(a_widget("b"))
        async with asyncio.timeout(20):
            while not watcher.cut:
                await store.fresh()
        assert [entry.metadata.name for entry in store.cache.below(store.prefix)] == ["a", "b"]

    run(own_etcd, scenario)
