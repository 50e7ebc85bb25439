"""The cache: lookups by key, namespace, owner and any index."""

from typing import Any

from kube.api import labels
from kube.api.meta import Key
from kube.api.types import Pod
from kube.api.views import view
from kube.client.cache import Cache


def a_pod(name: str, namespace: str = "n", owner: str = "", **labels_: str) -> Pod:
    metadata: dict[str, Any] = {"name": name, "namespace": namespace, "uid": f"{name}-uid", "labels": labels_}
    if owner:
        metadata["ownerReferences"] = [{"apiVersion": "v1", "kind": "X", "name": "x", "uid": owner, "controller": True}]
    return view(Pod, {"metadata": metadata, "spec": {"containers": []}})


def test_objects_are_found_by_key_namespace_and_owner() -> None:
    cache: Cache[Pod] = Cache()
    mine, other = a_pod("a", owner="u1"), a_pod("b", "m", owner="u2")
    cache.set(mine)
    cache.set(other)
    assert cache.get(Key("n", "a")) is mine
    assert cache.list("m") == [other]
    assert cache.owned_by("u1") == [mine]
    assert len(cache) == 2


def test_selection_is_by_namespace_and_labels() -> None:
    cache: Cache[Pod] = Cache()
    cache.set(a_pod("a", app="x"))
    cache.set(a_pod("b", app="y"))
    assert [pod.metadata.name for pod in cache.select("n", labels.parse("app=x"))] == ["a"]


def test_newer_form_leaves_no_trace_of_the_older_in_the_indexes() -> None:
    cache: Cache[Pod] = Cache()
    cache.add_index("app", lambda pod: [(pod.metadata.labels or {}).get("app", "")])
    cache.set(a_pod("a", owner="u1", app="x"))
    cache.set(a_pod("a", owner="u2", app="y"))
    assert cache.owned_by("u1") == []
    assert cache.by_index("app", "x") == []
    assert len(cache.by_index("app", "y")) == 1
    cache.remove(Key("n", "a"))
    assert cache.owned_by("u2") == []


def test_index_added_late_knows_what_is_there() -> None:
    cache: Cache[Pod] = Cache()
    cache.set(a_pod("a", app="x"))
    cache.add_index("app", lambda pod: [(pod.metadata.labels or {}).get("app", "")])
    assert len(cache.by_index("app", "x")) == 1
