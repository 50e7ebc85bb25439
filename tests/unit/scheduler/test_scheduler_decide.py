"""Scheduling decisions: transcripts of nodes, pods and what comes of them."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kube.api.types import Node, Pod
from kube.api.views import view
from scheduler.cycle import Decision, decide
from scheduler.plugins.node_ports import clash
from scheduler.pod_info import PodInfo
from scheduler.profiles import profile_of
from scheduler.snapshot import Snapshot

DEFAULT = profile_of({})


def a_node(name: str, *, cpu: str = "2", memory: str = "4Gi", pods: str = "110", **more: Any) -> Node:
    labels = {"kubernetes.io/hostname": name, **more.pop("labels", {})}
    allocatable = {"cpu": cpu, "memory": memory, "pods": pods}
    tree = {"metadata": {"name": name, "labels": labels}, "spec": more, "status": {"allocatable": allocatable}}
    return view(Node, tree)


def a_pod(name: str = "p", *, cpu: str = "", labels: dict[str, str] | None = None, ports: Any = None, **spec: Any) -> Pod:
    container: dict[str, Any] = {"name": "c", "image": "i", "ports": ports or []}
    if cpu:
        container["resources"] = {"requests": {"cpu": cpu}}
    metadata = {"name": name, "namespace": "default", "uid": f"uid-{name}", "labels": labels or {}}
    return view(Pod, {"metadata": metadata, "spec": {"containers": [container], **spec}})


def a_snapshot(*nodes: Node, placed: dict[str, list[Pod]] | None = None) -> Snapshot:
    snapshot = Snapshot()
    for node in nodes:
        snapshot.set_node(node)
    for name, pods in (placed or {}).items():
        for pod in pods:
            snapshot.set_pod(PodInfo(pod), name)
    return snapshot


def schedule(pod: Pod, snapshot: Snapshot) -> Decision:
    return decide(PodInfo(pod), snapshot, DEFAULT)


def test_a_cluster_without_nodes_says_so() -> None:
    """Rule: upstream schedule_one.go, ErrNoNodesAvailable."""
    assert schedule(a_pod(), Snapshot()) == Decision(None, "no nodes available to schedule pods", by_nodes=False)


def test_pod_goes_where_its_requests_fit() -> None:
    full = [a_pod(f"big{n}", cpu="1") for n in range(2)]
    snapshot = a_snapshot(a_node("a"), a_node("b"), placed={"a": full})
    assert schedule(a_pod(cpu="500m"), snapshot).node == "b"


def test_reasons_are_counted_and_sorted() -> None:
    """Rule: FitError.Error(): `0/3 nodes are available: 1 node(s) had ..., 2 Insufficient cpu.`; the taints are not told."""
    taint = {"key": "k", "value": "v", "effect": "NoSchedule"}
    snapshot = a_snapshot(a_node("a", cpu="1"), a_node("b", cpu="1"), a_node("c", taints=[taint]))
    decision = schedule(a_pod(cpu="2"), snapshot)
    assert decision.node is None
    assert decision.message == "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu."
    assert decision.refused_by == {"TaintToleration", "NodeResourcesFit"}


def test_cordoned_node_takes_no_pods() -> None:
    decision = schedule(a_pod(), a_snapshot(a_node("a", unschedulable=True)))
    assert decision.message == "0/1 nodes are available: 1 node(s) were unschedulable."


def test_too_many_pods_is_a_resource_of_its_own_words() -> None:
    snapshot = a_snapshot(a_node("a", pods="1"), placed={"a": [a_pod("other")]})
    assert schedule(a_pod(), snapshot).message == "0/1 nodes are available: 1 Too many pods."


def test_node_selector_must_hold() -> None:
    snapshot = a_snapshot(a_node("a"), a_node("b", labels={"disk": "ssd"}))
    assert schedule(a_pod(nodeSelector={"disk": "ssd"}), snapshot).node == "b"
    message = schedule(a_pod(nodeSelector={"disk": "hdd"}), snapshot).message
    assert message == "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector."


def test_daemon_pods_are_tied_to_their_node_by_a_match_field() -> None:
    term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["b"]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}}
    assert schedule(a_pod(affinity=affinity), a_snapshot(a_node("a"), a_node("b"), a_node("c"))).node == "b"


def test_a_host_port_is_given_once_a_node() -> None:
    ports = [{"containerPort": 80, "hostPort": 8080}]
    snapshot = a_snapshot(a_node("a"), placed={"a": [a_pod("first", ports=ports)]})
    message = schedule(a_pod("second", ports=ports), snapshot).message
    assert message == "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports."


def test_all_addresses_overlap_every_address_of_the_same_protocol() -> None:
    """Rule: HostPortInfo.CheckConflict."""
    assert clash(("TCP", "0.0.0.0", 80), ("TCP", "127.0.0.1", 80))
    assert not clash(("TCP", "127.0.0.2", 80), ("TCP", "127.0.0.1", 80))
    assert not clash(("UDP", "0.0.0.0", 80), ("TCP", "0.0.0.0", 80))


def test_soft_taint_is_avoided_but_not_refused() -> None:
    soft = a_node("a", taints=[{"key": "k", "effect": "PreferNoSchedule"}])
    assert schedule(a_pod(), a_snapshot(soft, a_node("b"))).node == "b"
    assert schedule(a_pod(), a_snapshot(soft)).node == "a"


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9), st.booleans()), max_size=60))
def test_columns_equal_a_fresh_count_after_any_history(history: list[tuple[str, int, bool]]) -> None:
    """However pods and nodes came and went, the sums are those of what is there now."""
    snapshot = Snapshot()
    nodes: set[str] = set()
    placed: dict[str, str] = {}
    for name, number, add in history:
        uid = f"uid-{number}"
        if number == 0:
            (nodes.add if add else nodes.discard)(name)
            snapshot.set_node(a_node(name)) if add else snapshot.remove_node(name)
        elif add:
            snapshot.set_pod(PodInfo(a_pod(str(number), cpu=f"{number}m")), name)
            placed[uid] = name
        else:
            snapshot.remove_pod(uid)
            placed.pop(uid, None)
    assert {info.name for info in snapshot.infos} == nodes
    for row, info in enumerate(snapshot.infos):
        here = [int(uid.removeprefix("uid-")) for uid, node in placed.items() if node == info.name]
        assert snapshot.requested("cpu")[row] == sum(here)
        assert snapshot.requested("pods")[row] == len(here)
        assert snapshot.allocatable("cpu")[row] == 2000
