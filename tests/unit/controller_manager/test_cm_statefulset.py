"""StatefulSet: which pods are made, removed and waited for, and whose claims they have."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller_manager.controllers.statefulset.claims import keeper, owners
from controller_manager.controllers.statefulset.identity import claims_for, lacks_identity, ordinal_of, ordinals, pod_for
from controller_manager.controllers.statefulset.plan import Look, plan, status
from controller_manager.history import HASH_LABEL, data_of
from kube.api.meta import Tree
from kube.api.types import ControllerRevision, Pod, StatefulSet
from kube.api.views import view
from tests.unit.controller_manager.cm_builders import NOW, TEMPLATE, a_pod

CLAIM = {"metadata": {"name": "www"}, "spec": {"accessModes": ["ReadWriteOnce"]}}


def a_set(replicas: int = 3, *, parallel: bool = False, rolling: Tree | None = None, **spec: Any) -> StatefulSet:
    wanted = {
        "replicas": replicas,
        "serviceName": "web",
        "selector": {"matchLabels": {"app": "web"}},
        "template": TEMPLATE,
        "podManagementPolicy": "Parallel" if parallel else "OrderedReady",
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0, **(rolling or {})}},
    }
    metadata = {"name": "web", "namespace": "default", "uid": "uid-web", "generation": 1}
    tree = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": metadata, "spec": {**wanted, **spec}}
    return view(StatefulSet, {**tree, "status": {"replicas": 0}})


def a_stateful_pod(number: int, revision: str = "new", **more: Any) -> Pod:
    name = f"web-{number}"
    labels = {"app": "web", HASH_LABEL: revision, "apps.kubernetes.io/pod-index": str(number)}
    return a_pod(name, labels={**labels, "statefulset.kubernetes.io/pod-name": name}, **more)


def steps(sts: StatefulSet, *pods: Pod, current: str = "new") -> tuple[list[int], list[str]]:
    """The numbers to create and the pods to delete."""
    found = plan(Look(sts, pods, current, "new", NOW))
    return [number for number, _ in found.create], [pod.metadata.name for pod in (*found.ended, *found.delete)]


GOING = {"deletionTimestamp": "2026-01-01T12:00:30Z"}


@pytest.mark.parametrize(
    ("pods", "expected"),
    [
        ([], ([0], [])),
        ([a_stateful_pod(0, ready=False)], ([], [])),
        ([a_stateful_pod(0)], ([1], [])),
        ([a_stateful_pod(0, phase="Failed"), a_stateful_pod(1)], ([], ["web-0"])),
        ([a_stateful_pod(0, **GOING), a_stateful_pod(1)], ([], [])),
        ([a_stateful_pod(1), a_stateful_pod(2)], ([0], [])),
        ([a_stateful_pod(0), a_stateful_pod(1), a_stateful_pod(2)], ([], [])),
        ([*map(a_stateful_pod, range(5))], ([], ["web-4"])),
        ([*map(a_stateful_pod, range(4)), a_stateful_pod(4, **GOING)], ([], [])),
        ([*map(a_stateful_pod, range(4)), a_stateful_pod(4, ready=False)], ([], ["web-4"])),
        ([a_stateful_pod(0, ready=False), *map(a_stateful_pod, range(1, 5))], ([], [])),
    ],
)
def test_pods_come_and_go_one_by_one_in_their_order(pods: list[Pod], expected: Any) -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#deployment-and-scaling-guarantees"""
    assert steps(a_set(), *pods) == expected


def test_parallel_pods_wait_for_none() -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#parallel-pod-management"""
    assert steps(a_set(parallel=True), a_stateful_pod(1, ready=False)) == ([0, 2], [])
    pods = [a_stateful_pod(0, ready=False), *map(a_stateful_pod, range(1, 6))]
    assert steps(a_set(parallel=True), *pods) == ([], ["web-5", "web-4", "web-3"])


def test_an_update_goes_from_the_highest_number_down_to_the_partition() -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#rolling-updates"""
    old = [a_stateful_pod(number, "old") for number in range(3)]
    assert steps(a_set(), *old, current="old") == ([], ["web-2"])
    assert steps(a_set(), *old[:2], a_stateful_pod(2), current="old") == ([], ["web-1"])
    assert steps(a_set(), *old[:2], a_stateful_pod(2, ready=False), current="old") == ([], [])
    assert steps(a_set(rolling={"partition": 2}), *old[:2], a_stateful_pod(2), current="old") == ([], [])
    assert steps(a_set(updateStrategy={"type": "OnDelete"}), *old, current="old") == ([], [])


def test_several_pods_may_be_unavailable_at_a_time() -> None:
    """Rule: KEP-961"""
    old = [a_stateful_pod(number, "old") for number in range(5)]
    assert steps(a_set(5, rolling={"maxUnavailable": 2}), *old, current="old") == ([], ["web-4", "web-3"])
    assert steps(a_set(5, rolling={"maxUnavailable": "20%"}), *old, current="old") == ([], ["web-4"])
    broken = [*old[:4], a_stateful_pod(4, "old", ready=False)]
    assert steps(a_set(5, parallel=True), *broken, current="old") == ([], ["web-4"])


