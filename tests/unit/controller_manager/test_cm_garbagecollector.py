"""Garbage collector: what becomes of an object, given how its owners stand; and the graph behind that."""

from typing import Any

import pytest

from controller_manager.controllers.garbagecollector.graph import (
    FOREGROUND,
    ORPHAN,
    Decision,
    Graph,
    Item,
    Owner,
    Standing,
    decide,
)
from controller_manager.controllers.garbagecollector.monitors import known, monitored
from kube.api.meta import Key
from kube.api.resource import Resource
from kube.client.discovery import Discovered

PODS = Resource(group="", version="v1", kind="Pod", plural="pods")
NODES = Resource(group="", version="v1", kind="Node", plural="nodes", namespaced=False)
EVENTS = Resource(group="", version="v1", kind="Event", plural="events")
BINDINGS = Resource(group="", version="v1", kind="Binding", plural="bindings", verbs=("create",))


def an_item(uid: str, *owners: str, blocks: bool = True, resource: Resource = PODS, **more: Any) -> Item:
    namespace = more.pop("namespace", "default" if resource.namespaced else "")
    references = tuple(Owner("v1", "Pod", owner, owner, blocks) for owner in owners)
    return Item(uid, resource, Key(namespace, uid), references, **more)


def owners(**standings: Standing) -> list[tuple[Owner, Standing]]:
    return [(Owner("v1", "Pod", uid, uid, True), standing) for uid, standing in standings.items()]


SOLID, WAITING, ABSENT = Standing.SOLID, Standing.WAITING, Standing.ABSENT


@pytest.mark.parametrize(
    ("standings", "expected"),
    [
        ({}, Decision()),
        ({"a": SOLID}, Decision()),
        ({"a": ABSENT}, Decision(delete="Background")),
        ({"a": ABSENT, "b": ABSENT}, Decision(delete="Background")),
        ({"a": SOLID, "b": ABSENT}, Decision(prune=("b",))),
        ({"a": SOLID, "b": WAITING, "c": ABSENT}, Decision(prune=("b", "c"))),
        ({"a": WAITING}, Decision(delete="Background")),
        ({"a": WAITING, "b": ABSENT}, Decision(delete="Background")),
    ],
)
def test_an_object_goes_only_with_its_last_owner(standings: dict[str, Standing], expected: Decision) -> None:
    """Rule: https://kubernetes.io/docs/concepts/architecture/garbage-collection/#owners-dependents"""
    assert decide(an_item("x"), owners(**standings), []) == expected


def test_a_dependent_with_dependents_of_its_own_passes_the_foreground_on() -> None:
    assert decide(an_item("x"), owners(a=WAITING), [an_item("y", "x")]) == Decision(delete="Foreground")


def test_a_circle_that_is_deleted_in_the_foreground_comes_undone() -> None:
    """Rule: garbagecollector.go, unblockOwnerReferencesPatch"""
    first = an_item("a", "b", deleting=True, finalizers=(FOREGROUND,))
    assert decide(an_item("b", "a"), owners(a=WAITING), [first]) == Decision(delete="Foreground", unblock=True)


def test_finalizers_that_an_object_has_decide_how_it_is_deleted() -> None:
    assert decide(an_item("x", finalizers=(ORPHAN,)), owners(a=ABSENT), []) == Decision(delete="Orphan")
    assert decide(an_item("x", finalizers=(FOREGROUND,)), owners(a=ABSENT), []) == Decision(delete="Foreground")


def test_the_end_of_an_owner_brings_up_its_dependents() -> None:
    graph = Graph()
    assert graph.observe(an_item("owner")) == set()
    assert graph.observe(an_item("x", "owner")) == set(), "its owner stands: nothing to look at"
    assert graph.remove("owner") == {"x"}


def test_a_dependent_seen_before_its_owner_is_looked_at_and_then_stands() -> None:
    graph = Graph()
    assert graph.observe(an_item("x", "owner")) == {"x"}
    assert graph.standing(graph.get("x"), graph.get("x").owners[0]) is None, "the graph does not know: it must be asked for"
    graph.observe(an_item("owner"))
    assert graph.standing(graph.get("x"), graph.get("x").owners[0]) is SOLID


def test_an_owner_of_the_same_name_is_another_one() -> None:
    """What if the owner was deleted and made again?"""
    graph = Graph()
    graph.observe(an_item("x", "old"))
    graph.observe(Item("new", PODS, Key("default", "old")))
    assert graph.standing(graph.get("x"), graph.get("x").owners[0]) is None


def test_an_owner_in_another_namespace_is_absent_and_a_cluster_wide_one_is_not() -> None:
    """Rule: https://kubernetes.io/docs/concepts/overview/working-with-objects/owners-dependents/"""
    graph = Graph()
    graph.observe(an_item("far", namespace="other"))
    graph.observe(an_item("node", resource=NODES))
    x = an_item("x", "far", "node")
    assert graph.observe(x) == {"x"}
    assert [graph.standing(x, owner) for owner in x.owners] == [ABSENT, SOLID]


def test_foreground_deletion_brings_up_owner_and_dependents_and_ends_with_the_last_that_blocks() -> None:
    """Rule: https://kubernetes.io/docs/concepts/architecture/garbage-collection/#foreground-deletion"""
    graph = Graph()
    graph.observe(an_item("owner"))
    graph.observe(an_item("x", "owner"))
    graph.observe(an_item("y", "owner", blocks=False))
    waiting = an_item("owner", deleting=True, finalizers=(FOREGROUND,))
    assert graph.observe(waiting) == {"owner", "x", "y"}
    assert [one.uid for one in graph.blocking("owner")] == ["x"]
    assert graph.standing(graph.get("x"), graph.get("x").owners[0]) is WAITING
    assert graph.remove("x") == {"owner"}
    assert graph.blocking("owner") == []


def test_a_dependent_that_lets_go_brings_up_an_owner_that_waits() -> None:
    graph = Graph()
    graph.observe(an_item("owner", deleting=True, finalizers=(FOREGROUND,)))
    graph.observe(an_item("x", "owner"))
    assert "owner" in graph.observe(an_item("x", "owner", blocks=False))
    assert graph.observe(an_item("x")) == {"owner"}
    assert graph.dependents("owner") == []


def test_orphaning_brings_up_the_owner() -> None:
    graph = Graph()
    assert graph.observe(an_item("owner", deleting=True, finalizers=(ORPHAN,))) == {"owner"}


def test_what_can_be_deleted_is_followed_in_one_version_and_events_are_not() -> None:
    newer = Resource(group="", version="v2", kind="Pod", plural="pods")
    assert monitored([PODS, newer, NODES, EVENTS, BINDINGS]) == [PODS, NODES]


def test_what_is_known_of_a_version_that_cannot_be_asked_stays_known() -> None:
    """Rule: pkg/controller/garbagecollector/garbagecollector.go (Sync: partial discovery keeps its monitors)"""
    away, gone = (Resource(group=f"{name}.io", version="v1", kind="Thing", plural="things") for name in ("away", "gone"))
    found = Discovered((PODS,), frozenset({"away.io/v1"}))
    assert [found.serves(row) for row in (PODS, away, gone)] == [True, True, False]
    before = {(row.api_version, row.kind): row for row in (away, gone)}
    assert set(known(found, before)) == {("v1", "Pod"), ("away.io/v1", "Thing")}
