"""Preemption decisions: who must go for whom, where, and when nobody may. https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/"""

from typing import Any

import pytest

from kube.api.types import Pod, PodDisruptionBudget
from kube.api.views import tree_of, view
from scheduler.cycle import decide
from scheduler.nominations import Nominations
from scheduler.pod_info import PodInfo
from scheduler.preemption import Room, make_room
from scheduler.profiles import profile_of
from scheduler.snapshot import Snapshot
from tests.unit.scheduler.test_scheduler_decide import a_node, a_pod, a_snapshot

DEFAULT = profile_of({})


def at(pod: Pod, **metadata: Any) -> Pod:
    """The pod with more in its metadata."""
    tree = tree_of(pod)
    return view(Pod, {**tree, "metadata": {**tree["metadata"], **metadata}})


def a_budget(allowed: int, **labels: str) -> PodDisruptionBudget:
    spec = {"selector": {"matchLabels": labels}}
    tree = {"metadata": {"name": "b", "namespace": "default"}, "spec": spec, "status": {"disruptionsAllowed": allowed}}
    return view(PodDisruptionBudget, tree)


def room(pod: Pod, snapshot: Snapshot, *budgets: PodDisruptionBudget, nominated: str | None = None) -> Room:
    return make_room(PodInfo(pod), nominated, snapshot, DEFAULT.filters, budgets)


def names(found: Room) -> tuple[str | None, list[str]]:
    return found.node, [one.metadata.name for one in found.victims]


def test_only_as_many_go_as_must_the_least_important_first() -> None:
    placed = [a_pod("high", cpu="1", priority=50), a_pod("low", cpu="500m", priority=1), a_pod("lower", cpu="500m", priority=0)]
    snapshot = a_snapshot(a_node("a"), placed={"a": placed})
    assert names(room(a_pod(cpu="500m", priority=100), snapshot)) == ("a", ["lower"])
    assert names(room(a_pod(cpu="1", priority=100), snapshot)) == ("a", ["low", "lower"])
    assert names(room(a_pod(cpu="2", priority=100), snapshot)) == ("a", ["high", "low", "lower"])
    assert {one.metadata.name for one in snapshot.infos[0].pods.values()} == {"high", "low", "lower"}


def test_nobody_goes_for_a_pod_of_the_same_priority_or_one_that_asks_nobody_to() -> None:
    """Rule: preemptionPolicy Never; the words of the FailedScheduling event are upstream's."""
    snapshot = a_snapshot(a_node("a", cpu="1"), a_node("b", unschedulable=True), placed={"a": [a_pod("p", cpu="1", priority=5)]})
    none = "0/2 nodes are available: 1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling."
    assert room(a_pod(cpu="1", priority=5), snapshot) == Room(None, message=none)
    never = room(a_pod(cpu="1", priority=9, preemptionPolicy="Never"), snapshot)
    assert never == Room(None, message="not eligible due to preemptionPolicy=Never.")


