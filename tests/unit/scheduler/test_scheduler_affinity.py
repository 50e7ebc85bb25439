"""Inter-pod affinity: https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#inter-pod-affinity-and-anti-affinity"""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kube.api.types import Pod
from scheduler.pod_info import PodInfo
from scheduler.preemption import make_room
from scheduler.profiles import profile_of
from scheduler.snapshot import Snapshot
from tests.unit.scheduler.test_scheduler_decide import a_node, a_pod, a_snapshot, schedule

HOST, ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"
REQUIRED, PREFERRED = "requiredDuringSchedulingIgnoredDuringExecution", "preferredDuringSchedulingIgnoredDuringExecution"

DEFAULT = profile_of({})


def term(key: str = HOST, app: str = "db", **more: Any) -> dict[str, Any]:
    return {"topologyKey": key, "labelSelector": {"matchLabels": {"app": app}}, **more}


def near(*terms: dict[str, Any]) -> dict[str, Any]:
    return {"podAffinity": {REQUIRED: list(terms)}}


def apart(*terms: dict[str, Any]) -> dict[str, Any]:
    return {"podAntiAffinity": {REQUIRED: list(terms)}}


def prefers(side: str, weight: int, wanted: dict[str, Any]) -> dict[str, Any]:
    return {side: {PREFERRED: [{"weight": weight, "podAffinityTerm": wanted}]}}


def app(name: str, **more: Any) -> Pod:
    labels = {"app": name.rstrip("0123456789"), **more.pop("labels", {})}
    return a_pod(name, labels=labels, **more)


def zones() -> tuple[Any, ...]:
    return a_node("a", labels={ZONE: "east"}), a_node("b", labels={ZONE: "east"}), a_node("c", labels={ZONE: "west"})


def nowhere(pod: Pod, snapshot: Snapshot) -> str:
    """The reasons, of one node."""
    decision = schedule(pod, snapshot)
    assert decision.node is None
    assert decision.refused_by == {"InterPodAffinity"}
    return decision.message


def test_a_pod_goes_into_the_domain_of_those_it_wants() -> None:
    snapshot = a_snapshot(*zones(), placed={"c": [app("db")]})
    assert schedule(app("web", affinity=near(term(ZONE))), snapshot).node == "c"
    assert nowhere(app("web", affinity=near(term(ZONE, "cache"))), snapshot) == (
        "0/3 nodes are available: 3 node(s) didn't match pod affinity rules."
    )


def test_all_terms_must_cover_one_pod() -> None:
    """Rule: upstream podMatchesAllAffinityTerms: two pods that each match one term are not enough."""
    placed = {"a": [a_pod("one", labels={"app": "db"})], "c": [a_pod("two", labels={"tier": "gold"})]}
    gold = {"topologyKey": ZONE, "labelSelector": {"matchLabels": {"tier": "gold"}}}
    wanted = app("web", affinity=near(term(ZONE), gold))
    assert schedule(wanted, a_snapshot(*zones(), placed=placed)).node is None
    placed["b"] = [a_pod("both", labels={"app": "db", "tier": "gold"})]
    assert schedule(wanted, a_snapshot(*zones(), placed=placed)).node in ("a", "b")


def test_the_first_of_a_group_may_land_anywhere_that_has_the_key() -> None:
    snapshot = a_snapshot(a_node("bare"), *zones())
    assert schedule(app("db", affinity=near(term(ZONE))), snapshot).node in ("a", "b", "c")
    assert schedule(app("web", affinity=near(term(ZONE))), snapshot).node is None


def test_anti_affinity_holds_both_ways() -> None:
    snapshot = a_snapshot(*zones(), placed={"a": [app("db")]})
    assert schedule(app("web", affinity=apart(term(ZONE))), snapshot).node == "c"
    snapshot = a_snapshot(*zones(), placed={"a": [app("db", affinity=apart(term(ZONE, "web")))]})
    assert schedule(app("web"), snapshot).node == "c"
    one = a_snapshot(a_node("a"), placed={"a": [app("db", affinity=apart(term(HOST, "web")))]})
    reason = "0/1 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules."
    assert nowhere(app("web"), one) == reason
    both = app("web", affinity=apart(term()))
    assert nowhere(both, one) == "0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules."
    one.remove_pod("uid-db")
    assert schedule(both, one).node == "a"


