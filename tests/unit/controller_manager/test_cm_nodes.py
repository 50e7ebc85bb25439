"""Nodes: silence, taints, the pace of eviction, addresses, and what becomes of their pods."""

import ipaddress
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from controller_manager.config import Config
from controller_manager.controllers.namespace import Remains, deletable, discovery_failure, first_pods, told
from controller_manager.controllers.nodeipam import first_free, pod_networks
from controller_manager.controllers.nodelifecycle import health
from controller_manager.controllers.nodelifecycle.health import NOT_READY, UNREACHABLE, Zone, zones
from controller_manager.controllers.nodelifecycle.pace import Pace, rate
from controller_manager.controllers.podgc import OUT_OF_SERVICE, Fate, plan, surplus
from controller_manager.controllers.tainteviction import no_execute_taints, seconds_left, started
from controller_manager.controllers.ttlafterfinished import seconds_left as seconds_to_live
from kube.api.resource import Resource
from kube.client.discovery import Discovered
from tests.unit.controller_manager.cm_builders import NOW, a_job, a_node, a_pod, ago

EFFECTS = [("True", set()), ("False", {NOT_READY}), ("Unknown", {UNREACHABLE})]


def test_a_silent_node_is_unknown_in_all_that_its_kubelet_vouched_for() -> None:
    """Rule: https://kubernetes.io/docs/concepts/architecture/nodes/#node-status"""
    node = a_node(conditions=[{"type": "NetworkUnavailable", "status": "False"}])
    found = {one["type"]: one["reason"] for one in health.silent_conditions(node, NOW)}
    never = "NodeStatusNeverUpdated"
    assert found == {"Ready": "NodeStatusUnknown", "MemoryPressure": never, "DiskPressure": never, "PIDPressure": never}
    silent = a_node(ready="Unknown", conditions=[{"type": one, "status": "Unknown"} for one in health.REPORTED[1:]])
    assert health.silent_conditions(silent, NOW) == []


@pytest.mark.parametrize(("ready", "keys"), EFFECTS)
def test_readiness_becomes_taints(ready: str, keys: set[str]) -> None:
    """Rule: https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-nodes-by-condition"""
    node = a_node(ready=ready)
    assert health.no_schedule_keys(node) == keys
    assert {health.no_execute_key(node)} - {""} == keys


def test_conditions_and_cordons_become_no_schedule_taints() -> None:
    node = a_node(
        conditions=[{"type": "DiskPressure", "status": "True"}, {"type": "PIDPressure", "status": "False"}], unschedulable=True
    )
    assert health.no_schedule_keys(node) == {"node.kubernetes.io/disk-pressure", "node.kubernetes.io/unschedulable"}


def test_other_taints_stay_and_ours_follow_the_node() -> None:
    theirs = {"key": "mine", "effect": "NoSchedule"}
    recovered = a_node(taints=[theirs, {"key": UNREACHABLE, "effect": "NoExecute"}, {"key": UNREACHABLE, "effect": "NoSchedule"}])
    assert health.taints(recovered, "", NOW) == [theirs]
    assert health.taints(a_node(taints=[theirs]), "", NOW) is None
    lost = health.taints(a_node(ready="Unknown", taints=[theirs]), UNREACHABLE, NOW)
    assert [(one["key"], one["effect"]) for one in lost[1:]] == [(UNREACHABLE, "NoSchedule"), (UNREACHABLE, "NoExecute")]
    assert lost[1]["timeAdded"] == ago(0)


def a_zone(name: str, ready: int, unready: int) -> list[Any]:
    labels = {health.ZONE: name}
    states = ["True"] * ready + ["Unknown"] * unready
    return [a_node(f"{name}{number}", ready=state, labels=labels) for number, state in enumerate(states)]


@pytest.mark.parametrize(
    ("ready", "unready", "expected"),
    [(3, 0, Zone.NORMAL), (0, 1, Zone.FULL), (1, 2, Zone.NORMAL), (2, 3, Zone.PARTIAL), (3, 3, Zone.NORMAL)],
)
def test_a_zone_is_disrupted_by_shares(ready: int, unready: int, expected: Zone) -> None:
    """Rule: https://kubernetes.io/docs/concepts/architecture/nodes/#rate-limits-on-eviction"""
    assert list(zones(a_zone("z", ready, unready), 0.55).values()) == [expected]


