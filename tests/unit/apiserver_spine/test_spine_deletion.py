"""What a DELETE does to an object."""

from datetime import UTC, datetime
from typing import Any

import pytest

from apiserver.storage.deletion import Mark, Remove, Wait, decide, may_go, propagation_finalizers
from kube.api.meta import Tree
from kube.api.resource import Resource

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
AT_ONCE = Resource("", "v1", "ConfigMap", "configmaps")
GRACEFUL = Resource("", "v1", "Pod", "pods", grace_seconds=lambda tree, asked: 30 if asked is None else asked)
HELD = Resource("", "v1", "Namespace", "namespaces", held=lambda tree: bool(tree["spec"]["finalizers"]))


def an_object(**metadata: Any) -> Tree:
    return {"metadata": {"name": "a", "generation": 1, **metadata}, "spec": {"finalizers": ["kubernetes"]}}


def test_without_grace_or_finalizers_it_goes_at_once() -> None:
    assert decide(AT_ONCE, an_object(), {}, NOW) == Remove()
    assert decide(GRACEFUL, an_object(), {"gracePeriodSeconds": 0}, NOW) == Remove()


def test_grace_marks_it_and_counts_its_generation() -> None:
    """Rule: apiserver pkg/registry/rest/delete.go, BeforeDelete"""
    decision = decide(GRACEFUL, an_object(), {}, NOW)
    assert isinstance(decision, Mark)
    metadata = decision.tree["metadata"]
    assert metadata["deletionTimestamp"] == "2026-01-02T03:04:35Z"
    assert metadata["deletionGracePeriodSeconds"] == 30
    assert metadata["generation"] == 2


def test_a_negative_grace_is_one_second() -> None:
    decision = decide(GRACEFUL, an_object(), {"gracePeriodSeconds": -5}, NOW)
    assert isinstance(decision, Mark)
    assert decision.tree["metadata"]["deletionGracePeriodSeconds"] == 1


@pytest.mark.parametrize(("asked", "expected"), [(None, Wait), (30, Wait), (60, Wait), (5, Mark), (0, Remove)])
def test_a_second_delete_may_only_shorten(asked: int | None, expected: type) -> None:
    waiting = an_object(deletionTimestamp="2026-01-02T03:04:35Z", deletionGracePeriodSeconds=30)
    decision = decide(GRACEFUL, waiting, {} if asked is None else {"gracePeriodSeconds": asked}, NOW)
    assert isinstance(decision, expected)
    if isinstance(decision, Mark):
        assert decision.tree["metadata"]["deletionTimestamp"] == "2026-01-02T03:04:10Z"


def test_what_holds_an_object_beside_finalizers_makes_it_wait() -> None:
    decision = decide(HELD, an_object(), {}, NOW)
    assert isinstance(decision, Mark)
    assert not may_go(HELD, decision.tree)
    decision.tree["spec"]["finalizers"] = []
    assert may_go(HELD, decision.tree)


@pytest.mark.parametrize(
    ("before", "options", "after"),
    [
        ([], {"propagationPolicy": "Foreground"}, ["foregroundDeletion"]),
        ([], {"propagationPolicy": "Orphan"}, ["orphan"]),
        ([], {"orphanDependents": True}, ["orphan"]),
        (["x", "orphan"], {"propagationPolicy": "Background"}, ["x"]),
        (["x", "foregroundDeletion"], {}, ["x", "foregroundDeletion"]),
        (["orphan"], {"propagationPolicy": "Foreground"}, ["foregroundDeletion"]),
    ],
)
def test_an_explicit_policy_overrides_the_finalizers(before: list[str], options: Tree, after: list[str]) -> None:
    """Rule: apiserver pkg/registry/generic/registry/store.go, deletionFinalizersForGarbageCollection"""
    assert propagation_finalizers(before, options) == after


@pytest.mark.parametrize(
    ("usual", "before", "options", "after"),
    [
        ("Orphan", [], {}, ["orphan"]),
        ("Orphan", ["foregroundDeletion"], {}, ["foregroundDeletion"]),
        ("Orphan", [], {"propagationPolicy": "Background"}, []),
        ("Orphan", [], {"orphanDependents": False}, []),
        ("Background", [], {}, []),
        ("", [], {"propagationPolicy": "Orphan"}, []),
        ("", ["x"], {"propagationPolicy": "Foreground"}, ["x"]),
    ],
)
def test_without_a_policy_each_kind_has_its_own(usual: str, before: list[str], options: Tree, after: list[str]) -> None:
    """Rule: apiserver pkg/registry/rest/delete.go, GarbageCollectionDeleteStrategy"""
    assert propagation_finalizers(before, options, usual) == after
