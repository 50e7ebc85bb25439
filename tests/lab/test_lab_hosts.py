"""The lab itself: hosts that are apart, can be killed, started again, and cut off from one another."""

import sys

import pytest

from tests.lab.conftest import Lab
from tests.wait import eventually_sync

CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], 10250), timeout=2)"
READY = "get nodes -o jsonpath={.items[*].status.conditions[?(@.type=='Ready')].status}"
ADDRESSES = {"node1": "198.19.0.11", "node2": "198.19.0.12", "node3": "198.19.0.13", "node4": "198.19.0.14"}

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]


def test_four_hosts_are_nodes_of_one_cluster(lab: Lab) -> None:
    """Rule: one control plane, whose taint keeps ordinary pods away, and workers; each with an engine and an address of its own.
    Conformance: [sig-architecture] Conformance Tests should have at least two untainted nodes [Conformance]"""
    lab.until(READY, "True True True True", within=60)
    names = lab.kubectl("get", "nodes", "-o", "jsonpath={.items[*].metadata.name}")
    assert names.split() == list(ADDRESSES)
    addresses = lab.kubectl("get", "nodes", "-o", "jsonpath={.items[*].status.addresses[?(@.type=='InternalIP')].address}")
    assert addresses.split() == list(ADDRESSES.values())
    assert lab.kubectl("get", "nodes", "node2", "node3", "-o", "jsonpath={.items[*].spec.taints}") == ""
    taint = lab.kubectl("get", "node", "node1", "-o", "jsonpath={.spec.taints[0].key}:{.spec.taints[0].effect}")
    assert taint == "node-role.kubernetes.io/control-plane:NoSchedule"
    assert [one["metadata"]["name"] for one in lab.get("nodes") if not one["spec"].get("taints")] == list(ADDRESSES)[1:]
    routes = [lab.on(node, "ip", "route", "show", "default").stdout for node in ADDRESSES]
    assert routes == ["", "", "", ""]


def test_a_cut_is_between_two_hosts_and_heals(lab: Lab) -> None:
    """Rule: a partition is pairwise; the third host sees both."""
    assert _reaches(lab, "node2", "node3")
    assert lab.lab("cut", "node2", "node3").returncode == 0
    try:
        assert not _reaches(lab, "node2", "node3")
        assert not _reaches(lab, "node3", "node2")
        assert _reaches(lab, "node2", "node1")
        assert _reaches(lab, "node3", "node1")
    finally:
        lab.lab("heal")
    assert _reaches(lab, "node2", "node3")


def test_a_killed_host_comes_back_with_its_pods(lab: Lab) -> None:
    """Rule: kill -9 of a whole host is a normal event; its containers are started again, once (behaviour E.5.63)."""
    lab.kubectl("create", "deployment", "again", "--image=nginx:alpine", "--replicas=2")
    lab.kubectl("patch", "deployment", "again", "-p", '{"spec":{"template":{"spec":{"nodeName":"node2"}}}}')
    lab.kubectl("rollout", "status", "deployment", "again", "--timeout=60s", within=70)
    assert "processes killed" in lab.lab("kill", "node2").stdout
    assert lab.on("node2", "true").returncode != 0
    assert lab.lab("start", "node2").returncode == 0
    counts = "get pods -l app=again -o jsonpath={.items[*].status.containerStatuses[0].restartCount}"
    lab.until(counts, "1 1", within=60)
    ready = "get pods -l app=again -o jsonpath={.items[*].status.containerStatuses[0].ready}"
    lab.until(ready, "true true", within=60)
    lab.kubectl("delete", "deployment", "again")


def test_an_unknown_host_is_told(lab: Lab) -> None:
    done = lab.lab("kill", "node9")
    assert done.returncode == 1
    assert done.stderr == "there is no node9: node1, node2, node3, node4\n"


def _reaches(lab: Lab, source: str, target: str) -> bool:
    """Whether a connection to the other's kubelet succeeds; it runs whenever the host does."""
    return lab.on(source, sys.executable, "-c", CONNECT, ADDRESSES[target]).returncode == 0


def test_the_kubelet_of_each_host_answers_the_others(lab: Lab) -> None:
    eventually_sync(lambda: all(_reaches(lab, a, b) for a in ADDRESSES for b in ADDRESSES if a != b), 30, "all reach all")