def test_eviction_slows_down_in_a_disrupted_zone_and_stops_when_all_are_down() -> None:
    config = Config()
    normal, partial, full = {"a": Zone.NORMAL}, {"a": Zone.PARTIAL, "b": Zone.NORMAL}, {"a": Zone.FULL, "b": Zone.FULL}
    assert rate(config, normal, "a", 3) == 0.1
    assert rate(config, partial, "a", 50) == 0.0
    assert rate(config, partial, "a", 51) == 0.01
    assert rate(config, {"a": Zone.FULL, "b": Zone.NORMAL}, "a", 3) == 0.1
    assert rate(config, full, "a", 3) == 0.0


def test_one_node_in_ten_seconds() -> None:
    pace = Pace()
    assert [pace.take("a", 0.1, now) for now in (0, 4, 10)] == [0, 6, 0]
    assert pace.take("b", 0.1, 4) == 0, "zones do not wait for each other"
    assert pace.take("a", 0, 100) is None


NOT_READY_TAINT = {"key": NOT_READY, "effect": "NoExecute", "timeAdded": ago(100)}


def a_toleration(seconds: int | None = None, **more: Any) -> dict[str, Any]:
    return {"operator": "Exists", **({} if seconds is None else {"tolerationSeconds": seconds}), **more}


@pytest.mark.parametrize(
    ("tolerations", "expected"),
    [
        ([], 0),
        ([a_toleration(300, key=NOT_READY, effect="NoExecute")], 200),
        ([a_toleration(50, key=NOT_READY)], 0),
        ([a_toleration()], None),
        ([a_toleration(), a_toleration(110)], 10),
        ([a_toleration(key="other")], 0),
        ([a_toleration(-5)], 0),
    ],
)
def test_a_pod_leaves_when_its_shortest_toleration_ends(tolerations: list[Any], expected: float | None) -> None:
    """Rule: https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions"""
    pod = a_pod(age=1000, spec={"tolerations": tolerations})
    taints = no_execute_taints(a_node(taints=[NOT_READY_TAINT, {"key": "x", "effect": "NoSchedule"}]))
    assert seconds_left(pod, taints, started(pod, taints), NOW) == expected


def test_the_time_runs_from_the_taint_or_from_a_later_pod() -> None:
    taints = no_execute_taints(a_node(taints=[NOT_READY_TAINT]))
    assert started(a_pod(age=1000), taints) == NOW - timedelta(seconds=100)
    assert started(a_pod(age=30), taints) == NOW - timedelta(seconds=30)
    assert started(a_pod(), no_execute_taints(a_node(taints=[{"key": "k", "effect": "NoExecute"}]))) is None


def test_no_address_is_given_out_twice() -> None:
    """Rule: --cluster-cidr, --node-cidr-mask-size"""
    cluster = ipaddress.ip_network("10.244.0.0/22")
    taken = pod_networks([a_node("a", podCIDR="10.244.0.0/24"), a_node("b", podCIDR="10.244.2.0/24", podCIDRs=["10.244.2.0/24"])])
    assert str(first_free(cluster, 24, taken)) == "10.244.1.0/24"
    services = ipaddress.ip_network("10.244.1.128/25")
    assert str(first_free(cluster, 24, [*taken, services])) == "10.244.3.0/24"
    assert first_free(cluster, 24, [cluster]) is None


