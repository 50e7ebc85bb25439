"""Which routes lead to other nodes' pods, from Node objects."""

from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from kube.api.types import Node
from kube.api.views import view
from kubelet.network.routes import Peer, wanted_peers

CLUSTER, OWN = IPv4Network("10.244.0.0/16"), IPv4Network("10.244.1.0/24")
LINKS = [IPv4Interface("198.19.0.12/24")]


def node(name: str, pods: str = "", address: str = "", *more: str) -> Node:
    addresses = [
        {"type": "Hostname", "address": name},
        *({"type": "InternalIP", "address": one} for one in (address, *more) if one),
    ]
    spec = {"podCIDR": pods, "podCIDRs": [pods]} if pods else {}
    return view(Node, {"metadata": {"name": name}, "spec": spec, "status": {"addresses": addresses}})


def wanted(*nodes: Node, backend: str = "auto") -> frozenset[Peer]:
    return wanted_peers(nodes, OWN, CLUSTER, LINKS, backend)


def peer(pods: str, address: str, *, wrapped: bool) -> Peer:
    return Peer(IPv4Network(pods), IPv4Address(address), wrapped)


SELF = node("node2", "10.244.1.0/24", "198.19.0.12")
NEAR, FAR = node("node3", "10.244.2.0/24", "198.19.0.13"), node("node4", "10.244.3.0/24", "203.0.113.4")


def test_node_on_the_same_link_has_a_plain_route_and_one_behind_a_router_vxlan() -> None:
    """Rule: flannel Documentation/backends.md, DirectRouting"""
    expected = {peer("10.244.2.0/24", "198.19.0.13", wrapped=False), peer("10.244.3.0/24", "203.0.113.4", wrapped=True)}
    assert wanted(SELF, NEAR, FAR) == expected


def test_backend_may_be_all_of_one_kind() -> None:
    """Our choice: host-routes leaves out who is not on the link, since its address would lead nowhere."""
    assert {one.wrapped for one in wanted(SELF, NEAR, FAR, backend="vxlan")} == {True}
    assert wanted(SELF, NEAR, FAR, backend="host-routes") == {peer("10.244.2.0/24", "198.19.0.13", wrapped=False)}


def test_node_without_range_or_address_has_no_route_yet() -> None:
    assert wanted(node("new", "", "198.19.0.14"), node("newer", "10.244.4.0/24"), node("none")) == frozenset()


def test_range_of_another_cluster_or_of_our_own_pods_is_left_alone() -> None:
    """Our choice: whoever may write a Node object must not draw other traffic to itself."""
    bad = [
        node("a", "0.0.0.0/0", "198.19.0.66"),
        node("b", "10.244.1.128/25", "198.19.0.67"),
        node("c", "10.96.0.0/24", "198.19.0.68"),
    ]
    assert wanted(*bad) == frozenset()


def test_two_nodes_with_one_range_are_one_route() -> None:
    first, second = node("a", "10.244.9.0/24", "198.19.0.21"), node("b", "10.244.9.0/24", "198.19.0.22")
    assert wanted(second, first) == {peer("10.244.9.0/24", "198.19.0.21", wrapped=False)}


def test_ipv6_addresses_and_ranges_of_a_dual_stack_node_are_passed_over() -> None:
    """Rule: https://kubernetes.io/docs/concepts/services-networking/dual-stack/"""
    tree = {"podCIDR": "fd00::/64", "podCIDRs": ["fd00::/64", "10.244.5.0/24"]}
    dual = node("dual", "", "fd01::5", "198.19.0.15")
    dual.spec = view(Node, {"metadata": {"name": "x"}, "spec": tree}).spec
    assert wanted(dual) == {peer("10.244.5.0/24", "198.19.0.15", wrapped=False)}
