"""Topology spread: https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/"""

from typing import Any

from kube.api.types import Pod, ReplicaSet, Service
from kube.api.views import tree_of, view
from kube.client.cache import Cache
from scheduler.pod_info import PodInfo
from scheduler.siblings import Siblings
from scheduler.snapshot import Snapshot
from tests.unit.scheduler.test_scheduler_decide import a_node, a_pod, a_snapshot, schedule

HOST, ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"
SAME = {"app": "x"}


def constraint(key: str = HOST, when: str = "DoNotSchedule", skew: int = 1, **more: Any) -> dict[str, Any]:
    return {"maxSkew": skew, "topologyKey": key, "whenUnsatisfiable": when, "labelSelector": {"matchLabels": SAME}, **more}


def one_of_x(name: str, *constraints: dict[str, Any], labels: dict[str, str] = SAME, **spec: Any) -> Pod:
    return a_pod(name, labels=labels, topologySpreadConstraints=list(constraints), **spec)


def zoned(name: str, zone: str, **more: Any) -> Any:
    return a_node(name, labels={ZONE: zone, **more.pop("labels", {})}, **more)


def test_the_fuller_domain_is_refused() -> None:
    snapshot = a_snapshot(a_node("a", cpu="64"), a_node("b", cpu="1"), placed={"a": [one_of_x("one")]})
    assert schedule(one_of_x("two", constraint()), snapshot).node == "b"


def test_a_node_without_the_key_is_refused_in_its_own_words() -> None:
    snapshot = a_snapshot(zoned("a", "east"), a_node("b"), placed={"a": [one_of_x("one"), one_of_x("two")]})
    message = schedule(one_of_x("three", constraint(ZONE), nodeSelector={HOST: "b"}), snapshot).message
    assert "1 node(s) didn't match pod topology spread constraints (missing required label)" in message
    assert "1 node(s) didn't match Pod's node affinity/selector" in message


def test_too_few_domains_count_as_if_one_were_empty() -> None:
    """Rule: minDomains (KEP-3022): below it the global minimum is 0."""
    snapshot = a_snapshot(zoned("a", "east"), placed={"a": [one_of_x("one")]})
    assert schedule(one_of_x("two", constraint(ZONE)), snapshot).node == "a"
    assert schedule(one_of_x("two", constraint(ZONE, minDomains=2)), snapshot).node is None


def test_nodes_that_the_pod_cannot_go_to_are_no_domain_unless_it_says_so() -> None:
    """Rule: nodeAffinityPolicy Honor and nodeTaintsPolicy Ignore are the defaults (KEP-3094)."""
    away = zoned("b", "west", labels={"disk": "hdd"})
    snapshot = a_snapshot(zoned("a", "east", labels={"disk": "ssd"}), away, placed={"a": [one_of_x("one")]})
    ssd = {"nodeSelector": {"disk": "ssd"}}
    assert schedule(one_of_x("two", constraint(ZONE), **ssd), snapshot).node == "a"
    assert schedule(one_of_x("two", constraint(ZONE, nodeAffinityPolicy="Ignore"), **ssd), snapshot).node is None
    tainted = zoned("b", "west", taints=[{"key": "k", "effect": "NoSchedule"}])
    snapshot = a_snapshot(zoned("a", "east"), tainted, placed={"a": [one_of_x("one")]})
    assert schedule(one_of_x("two", constraint(ZONE)), snapshot).node is None
    assert schedule(one_of_x("two", constraint(ZONE, nodeTaintsPolicy="Honor")), snapshot).node == "a"


def test_only_pods_with_the_pods_own_values_of_the_match_label_keys_count() -> None:
    """Rule: matchLabelKeys (KEP-3243): a new revision is spread by itself."""
    old = [one_of_x(f"old{number}", labels={**SAME, "rev": "1"}) for number in range(3)]
    snapshot = a_snapshot(a_node("a"), a_node("b"), placed={"a": old, "b": [one_of_x("new0", labels={**SAME, "rev": "2"})]})
    new = one_of_x("new1", constraint(matchLabelKeys=["rev"]), labels={**SAME, "rev": "2"})
    assert schedule(new, snapshot).node == "a"


def test_pods_that_are_ending_do_not_count() -> None:
    tree = tree_of(one_of_x("one"))
    ending = view(Pod, {**tree, "metadata": {**tree["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}})
    snapshot = a_snapshot(a_node("a", cpu="64"), a_node("b", cpu="1"), placed={"a": [ending]})
    assert schedule(one_of_x("two", constraint(), cpu="500m"), snapshot).node == "a"


def test_soft_constraints_only_score() -> None:
    snapshot = a_snapshot(a_node("a"), a_node("b"), placed={"a": [one_of_x("one"), one_of_x("two")]})
    soft = constraint(when="ScheduleAnyway")
    assert schedule(one_of_x("three", soft), snapshot).node == "b"
    assert schedule(one_of_x("three", soft, nodeSelector={HOST: "a"}), snapshot).node == "a"


def test_pods_of_one_service_or_set_are_spread_by_default() -> None:
    """Rule: the built-in default constraints; a StatefulSet's or ReplicaSet's selector counts, not the pod's own labels."""
    services: Cache[Service] = Cache()
    services.set(view(Service, {"metadata": {"name": "s", "namespace": "default"}, "spec": {"selector": SAME}}))
    sets: Cache[ReplicaSet] = Cache()
    rs = {"metadata": {"name": "r", "namespace": "default", "uid": "r"}, "spec": {"selector": {"matchLabels": {"set": "r"}}}}
    sets.set(view(ReplicaSet, rs))
    owner = [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r", "uid": "r", "controller": True}]
    tree = tree_of(a_pod("owned", labels={"set": "r", "pod": "1"}))
    owned = view(Pod, {**tree, "metadata": {**tree["metadata"], "ownerReferences": owner}})
    new, one, other = a_pod("new", labels={**SAME, "pod": "2"}), a_pod("one", labels=SAME), a_pod("other", labels={"set": "r"})
    for pod, there in ((new, one), (owned, other)):
        snapshot = Snapshot(siblings=Siblings(services, {"ReplicaSet": sets}))
        for name in "ab":
            snapshot.set_node(a_node(name))
        snapshot.set_pod(PodInfo(there), "a")
        assert schedule(pod, snapshot).node == "b"
