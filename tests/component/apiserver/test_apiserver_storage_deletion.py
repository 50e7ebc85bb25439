"""Deletion in the store: grace, finalizers, propagation and preconditions."""

import pytest

from apiserver.storage.store import Store
from apiserver.storage.stores import Stores
from kube.api.meta import Key, Tree
from kube.api.status import Conflict, NotFound
from tests.component.apiserver.stored_widgets import a_widget, everything, run
from tests.component.etcd_member import EtcdMember


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