def test_the_fate_of_a_pod_whose_node_is_no_more() -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-garbage-collection"""
    going: dict[str, Any] = {"deletionTimestamp": ago(1)}
    assert plan(a_pod(), a_node()) is Fate.KEEP
    assert plan(a_pod(), None) is Fate.ORPHANED
    assert plan(a_pod(node=""), None) is Fate.KEEP
    assert plan(a_pod(node="", **going), None) is Fate.UNBOUND
    dead = a_node(ready="Unknown", taints=[{"key": OUT_OF_SERVICE, "effect": "NoExecute"}])
    assert plan(a_pod(**going), dead) is Fate.OUT_OF_SERVICE
    assert plan(a_pod(), dead) is Fate.KEEP
    assert plan(a_pod(**going), a_node(taints=[{"key": OUT_OF_SERVICE, "effect": "NoExecute"}])) is Fate.KEEP


def test_the_oldest_ended_pods_beyond_the_threshold_go() -> None:
    pods = [a_pod("young", age=1), a_pod("old", age=3), a_pod("middle", age=2)]
    assert [pod.metadata.name for pod in surplus(pods, 1)] == ["old", "middle"]
    assert surplus(pods, 0) == []


def test_a_finished_job_lives_for_its_ttl() -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/controllers/ttlafterfinished/"""
    done = {"type": "Complete", "status": "True", "lastTransitionTime": ago(30)}
    assert seconds_to_live(a_job(ttlSecondsAfterFinished=100, status={"conditions": [done]}), NOW) == 70
    assert seconds_to_live(a_job(ttlSecondsAfterFinished=0, status={"conditions": [done], "completionTime": ago(5)}), NOW) == -5
    assert seconds_to_live(a_job(status={"conditions": [done]}), NOW) is None
    assert seconds_to_live(a_job(ttlSecondsAfterFinished=100), NOW) is None


def a_row(plural: str, group: str = "", **more: Any) -> Resource:
    return Resource(group=group, version="v1", kind=plural, plural=plural, **more)


def test_a_namespace_is_emptied_of_all_that_can_be_deleted_pods_first() -> None:
    """Rule: KEP-5080"""
    rows = [a_row("configmaps"), a_row("pods"), a_row("nodes", namespaced=False), a_row("bindings", verbs=("create",))]
    assert [row.plural for row in first_pods(deletable(rows))] == ["pods", "configmaps"]


def test_what_is_left_in_a_namespace_is_told_in_upstreams_words() -> None:
    """Rule: pkg/controller/namespace/deletion/status_condition_utils.go"""
    left = Remains(counts=Counter({"pods.": 1, "deployments.apps": 2}), finalizers=Counter({"example.com/x": 1}))
    found = {one["type"]: (one["status"], one["reason"], one["message"]) for one in told([], left, NOW)}
    assert found["NamespaceContentRemaining"] == (
        "True",
        "SomeResourcesRemain",
        "Some resources are remaining: deployments.apps has 2 resource instances, pods. has 1 resource instances",
    )
    assert found["NamespaceFinalizersRemaining"][2] == (
        "Some content in the namespace has finalizers remaining: example.com/x in 1 resource instances"
    )
    assert found["NamespaceDeletionDiscoveryFailure"] == ("False", "ResourcesDiscovered", "All resources successfully discovered")
    again = told(told([], left, NOW), Remains(counts=Counter({"pods.": 1})), NOW)
    assert next(one for one in again if one["type"] == "NamespaceContentRemaining")["message"].endswith(
        "pods. has 1 resource instances"
    )


def test_a_namespace_waits_for_groups_that_cannot_be_discovered_and_tells_which() -> None:
    """Rule: client-go discovery/aggregated_discovery.go (StaleGroupVersionError), status_condition_utils.go"""
    failure = discovery_failure(Discovered((), frozenset({"b.io/v1", "a.io/v2"})))
    left = Remains(discovery_failure=failure)
    assert not left.nothing
    found = next(one for one in told([], left, NOW) if one["type"] == "NamespaceDeletionDiscoveryFailure")
    assert (found["status"], found["reason"], found["message"]) == (
        "True",
        "DiscoveryFailed",
        "Discovery failed for some groups, 2 failing: unable to retrieve the complete list of server APIs: "
        "a.io/v2: stale GroupVersion discovery: a.io/v2, b.io/v1: stale GroupVersion discovery: b.io/v1",
    )
    assert discovery_failure(Discovered((a_row("pods"),))) == ""
