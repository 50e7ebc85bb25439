"""The store against a real etcd: compare-and-swap, pages, and what several servers share."""

import asyncio
from contextlib import suppress
from dataclasses import replace

import pytest

from apiserver.storage import codec, compactor
from apiserver.storage.etcd import Etcd
from apiserver.storage.listing import parse_ask
from apiserver.storage.store import Store
from apiserver.storage.stores import Stores
from kube.api.meta import Key, Tree
from kube.api.status import AlreadyExists, Conflict, Expired, NotFound, Timeout
from tests.component.apiserver.stored_widgets import WIDGET, a_widget, add_one, everything, own_root, run
from tests.component.etcd_member import EtcdMember


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
        stores = Stores(client, own_root(), [WIDGET], {("example.com", "widgets"): 60})
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
