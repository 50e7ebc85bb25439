"""The pod network alone: how long a pod's set-up takes, and what two nodes move between their pods, beside the bare link.

`measure()`, or as JSON: `python -m tests.bench.pod_network`. Needs root; everything is in network namespaces of its own.
"""

import asyncio
import json
import os
import socket
import statistics
import threading
import time
from ipaddress import IPv4Address, IPv4Network

from kube.api.meta import Key
from kube.api.types import Node
from kube.api.views import view
from kubelet.network import node_links
from kubelet.network.bridge import BridgeNetwork
from kubelet.network.routes import VXLAN_OVERHEAD, wanted_peers
from tests.node.network.namespace import PodProcess, inside, own_namespace, run

CLUSTER = "10.244.0.0/16"
PODS = 100
SECONDS, CHUNK, PORT = 2.0, 1 << 20, 7000
NODES = {"first": ("203.0.113.11", "10.244.1.0/24"), "second": ("203.0.113.12", "10.244.2.0/24")}


def measure() -> dict[str, float]:
    """Milliseconds a pod; Gbit/s by each way."""
    found: dict[str, float] = {}
    with own_namespace():
        found |= asyncio.run(_set_up())
    for backend in ("host-routes", "vxlan"):
        with own_namespace():
            found |= _between_nodes(backend)
    return found


async def _set_up() -> dict[str, float]:
    network, pod = BridgeNetwork(CLUSTER), PodProcess("pod")
    pod.wait_ready()
    try:
        await network.start("10.244.1.0/24")
        took = []
        for number in range(PODS):
            uid = f"pod-{number}"
            began = time.perf_counter()
            await network.setup(Key("default", uid), uid, pod.pid)
            took.append(1000 * (time.perf_counter() - began))
            await network.teardown(uid)
    finally:
        pod.stop()
    return {"set-up p50 ms": statistics.median(took), "set-up p99 ms": sorted(took)[int(0.99 * PODS)]}


def _between_nodes(backend: str) -> dict[str, float]:
    """Two namespaces that a cable joins, each a node with one pod."""
    hosts = {name: PodProcess(name) for name in NODES}
    pods = {name: PodProcess(f"pod of {name}") for name in NODES}
    everyone = [*hosts.values(), *pods.values()]
    try:
        for one in everyone:
            one.wait_ready()
        first, second = hosts["first"].pid, hosts["second"].pid
        run("ip link add one type veth peer name two")
        run(f"ip link set one name eth0 netns {first}; ip link set two name eth0 netns {second}")
        addresses = {name: _join(hosts[name].pid, pods[name].pid, name, backend) for name in NODES}
        found = {}
        if backend == "host-routes":
            found["bare link Gbit/s"] = _gigabits(first, second, NODES["second"][0])
        for name in NODES:
            inside(hosts[name].pid, lambda name=name: _lead(name, backend))  # type: ignore[misc]
        found[f"pods by {backend} Gbit/s"] = _gigabits(pods["first"].pid, pods["second"].pid, addresses["second"])
    finally:
        for one in everyone:
            one.stop()
    return found


def _join(host: int, pod: int, name: str, backend: str) -> str:
    address, pods = NODES[name]
    inside(host, lambda: run(f"ip link set lo up; ip addr add {address}/24 dev eth0; ip link set eth0 up"))
    network = BridgeNetwork(CLUSTER, node_address=address, overhead=VXLAN_OVERHEAD if backend == "vxlan" else 0)

    async def connect() -> str:
        await network.start(pods)
        return await network.setup(Key("default", name), name, pod)

    return inside(host, lambda: asyncio.run(connect()))


def _lead(name: str, backend: str) -> None:
    """What `NodeRoutes` does."""
    address, pods = NODES[name]
    links, own = node_links.own_interfaces(IPv4Address(address)), IPv4Network(pods)
    nodes = [_node(one, *NODES[one]) for one in NODES]
    if backend == "vxlan":
        node_links.ensure_vxlan(links[0], own)
    node_links.add_peers(wanted_peers(nodes, own, IPv4Network(CLUSTER), links, backend))


def _node(name: str, address: str, pods: str) -> Node:
    status = {"addresses": [{"type": "InternalIP", "address": address}]}
    return view(Node, {"metadata": {"name": name}, "spec": {"podCIDR": pods}, "status": status})


def _gigabits(sender: int, receiver: int, address: str) -> float:
    """One TCP stream for two seconds, from one namespace to another."""
    received = [0]

    def receive(server: socket.socket) -> None:
        connection, _ = server.accept()
        buffer = bytearray(CHUNK)
        with connection:
            while count := connection.recv_into(buffer):
                received[0] += count

    with inside(receiver, lambda: socket.create_server((address, PORT))) as server:
        thread = threading.Thread(target=receive, args=(server,))
        thread.start()
        with inside(sender, lambda: socket.create_connection((address, PORT), timeout=10)) as connection:
            chunk, began = bytes(CHUNK), time.perf_counter()
            while time.perf_counter() - began < SECONDS:
                connection.sendall(chunk)
        thread.join()
        return received[0] * 8 / 1e9 / (time.perf_counter() - began)


if __name__ == "__main__":
    if os.geteuid() != 0:
        raise SystemExit("needs root: it makes network namespaces")
    print(json.dumps(measure(), indent=2))