def test_a_term_looks_at_its_own_namespace_unless_it_names_others() -> None:
    """Rule: namespaces and namespaceSelector; an empty selector means all of them."""
    snapshot = a_snapshot(*zones(), placed={"c": [app("db")]})
    snapshot.set_namespace("default", {"team": "red"})
    snapshot.set_namespace("blue", {"team": "blue"})

    def fits(**more: Any) -> bool:
        pod = app("web", affinity=near(term(ZONE, **more)))
        pod.metadata.namespace = "blue"
        return schedule(pod, snapshot).node == "c"

    assert not fits()
    assert fits(namespaces=["default"])
    assert fits(namespaceSelector={})
    assert fits(namespaceSelector={"matchLabels": {"team": "red"}})
    assert not fits(namespaceSelector={"matchLabels": {"team": "blue"}})
    snapshot.set_namespace("default", {"team": "blue"})
    assert fits(namespaceSelector={"matchLabels": {"team": "blue"}})


def test_match_label_keys_narrow_a_term_by_the_pods_own_values() -> None:
    """Rule: KEP-3633."""
    placed = {"a": [app("db1", labels={"rev": "1"})], "c": [app("db2", labels={"rev": "2"})]}
    snapshot = a_snapshot(*zones(), placed=placed)
    pod = app("db3", labels={"rev": "2"}, affinity=near(term(ZONE, matchLabelKeys=["rev"])))
    assert schedule(pod, snapshot).node == "c"
    pod = app("db3", labels={"rev": "2"}, affinity=apart(term(ZONE, mismatchLabelKeys=["rev"])))
    assert schedule(pod, snapshot).node == "c"
    merged = {"matchExpressions": [{"key": "rev", "operator": "In", "values": ["1"]}]}
    pod = app("db3", labels={"rev": "2"}, affinity=near(term(ZONE, matchLabelKeys=["rev"], labelSelector=merged)))
    assert schedule(pod, snapshot).node in ("a", "b"), "written down when it was made; the label has changed since"


def test_preferences_count_both_ways_and_by_weight() -> None:
    snapshot = a_snapshot(*zones(), placed={"c": [app("db")]})
    assert schedule(app("web", affinity=prefers("podAffinity", 1, term(ZONE))), snapshot).node == "c"
    assert schedule(app("web", affinity=prefers("podAntiAffinity", 1, term(ZONE))), snapshot).node in ("a", "b")
    wanted = prefers("podAffinity", 10, term(ZONE, "web"))
    assert schedule(app("web"), a_snapshot(*zones(), placed={"c": [app("db", affinity=wanted)]})).node == "c"
    hard = near(term(ZONE, "web"))
    assert schedule(app("web"), a_snapshot(*zones(), placed={"c": [app("db", affinity=hard)]})).node == "c"


def test_room_is_made_by_ending_who_keeps_the_pod_away() -> None:
    """Rule: anti-affinity is mended by preemption, affinity is not."""
    low = app("db", priority=1, affinity=apart(term(HOST, "web")))
    snapshot = a_snapshot(a_node("a"), placed={"a": [low]})
    found = make_room(PodInfo(app("web", priority=5)), None, snapshot, DEFAULT.filters, ())
    assert (found.node, found.victims) == ("a", (low,))
    assert set(snapshot.infos[0].pods) == {"uid-db"}
    nothing = make_room(PodInfo(app("web", priority=5, affinity=near(term(HOST, "cache")))), None, snapshot, DEFAULT.filters, ())
    assert nothing.message == "0/1 nodes are available: 1 Preemption is not helpful for scheduling."


PODS = st.tuples(st.sampled_from("abcd"), st.integers(0, 9), st.sampled_from(("db", "web")), st.booleans())


@given(st.lists(PODS, max_size=40))
def test_tallies_equal_a_fresh_count_after_any_history(history: list[tuple[str, int, str, bool]]) -> None:
    """However pods and nodes came and went, a snapshot decides as one that is made of what is there now."""
    snapshot = a_snapshot(a_node("a", labels={ZONE: "east"}))
    kept: dict[str, tuple[PodInfo, str]] = {}
    nodes = {"a"}
    wanted = app("web", affinity=near(term(ZONE)) | apart(term(HOST, "web")))
    for node, number, kind, add in history:
        schedule(wanted, snapshot)  # makes the tallies, which must then be kept
        if number == 0:
            (nodes.add if add else nodes.discard)(node)
            snapshot.set_node(a_node(node, labels={ZONE: node})) if add else snapshot.remove_node(node)
        elif add:
            kept[f"uid-{kind}{number}"] = PodInfo(app(f"{kind}{number}", affinity=apart(term(HOST, kind)))), node
            snapshot.set_pod(*kept[f"uid-{kind}{number}"])
        else:
            snapshot.remove_pod(f"uid-{kind}{number}")
            kept.pop(f"uid-{kind}{number}", None)
    fresh = a_snapshot(*(snapshot.infos[row].node for row in range(len(snapshot))))
    for pod, node in kept.values():
        fresh.set_pod(pod, node)
    assert schedule(wanted, snapshot) == schedule(wanted, fresh)
    assert schedule(app("web"), snapshot) == schedule(app("web"), fresh)
    assert nodes == {info.name for info in snapshot.infos}
