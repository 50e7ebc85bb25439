"""Two nodes with a router between them: pods reach each other in VXLAN. Rule: flannel Documentation/backends.md"""

import asyncio
import socket
from collections.abc import Callable
from functools import partial
from ipaddress import IPv4Address, IPv4Network
from typing import NamedTuple

import pytest

from kube.api.meta import Key
from kube.api.types import Node
from kube.api.views import view
from kubelet.network import node_links
from kubelet.network.bridge import BridgeNetwork
from kubelet.network.routes import VXLAN_OVERHEAD, wanted_peers
from tests.node.network.namespace import PodProcess, ask, ask_udp, inside, run, udp_client

pytestmark = pytest.mark.root
AProcess = Callable[..., PodProcess]
CLUSTER = "10.244.0.0/16"
IP_MTU_DISCOVER, NEVER_IN_FRAGMENTS, IP_AND_UDP = 10, 2, 28


class Host(NamedTuple):
    """A namespace that is a node, with a pod."""

    process: PodProcess
    address: str
    pods: str
    network: BridgeNetwork
    pod: PodProcess
    pod_address: str


def node(name: str, pods: str, address: str) -> Node:
    status = {"addresses": [{"type": "InternalIP", "address": address}]}
    return view(Node, {"metadata": {"name": name}, "spec": {"podCIDR": pods}, "status": status})


def host(a_process: AProcess, name: str, address: str, router: str, pods: str) -> Host:
    process = a_process(name)
    run(f"ip link add to-{name} type veth peer name eth0 netns {process.pid}")
    run(f"ip addr add {router}/24 dev to-{name}; ip link set to-{name} up")
    up = f"ip link set lo up; ip addr add {address}/24 dev eth0; ip link set eth0 up; ip route add default via {router}"
    inside(process.pid, lambda: run(up))
    pod = a_process(f"pod-of-{name}", 8080)
    network = BridgeNetwork(CLUSTER, node_address=address, overhead=VXLAN_OVERHEAD)
    inside(process.pid, lambda: asyncio.run(network.start(pods)))
    given = inside(process.pid, lambda: asyncio.run(network.setup(Key("default", name), name, pod.pid)))
    return Host(process, address, pods, network, pod, given)


def lead(one: Host, *nodes: Node) -> None:
    """What `NodeRoutes` does, with these nodes."""

    def act() -> None:
        links, own = node_links.own_interfaces(IPv4Address(one.address)), IPv4Network(one.pods)
        wanted, known = wanted_peers(nodes, own, IPv4Network(CLUSTER), links, "auto"), node_links.known_peers()
        node_links.ensure_vxlan(links[0], own)
        node_links.remove_peers(known - wanted)
        node_links.add_peers(wanted - known)
        assert node_links.known_peers() == wanted

    inside(one.process.pid, act)


def ways() -> str:
    """Where packets go: devices, routes and what was told of neighbours, without the states of links."""
    return run("ip -o link | cut -d' ' -f2; ip route | sed 's/ linkdown//'; ip neigh show nud permanent")


def a_full_packet(address: str) -> None:
    """One of 1450 bytes that may not be taken apart is answered."""
    with udp_client(address, 8080) as client:
        client.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, NEVER_IN_FRAGMENTS)
        client.send(b"x" * (1450 - IP_AND_UDP))
        client.recv(1500)


def test_pods_of_nodes_behind_a_router_reach_each_other_under_their_own_addresses(a_process: AProcess) -> None:
    """Packets of full size pass, checksums are not left to the card, and a node that goes takes its entries along."""
    first = host(a_process, "first", "203.0.113.11", "203.0.113.1", "10.244.1.0/24")
    second = host(a_process, "second", "198.51.100.12", "198.51.100.1", "10.244.2.0/24")
    nodes = [node("first", first.pods, first.address), node("second", second.pods, second.address)]
    before = inside(first.process.pid, ways)
    for one in (first, second):
        lead(one, *nodes)
    for source, target in ((first, second), (second, first)):
        answer = inside(source.pod.pid, partial(ask, target.pod_address, 8080))
        assert answer == f"{target.pod.name} {source.pod_address}"
        assert inside(source.pod.pid, partial(ask_udp, target.pod_address, 8080)).startswith(target.pod.name)
        assert inside(source.process.pid, partial(ask, target.pod_address, 8080)).startswith(target.pod.name)
        inside(source.pod.pid, partial(a_full_packet, target.pod_address))
        assert "mtu 1450" in inside(source.pod.pid, lambda: run("ip link show eth0"))
        assert not inside(source.process.pid, lambda: node_links.offloads_checksums(node_links.DEVICE))
    kept = inside(first.process.pid, ways)
    lead(first, *nodes)
    assert inside(first.process.pid, ways) == kept, "a kubelet that starts again changes nothing"
    lead(first, nodes[0])
    with pytest.raises(OSError, match=r"No route to host|unreachable"):
        inside(first.process.pid, lambda: ask(second.pod_address, 8080))
    inside(first.process.pid, node_links.remove_all)
    assert inside(first.process.pid, ways) == before
