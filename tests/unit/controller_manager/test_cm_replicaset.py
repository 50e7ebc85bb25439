"""ReplicaSet: how many, which ones first, what the status tells."""

from collections.abc import Callable

import pytest

from controller_manager.controllers.replicaset import DELETION_COST, in_order_of_deletion, plan, status
from controller_manager.pod_state import seconds_until_available
from kube.api.types import Pod
from tests.unit.controller_manager.cm_builders import NOW, a_pod, a_replica_set

PAIRS: list[tuple[str, Callable[[], Pod], Callable[[], Pod]]] = [  # the rule, who goes, who stays
    ("unassigned before assigned", lambda: a_pod("a", node=""), lambda: a_pod("b")),
    ("pending before running", lambda: a_pod("a", phase="Pending"), lambda: a_pod("b")),
    ("pending before unknown", lambda: a_pod("a", phase="Pending"), lambda: a_pod("b", phase="Unknown")),
    ("not ready before ready", lambda: a_pod("a", ready=False), lambda: a_pod("b")),
    ("cheap before dear", lambda: a_pod("a", annotations={DELETION_COST: "-1"}), lambda: a_pod("b")),
    ("ready since lately before long ready", lambda: a_pod("a", ready_for=1), lambda: a_pod("b", ready_for=5000)),
    ("often restarted first", lambda: a_pod("a", restarts=3), lambda: a_pod("b")),
    ("young before old", lambda: a_pod("a", age=1), lambda: a_pod("b", age=5000)),
]


@pytest.mark.parametrize(("goes", "stays"), [pair[1:] for pair in PAIRS], ids=[pair[0] for pair in PAIRS])
def test_the_less_useful_pod_goes_first(goes: Callable[[], Pod], stays: Callable[[], Pod]) -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#scaling-a-replicaset"""
    pods = [stays(), goes()]
    assert [pod.metadata.name for pod in in_order_of_deletion(pods, pods, NOW)] == ["a", "b"]


def test_on_a_crowded_node_first() -> None:
    crowd = [a_pod(f"x{number}", node="crowded") for number in range(3)]
    pods = [a_pod("b", node="lonely"), a_pod("a", node="crowded")]
    assert in_order_of_deletion(pods, [*pods, *crowd], NOW)[0].metadata.name == "a"


def test_deletion_cost_outweighs_the_crowd_and_an_invalid_one_is_none() -> None:
    dear = a_pod("a", node="crowded", annotations={DELETION_COST: "10"})
    cheap = a_pod("b", node="lonely", annotations={DELETION_COST: "cheap"})
    crowd = [a_pod("x", node="crowded")]
    assert in_order_of_deletion([dear, cheap], [dear, cheap, *crowd], NOW)[0].metadata.name == "b"


@pytest.mark.parametrize(("replicas", "have", "create", "delete"), [(3, 1, 2, 0), (1, 3, 0, 2), (2, 2, 0, 0), (600, 0, 500, 0)])
def test_missing_pods_are_created_and_surplus_ones_deleted(replicas: int, have: int, create: int, delete: int) -> None:
    pods = [a_pod(f"p{number}") for number in range(have)]
    planned = plan(a_replica_set(replicas=replicas), pods, pods, NOW)
    assert (planned.create, len(planned.delete)) == (create, delete)


def test_available_means_ready_for_min_ready_seconds() -> None:
    rs = a_replica_set(replicas=3, minReadySeconds=30)
    pods = [a_pod("a", ready_for=50), a_pod("b", ready_for=20), a_pod("c", ready=False)]
    told = status(rs, pods, NOW, None)
    assert (told["replicas"], told["readyReplicas"], told["availableReplicas"]) == (3, 2, 1)
    assert seconds_until_available(pods, 30, NOW) == 10


def test_a_refused_pod_is_told_as_replica_failure_and_forgotten_when_it_works() -> None:
    """Rule: behaviour of ReplicaSet status conditions, ReplicaFailure"""
    rs = a_replica_set(replicas=1)
    failed = status(rs, [], NOW, ("FailedCreate", "exceeded quota"))
    assert [(one["type"], one["reason"]) for one in failed["conditions"]] == [("ReplicaFailure", "FailedCreate")]
    assert "conditions" not in status(rs, [], NOW, None)
