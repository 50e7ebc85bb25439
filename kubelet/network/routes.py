"""Routes to other nodes' pods: from Node objects to what the kernel should know. Pure.

A node is known by its pod range and its InternalIP. Where it is on a link of ours, the route is a plain one,
`10.244.2.0/24 via 198.19.0.13`; where a router stands between, pod packets travel in VXLAN, as flannel does it with DirectRouting:
`10.244.3.0/24 via 10.244.3.0 dev skiff.1 onlink`, a neighbour entry for that gateway, and a forwarding entry for its hardware
address, which leads to the node. That hardware address is made of the node's own address, so nothing has to be exchanged.
Two nodes must agree: which way is taken follows from the address and the prefix of the link, the same ones on both ends.

Ranges outside of the cluster's, or that overlap our own, are left alone: a Node object must not lead our own traffic away.
https://kubernetes.io/docs/concepts/cluster-administration/networking/ · flannel Documentation/backends.md
"""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import NamedTuple

from kube.api.types import Node

BACKENDS = ("auto", "host-routes", "vxlan")  # of --pod-network-backend
VXLAN_OVERHEAD = 50  # bytes of a frame that VXLAN, UDP, IP and Ethernet take


class Peer(NamedTuple):
    """Another node: the range of its pods, its address, and whether packets to it are wrapped."""

    pods: IPv4Network
    node: IPv4Address
    wrapped: bool


def wanted_peers(
    nodes: Iterable[Node], own: IPv4Network, cluster: IPv4Network, links: Sequence[IPv4Interface], backend: str
) -> frozenset[Peer]:
    """Every other node that can be reached. `own` is this node's range, `links` the addresses of its devices."""
    own_addresses = {link.ip for link in links}
    found: dict[IPv4Network, Peer] = {}
    for node in sorted(nodes, key=lambda one: str(one.metadata.name)):
        pods, address = pod_range(node), internal_address(node)
        if pods is None or address is None or address in own_addresses:
            continue
        if not pods.subnet_of(cluster) or pods.overlaps(own) or any(pods.overlaps(one) for one in found):
            continue
        near = any(address in link.network for link in links)
        if near or backend != "host-routes":
            found[pods] = Peer(pods, address, wrapped=backend == "vxlan" or not near)
    return frozenset(found.values())


def pod_range(node: Node) -> IPv4Network | None:
    """The IPv4 range of the node's pods."""
    spec = node.spec
    ranges = [*(spec.podCIDRs or ()), spec.podCIDR or ""] if spec is not None else []
    return next((found for text in ranges if (found := _network(text)) is not None), None)


def internal_address(node: Node) -> IPv4Address | None:
    """The node's first IPv4 InternalIP."""
    told = (node.status.addresses or ()) if node.status is not None else ()
    texts = [one.address for one in told if one.type == "InternalIP"]
    return next((found for text in texts if (found := _address(text)) is not None), None)


def _network(text: str) -> IPv4Network | None:
    try:
        return IPv4Network(text)
    except ValueError:
        return None


def _address(text: str) -> IPv4Address | None:
    try:
        return IPv4Address(text)
    except ValueError:
        return None
