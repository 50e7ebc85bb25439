"""The store against a real etcd: compare-and-swap, pages, deletion, and a cache that equals etcd."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import orjson
import pytest

from apiserver.storage import codec, compactor, watch_cache
from apiserver.storage.etcd import Etcd
from apiserver.storage.listing import parse_ask
from apiserver.storage.store import Store
from apiserver.storage.stores import Stores
from apiserver.storage.watch_cache import Selection
from kube.api import fields, labels
from kube.api.meta import Key, Tree
from kube.api.resource import Resource
from kube.api.status import AlreadyExists, Conflict, Expired, NotFound, ServiceUnavailable, Timeout
from tests.component.etcd_member import EtcdMember

WIDGET = Resource(
    "example.com",
    "v1",
    "Widget",
    "widgets",
    grace_seconds=lambda tree, asked: tree["spec"].get("grace", 0) if asked is None else asked,
)
Scenario = Callable[[Stores, Store], Coroutine[Any, Any, None]]
_prefixes = iter(range(1_000_000))


def a_widget(name: str, **spec: Any) -> Tree:
    metadata = {"name": name, "namespace": "default", "uid": f"uid-{name}", "generation": 1, "labels": {"app": name[0]}}
    return {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": metadata, "spec": spec}


@asynccontextmanager
async def stores_on(member: EtcdMember, root: str = "") -> AsyncIterator[Stores]:
    etcd = Etcd([member.endpoint])
    stores = Stores(etcd, root or f"/storage-{next(_prefixes)}/", [WIDGET], {})
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


def test_what_was_created_is_read_back_at_its_revision(etcd: EtcdMember) -> None:
    async def scenario(stores: Stores, store: Store) -> None:
        created = await store.create(a_widget("a"))
        assert await store.get(Key("default", "a")) == created
        with pytest.raises(AlreadyExists, match=r'widgets\.example\.com "a" already exists'):
            await store.create(a_widget("a"))
        with pytest.raises(NotFound, match=r'widgets\.example\.com "b" not found'):
            await store.get(Key("default", "b"))

    run(etcd, scenario)


def test_racing_updates_are_all_applied(etcd: EtcdMember) -> None:
    """Rule: apiserver pkg/storage/etcd3/store.go, GuaranteedUpdate."""

    async def scenario(stores: Stores, store: Store) -> None:
        await store.create(a_widget("a"))
        await asyncio.gather(*(store.update(Key("default", "a"), add_one("n")) for _ in range(30)))
        assert (await store.get(Key("default", "a")))["spec"]["n"] == 30

    run(etcd, scenario)


def test_an_update_that_changes_nothing_writes_nothing(etcd: EtcdMember) -> None:
    async def scenario(stores: Stores, store: Store) -> None:
        created = await store.create(a_widget("a"))
        watcher = store.cache.watch(everything(store), int(created["metadata"]["resourceVersion"]))

        async def same(tree: Tree) -> Tree:
            return tree

        assert await store.update(Key("default", "a"), same) == created
        revision = await store.fresh()
        assert revision == int(created["metadata"]["resourceVersion"])
        assert (await watcher.take(0))[0] == []

    run(etcd, scenario)


def test_a_refusal_counts_only_against_the_newest_object(etcd: EtcdMember) -> None:
    # what if the cache is behind: the object in etcd is one that `mutate` accepts
    async def scenario(stores: Stores, store: Store) -> None:
        await store.create(a_widget("a"))
        await store.fresh()
        path = store.path(Key("default", "a"))
        stale = store.cache.get(path)
        assert stale is not None
        await store.update(Key("default", "a"), add_one("n"))
        await store.fresh()
        store.cache._entries[path] = stale

        async def only_after_the_first(tree: Tree) -> Tree:
            if "n" not in tree["spec"]:
                raise Conflict("too early")
            return await add_one("n")(tree)

        assert (await store.update(Key("default", "a"), only_after_the_first))["spec"]["n"] == 2

    run(etcd, scenario)


def test_pages_show_the_state_of_the_first_page(etcd: EtcdMember) -> None:
    """Rule: https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks"""

    async def scenario(stores: Stores, store: Store) -> None:
        for i in range(25):
            await store.create(a_widget(f"w{i:02}"))
        page = await store.page(parse_ask(everything(store), "", "", 10, ""))
        assert page.remaining == 15
        await store.create(a_widget("w05x"))
        await store.create(a_widget("w15x"))
        await store.delete(Key("default", "w20"), {})
        names, revision = [entry.metadata.name for entry in page.entries], page.revision
        while page.token:
            page = await store.page(parse_ask(everything(store), "", "", 10, page.token))
            assert page.revision == revision
            names += [entry.metadata.name for entry in page.entries]
        assert names == [f"w{i:02}" for i in range(25)]

    run(etcd, scenario)


def test_an_old_continue_token_expires_with_a_fresh_one_for_the_rest(etcd: EtcdMember) -> None:
    """Rule: apiserver pkg/storage/etcd3/errors.go, handleCompactedErrorForPaging."""

    async def scenario(stores: Stores, store: Store) -> None:
        for i in range(6):
            await store.create(a_widget(f"w{i}"))
        page = await store.page(parse_ask(everything(store), "", "", 2, ""))
        await store.create(a_widget("w9"))
        etcd_client = Etcd([etcd.endpoint])
        await etcd_client.compact(await store.fresh())
        await etcd_client.close()
        with pytest.raises(Expired, match="The provided continue parameter is too old") as expired:
            await store.page(parse_ask(everything(store), "", "", 2, page.token))
        token = expired.value.status()["metadata"]["continue"]
        rest = await store.page(parse_ask(everything(store), "", "", 0, token))
        assert [entry.metadata.name for entry in rest.entries] == ["w2", "w3", "w4", "w5", "w9"]
        with pytest.raises(Expired, match="The resourceVersion for the provided list is too old"):
            await store.page(parse_ask(everything(store), str(page.revision), "Exact", 0, ""))

    run(etcd, scenario)


def test_a_token_expires_with_its_revision_though_nothing_of_its_kind_changed(etcd: EtcdMember) -> None:
    """The cache could show that state for ever; who waits for the token to expire (as upstream's suite does) would, too.

    Rule: https://kubernetes.io/docs/reference/using-api/api-concepts/#410-gone-responses
    Conformance: [sig-api-machinery] Servers with support for API chunking should support continue listing from the last key if \
the original version has been compacted away, though the list is inconsistent [Slow] [Conformance]
    """

    async def scenario(stores: Stores, store: Store) -> None:
        for number in range(3):
            await store.create(a_widget(f"w{number}"))
        page = await store.page(parse_ask(everything(store), "", "", 2, ""))
        client = Etcd([etcd.endpoint])
        first = await compactor.compact_once(client, stores.root, compactor.Seen())
        await store.fresh()
        assert len((await store.page(parse_ask(everything(store), "", "", 2, page.token))).entries) == 1
        await compactor.compact_once(client, stores.root, first)
        await client.close()
        await store.fresh()
        with pytest.raises(Expired) as expired:
            await store.page(parse_ask(everything(store), "", "", 2, page.token))
        rest = await store.page(parse_ask(everything(store), "", "", 0, expired.value.status()["metadata"]["continue"]))
        assert [entry.metadata.name for entry in rest.entries] == ["w2"]
        assert rest.revision > page.revision

    run(etcd, scenario)


def test_a_revision_from_the_future_times_out(etcd: EtcdMember) -> None:
    async def scenario(stores: Stores, store: Store) -> None:
        with pytest.raises(Timeout, match="Too large resource version: 99999999, current: "):
            await store.page(parse_ask(everything(store), "99999999", "", 0, ""))

    run(etcd, scenario)


def test_an_exact_read_waits_for_revisions_that_are_not_ours(etcd: EtcdMember) -> None:
    async def scenario(stores: Stores, store: Store) -> None:
        other = Etcd([etcd.endpoint])
        outcome = await other.put(f"/somebody-else{stores.root}", b"x", 0)
        await other.close()
        assert await store.fresh() >= outcome.revision

    run(etcd, scenario)


def test_graceful_deletion_waits_and_may_only_be_shortened(etcd: EtcdMember) -> None:
    """Rule: apiserver pkg/registry/rest/delete.go, BeforeDelete."""

    async def scenario(stores: Stores, store: Store) -> None:
        key = Key("default", "a")
        await store.create(a_widget("a", grace=30))
        marked, gone = await store.delete(key, {})
        assert not gone
        assert marked["metadata"]["deletionGracePeriodSeconds"] == 30
        assert marked["metadata"]["generation"] == 2
        longer, gone = await store.delete(key, {"gracePeriodSeconds": 60})
        assert not gone
        assert longer == marked
        shorter, gone = await store.delete(key, {"gracePeriodSeconds": 5})
        assert not gone
        assert shorter["metadata"]["deletionGracePeriodSeconds"] == 5
        assert shorter["metadata"]["deletionTimestamp"] < marked["metadata"]["deletionTimestamp"]
        _, gone = await store.delete(key, {"gracePeriodSeconds": 0})
        assert gone
        with pytest.raises(NotFound):
            await store.get(key)

    run(etcd, scenario)


def test_whoever_removes_the_last_finalizer_removes_the_object(etcd: EtcdMember) -> None:
    """Rule: https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/"""

    async def scenario(stores: Stores, store: Store) -> None:
        key, widget = Key("default", "a"), a_widget("a")
        widget["metadata"]["finalizers"] = ["example.com/hold"]
        created = await store.create(widget)
        watcher = store.cache.watch(everything(store), int(created["metadata"]["resourceVersion"]))
        _, gone = await store.delete(key, {})
        assert not gone

        async def let_go(tree: Tree) -> Tree:
            del tree["metadata"]["finalizers"]
            return tree

        await store.update(key, let_go)
        await store.fresh()
        events, _ = await watcher.take(1)
        assert [event.type for event in events] == ["MODIFIED", "DELETED"]
        assert events[1].entry.revision > events[0].entry.revision
        with pytest.raises(NotFound):
            await store.get(key)

    run(etcd, scenario)


def test_propagation_policies_become_finalizers(etcd: EtcdMember) -> None:
    async def scenario(stores: Stores, store: Store) -> None:
        for policy, finalizer in (("Foreground", "foregroundDeletion"), ("Orphan", "orphan")):
            await store.create(a_widget(policy.lower()))
            waiting, gone = await store.delete(Key("default", policy.lower()), {"propagationPolicy": policy})
            assert not gone
            assert waiting["metadata"]["finalizers"] == [finalizer]
        await store.create(a_widget("background"))
        assert (await store.delete(Key("default", "background"), {"propagationPolicy": "Background"}))[1]

    run(etcd, scenario)


def test_preconditions_protect_another_object_of_the_same_name(etcd: EtcdMember) -> None:
    async def scenario(stores: Stores, store: Store) -> None:
        await store.create(a_widget("a"))
        text = r"the UID in the precondition \(other\) does not match the UID in record \(uid-a\)"
        with pytest.raises(Conflict, match=text):
            await store.delete(Key("default", "a"), {"preconditions": {"uid": "other"}})

    run(etcd, scenario)


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


def test_of_several_servers_one_compacts(etcd: EtcdMember) -> None:
    """Rule: apiserver pkg/storage/etcd3/compact.go"""

    async def scenario(stores: Stores, store: Store) -> None:
        client = Etcd([etcd.endpoint])
        root = stores.root
        first = await compactor.compact_once(client, root, compactor.Seen())
        late = await compactor.compact_once(client, root, compactor.Seen())
        assert late.version == first.version
        await store.create(a_widget("a"))
        second = await compactor.compact_once(client, root, first)
        assert second.version == first.version + 1
        await store.fresh()
        await client.close()

    run(etcd, scenario)


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


def test_nothing_starts_slowly_however_many_kinds_there_are(etcd: EtcdMember) -> None:
    """All caches are filled by one read."""

    async def whole() -> None:
        rows = [replace(WIDGET, kind=f"Kind{i}", plural=f"kinds{i}") for i in range(100)]
        client = Etcd([etcd.endpoint])
        for i in range(0, 100, 10):
            await client.put(f"/many/example.com/kinds{i}/default/a", codec.encode(a_widget("a")), 0)
        stores = Stores(client, "/many/", rows, {})
        async with asyncio.timeout(2):
            feeding = asyncio.ensure_future(stores.feed.run())
            await stores.feed.ready.wait()
        assert [len(stores.store_for(row).cache) for row in rows[:21]] == [1, *[0] * 9] * 2 + [1]
        feeding.cancel()
        with suppress(asyncio.CancelledError):
            await feeding
        await client.close()

    asyncio.run(whole())


def test_a_dead_endpoint_is_passed_over(etcd: EtcdMember) -> None:
    async def whole() -> None:
        client = Etcd(["http://127.0.0.1:1", etcd.endpoint])
        assert (await client.put("/endpoints/a", b"x", 0)).done
        assert (await client.status()).version
        await client.close()

    asyncio.run(whole())


def test_events_live_on_a_lease(etcd: EtcdMember) -> None:
    """Rule: https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/ (--event-ttl)"""

    async def whole() -> None:
        client = Etcd([etcd.endpoint])
        stores = Stores(client, f"/leased-{next(_prefixes)}/", [WIDGET], {("example.com", "widgets"): 60})
        feeding = asyncio.ensure_future(stores.feed.run())
        await stores.feed.ready.wait()
        store = stores.store_for(WIDGET)
        await asyncio.gather(*(store.create(a_widget(name)) for name in ("a", "b")))
        found = [await client.get(store.path(Key("default", name))) for name in ("a", "b")]
        assert {item.lease for item in found if item} - {0}
        feeding.cancel()
        with suppress(asyncio.CancelledError):
            await feeding
        await client.close()

    asyncio.run(whole())


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