def test_a_lost_pod_below_the_partition_comes_back_as_it_was() -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#partitions"""
    sts = a_set(rolling={"partition": 2}, podManagementPolicy="Parallel")
    found = plan(Look(sts, (), "old", "new", NOW))
    assert found.create == [(0, "old"), (1, "old"), (2, "new")]
    assert plan(Look(a_set(updateStrategy={"type": "OnDelete"}), (), "old", "new", NOW)).create == [(0, "new")]


def test_status_counts_each_revision_and_tells_when_all_are_new() -> None:
    """Rule: StatefulSetStatus; currentRevision becomes updateRevision at the end of an update"""
    mixed = [a_stateful_pod(0, "old"), a_stateful_pod(1), a_stateful_pod(2, ready=False)]
    told = status(Look(a_set(), mixed, "old", "new", NOW), None)
    counts = {name: told[name] for name in ("replicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas")}
    assert counts == {"replicas": 3, "readyReplicas": 2, "currentReplicas": 1, "updatedReplicas": 2, "availableReplicas": 2}
    assert (told["currentRevision"], told["updateRevision"]) == ("old", "new")
    done = status(Look(a_set(), [a_stateful_pod(number) for number in range(3)], "old", "new", NOW), None)
    assert (done["currentRevision"], done["currentReplicas"]) == ("new", 3)


def test_a_pod_is_named_and_stored_by_its_number() -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#pod-identity"""
    sts = a_set(volumeClaimTemplates=[CLAIM], ordinals={"start": 5})
    assert list(ordinals(sts)) == [5, 6, 7]
    revision = view(ControllerRevision, {"metadata": {"name": "web-abc"}, "data": data_of(sts), "revision": 1})
    tree = pod_for(sts, 5, revision)
    assert tree["metadata"]["name"] == tree["spec"]["hostname"] == "web-5"
    assert tree["spec"]["subdomain"] == "web"
    assert tree["spec"]["volumes"] == [{"name": "www", "persistentVolumeClaim": {"claimName": "www-web-5"}}]
    assert tree["metadata"]["labels"] == {
        "app": "web", HASH_LABEL: "web-abc", "apps.kubernetes.io/pod-index": "5", "statefulset.kubernetes.io/pod-name": "web-5",
    }  # fmt: skip
    (claim,) = claims_for(sts, 5)
    assert (claim["metadata"]["name"], claim["metadata"]["labels"]) == ("www-web-5", {"app": "web"})


def test_names_tell_whose_pod_it_is() -> None:
    assert [ordinal_of(a_set(), name) for name in ("web-0", "web-12", "web", "webs-0", "web-x", "a-web-0")] == [0, 12, *[None] * 4]
    assert lacks_identity(a_set(), a_pod("web-0"))
    assert not lacks_identity(a_set(), a_stateful_pod(0))


@pytest.mark.parametrize(
    ("deleted", "scaled", "number", "expected"),
    [
        ("Retain", "Retain", 5, None), ("Delete", "Retain", 0, "StatefulSet"), ("Delete", "Retain", 5, "StatefulSet"),
        ("Retain", "Delete", 0, None), ("Retain", "Delete", 5, "Pod"), ("Delete", "Delete", 0, "StatefulSet"),
        ("Delete", "Delete", 5, "Pod"),
    ],
)  # fmt: skip
def test_claims_go_with_whom_the_policy_says(deleted: str, scaled: str, number: int, expected: str | None) -> None:
    """Rule: KEP-1847"""
    sts = a_set(persistentVolumeClaimRetentionPolicy={"whenDeleted": deleted, "whenScaled": scaled})
    found = keeper(sts, a_stateful_pod(number), number)
    assert (type(found).__name__ if found is not None else None) == expected


def test_a_claim_that_another_controls_is_left_to_him() -> None:
    """Rule: KEP-1847"""
    mine, other = {"uid": "m", "controller": True}, {"uid": "o", "controller": True}
    friend = {"uid": "f"}
    assert owners([], {"m", "p"}, mine) == [mine]
    assert owners([other], {"m", "p"}, mine) is None
    assert owners([friend], {"m", "p"}, mine) == [friend, mine]
    assert owners([friend, mine], {"m", "p"}, mine) is None
    assert owners([friend, mine], {"m", "p"}, None) == [friend]
    assert owners([{"uid": "p"}], {"m", "p"}, mine) == [mine]


PODS = st.lists(
    st.tuples(st.integers(0, 6), st.sampled_from(("old", "new")), st.booleans(), st.booleans()), unique_by=lambda one: one[0]
)


@settings(max_examples=200, deadline=None)
@given(pods=PODS, replicas=st.integers(0, 5), partition=st.integers(0, 3))
def test_in_order_there_is_one_step_at_a_time_and_never_a_second_gap(pods: Any, replicas: int, partition: int) -> None:
    """Nothing is made while a lower pod fails, and an update takes no working pod while another is away.

    Rule: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#deployment-and-scaling-guarantees
    """
    made = [a_stateful_pod(number, revision, ready=up, **(GOING if going else {})) for number, revision, up, going in pods]
    created, deleted = steps(a_set(replicas, rolling={"partition": partition}), *made, current="old")
    assert len(created) + len(deleted) <= 1
    fine = {number for number, _, up, going in pods if up and not going}
    for number in created:
        assert fine >= set(range(number))
    for name in deleted:
        if (number := int(name.removeprefix("web-"))) < replicas:
            assert number >= partition
            assert fine >= set(range(replicas))