def test_where_nobody_s_leaving_helps_it_is_said_why() -> None:
    """Rule: what can never fit (more than the node has, a missing key of spreading) is beyond preemption; where the less important
    leave and the pod still does not fit, the refusing plugin's reason is told."""
    beyond = "0/1 nodes are available: 1 Preemption is not helpful for scheduling."
    snapshot = a_snapshot(a_node("a", cpu="1"), placed={"a": [a_pod("p", cpu="1", priority=5)]})
    assert room(a_pod(cpu="2", priority=9), snapshot).message == beyond
    spread = {"topologyKey": "rack", "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {}}
    assert room(a_pod(priority=9, topologySpreadConstraints=[spread]), snapshot).message == beyond
    placed = [a_pod("high", cpu="1500m", priority=50), a_pod("low", cpu="500m")]
    still = room(a_pod(cpu="1", priority=9), a_snapshot(a_node("a"), placed={"a": placed}))
    assert still == Room(None, message="0/1 nodes are available: 1 Insufficient cpu.")


def test_the_node_is_chosen_where_the_least_important_pods_go() -> None:
    """Rule: upstream pickOneNodeForPreemption: lowest highest priority, then smallest sum, then fewest victims."""
    placed = {
        "a": [a_pod("a1", cpu="1", priority=3)],
        "b": [a_pod("b1", cpu="500m", priority=2), a_pod("b2", cpu="500m", priority=2)],
        "c": [a_pod("c1", cpu="1", priority=2)],
    }
    snapshot = a_snapshot(*(a_node(name, cpu="1") for name in placed), placed=placed)
    assert names(room(a_pod(cpu="1", priority=9), snapshot)) == ("c", ["c1"])


def test_of_equal_victims_the_youngest_go() -> None:
    placed = {
        "a": [at(a_pod("old", cpu="1"), creationTimestamp="2026-01-01T00:00:00Z")],
        "b": [at(a_pod("young", cpu="1"), creationTimestamp="2026-01-02T00:00:00Z")],
    }
    snapshot = a_snapshot(a_node("a", cpu="1"), a_node("b", cpu="1"), placed=placed)
    assert names(room(a_pod(cpu="1", priority=9), snapshot)) == ("b", ["young"])


def test_a_used_up_budget_is_broken_only_where_nothing_else_helps() -> None:
    placed = {"a": [a_pod("kept", cpu="1", labels={"app": "kept"})], "b": [a_pod("more", cpu="1", priority=5)]}
    snapshot = a_snapshot(a_node("a", cpu="1"), a_node("b", cpu="1"), placed=placed)
    assert names(room(a_pod(cpu="1", priority=9), snapshot, a_budget(0, app="kept"))) == ("b", ["more"])
    assert names(room(a_pod(cpu="1", priority=9), snapshot, a_budget(1, app="kept"))) == ("a", ["kept"])
    assert room(a_pod(cpu="1", priority=3), snapshot, a_budget(0, app="kept")).broken_budgets == 1


@pytest.mark.parametrize("spec", [{"ports": [{"containerPort": 80, "hostPort": 80}]}, {"cpu": "1"}])
def test_a_host_port_is_room_as_well(spec: dict[str, Any]) -> None:
    snapshot = a_snapshot(a_node("a", cpu="1"), placed={"a": [a_pod("other", **spec)]})
    assert names(room(a_pod(priority=1, **spec), snapshot)) == ("a", ["other"])


def test_a_pod_waits_for_victims_that_end() -> None:
    """Rule: upstream podTerminatingByPreemption: for those that end because of a preemption, on a node that is still of use."""
    tree = tree_of(at(a_pod("going", cpu="1"), deletionTimestamp="2026-01-01T00:00:00Z"))
    told = {"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}
    victim = view(Pod, {**tree, "status": {"conditions": [told]}})
    snapshot = a_snapshot(a_node("a"), placed={"a": [victim, a_pod("stays", cpu="1")]})
    found = room(a_pod(cpu="1", priority=1), snapshot, nominated="a")
    assert found == Room(None, message="not eligible due to terminating pod on the nominated node.", keeps_nomination=True)
    assert not room(a_pod(cpu="1", priority=1, nodeSelector={"disk": "ssd"}), snapshot, nominated="a").keeps_nomination
    of_its_own_accord = a_snapshot(a_node("a"), placed={"a": [view(Pod, tree), a_pod("stays", cpu="1")]})
    assert not room(a_pod(cpu="1", priority=1), of_its_own_accord, nominated="a").keeps_nomination


def test_room_that_is_made_is_not_taken_by_the_less_important() -> None:
    """Rule: nominated pods of equal or higher priority count as placed."""
    snapshot = a_snapshot(a_node("a", cpu="1"), a_node("b", cpu="1"), placed={"b": [a_pod("other", cpu="500m")]})
    nominations = Nominations(snapshot)
    urgent, humble = PodInfo(a_pod("urgent", cpu="1", priority=5)), PodInfo(a_pod("humble", cpu="500m"))
    nominations.set(urgent, "a")
    with nominations.counted_for(humble):
        assert decide(humble, snapshot, DEFAULT).node == "b"
    with nominations.counted_for(urgent):
        assert decide(urgent, snapshot, DEFAULT, nominated="a").node == "a"
    assert nominations.less_important(PodInfo(a_pod("king", priority=9)), "a") == [urgent.pod]
    assert not snapshot.infos[0].pods
