"""Pods on several hosts reach each other by IP under their own addresses; routes follow nodes; policies hold between hosts."""

import json
from collections.abc import Iterator
from functools import partial

import pytest

from tests.lab.conftest import Lab
from tests.wait import eventually_sync

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]
NODES = ("node2", "node3")
GHOST = "10.244.99.0/24"


@pytest.fixture(scope="module")
def addresses(lab: Lab) -> Iterator[dict[str, str]]:
    """A pod on each worker, by the worker's name, and its address."""
    for name in NODES:
        lab.kubectl("run", f"on-{name}", "--image=nginx:alpine", f"--overrides={json.dumps({'spec': {'nodeName': name}})}")
    for name in NODES:
        lab.kubectl("wait", "--for=condition=Ready", f"pod/on-{name}", "--timeout=60s", within=70)
    yield {name: lab.kubectl("get", "pod", f"on-{name}", "-o", "jsonpath={.status.podIP}") for name in NODES}
    lab.kubectl("delete", "pod", *(f"on-{name}" for name in NODES), "--grace-period=1")


def test_pods_of_two_hosts_reach_each_other_both_ways_under_their_own_addresses(lab: Lab, addresses: dict[str, str]) -> None:
    """Rule: https://kubernetes.io/docs/concepts/services-networking/ (pods reach all pods on all nodes without NAT)"""
    for source, target in (NODES, NODES[::-1]):
        eventually_sync(partial(_fetches, lab, source, addresses[target]), 20, f"{source} reaches {target}")
        lab.kubectl("exec", f"on-{source}", "--", "sh", "-c", f"(sleep 20 | nc {addresses[target]} 80) >/dev/null 2>&1 &")
        eventually_sync(partial(_sees, lab, target, addresses[source]), 10, f"{target} sees the address of {source}")


def test_a_cut_stops_pods_of_two_hosts_and_healing_brings_them_back(lab: Lab, addresses: dict[str, str]) -> None:
    lab.lab("cut", *NODES)
    try:
        assert not _fetches(lab, "node2", addresses["node3"])
    finally:
        lab.lab("heal")
    eventually_sync(partial(_fetches, lab, "node2", addresses["node3"]), 30, "packets pass again")


def test_routes_follow_the_node_objects(lab: Lab) -> None:
    """Rule: a node on the link has a plain route, one elsewhere VXLAN; a node that is deleted has none (our --help)."""
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "ghost"}, "spec": {"podCIDR": GHOST, "podCIDRs": [GHOST]}}
    manifest = lab.state / "ghost.json"
    manifest.write_text(json.dumps(node))
    lab.kubectl("create", "-f", str(manifest))
    manifest.unlink()
    try:
        for address, expected in (("198.19.0.99", "via 198.19.0.99 dev eth0"), ("203.0.113.9", "via 10.244.99.0 dev skiff.1")):
            status = {"status": {"addresses": [{"type": "InternalIP", "address": address}]}}
            lab.kubectl("patch", "node", "ghost", "--subresource=status", "--type=merge", "-p", json.dumps(status))
            eventually_sync(partial(_has_route, lab, expected), 10, f"a route {expected}")
    finally:
        lab.kubectl("delete", "node", "ghost")
    eventually_sync(lambda: not _route(lab), 10, "the route is gone")
    eventually_sync(lambda: "skiff.1" not in lab.on("node2", "ip", "link").stdout, 10, "and then its link, which nobody needs now")


def test_policies_hold_between_hosts(lab: Lab, addresses: dict[str, str]) -> None:
    """Rule: https://kubernetes.io/docs/concepts/services-networking/network-policies/ (default deny; allowed by a pod selector)"""
    peer = {"podSelector": {"matchLabels": {"run": "on-node2"}}}
    policies = {
        "deny": {"podSelector": {}},
        "allow": {"podSelector": {"matchLabels": {"run": "on-node3"}}, "ingress": [{"from": [peer]}]},
    }
    manifest = lab.state / "policy.json"
    fetches = partial(_fetches, lab, "node2", addresses["node3"])
    try:
        for name, spec in policies.items():
            kind = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"}
            manifest.write_text(json.dumps({**kind, "metadata": {"name": name}, "spec": spec}))
            lab.kubectl("create", "-f", str(manifest))
            eventually_sync(lambda open_=name == "allow": fetches() is open_, 20, f"after the policy {name}")
        assert not _fetches(lab, "node3", addresses["node2"]), "the other way nothing is allowed"
    finally:
        manifest.unlink(missing_ok=True)
        lab.kubectl("delete", "networkpolicy", "--all")
    eventually_sync(partial(_fetches, lab, "node3", addresses["node2"]), 20, "without policies all is allowed")
    eventually_sync(lambda: "skiff-network-policy" not in lab.on("node2", "nft", "list", "tables").stdout, 10, "no table is left")


def _fetches(lab: Lab, source: str, address: str) -> bool:
    try:
        return "Welcome" in lab.kubectl(
            "exec", f"on-{source}", "--", "sh", "-c", f"printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 2 {address} 80"
        )
    except AssertionError:
        return False


def _sees(lab: Lab, target: str, address: str) -> bool:
    return f"{address}:" in lab.kubectl("exec", f"on-{target}", "--", "netstat", "-tn")


def _has_route(lab: Lab, expected: str) -> bool:
    return expected in _route(lab)


def _route(lab: Lab) -> str:
    return lab.on("node2", "ip", "route", "show", GHOST).stdout
