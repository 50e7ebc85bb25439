"""A node for kube-proxy's tests: pods that serve, a client outside, and the rules of Services in the kernel."""

import asyncio
from collections.abc import Callable
from ipaddress import IPv4Network
from typing import TypeVar

from kube.api.meta import Key, key_of
from kube.api.types import EndpointSlice, Service
from kube_proxy import conntrack, service_route
from kube_proxy.claims import Claims
from kube_proxy.layout import Settings, Slot, Value, slots
from kube_proxy.nftables import Table
from kube_proxy.rules import PortRule, rules
from kubelet.network.bridge import BridgeNetwork
from tests.node.network.namespace import PodProcess, ask, ask_udp, inside, run
from tests.unit.kube_proxy.objects import NODE

T = TypeVar("T")
CLUSTER_CIDR, NODE_RANGE, SERVICE_CIDR = "10.244.0.0/16", "10.244.1.0/24", "10.96.0.0/16"
GATEWAY, NODE_ADDRESS, CLIENT_ADDRESS = "10.244.1.1", "192.0.2.10", "192.0.2.20"
SETTINGS = Settings(IPv4Network(CLUSTER_CIDR), IPv4Network(SERVICE_CIDR))


class ServingPod:
    """A process with a network of its own; `address` is where it answers."""

    def __init__(self, process: PodProcess, address: str) -> None:
        self.name, self.address = process.name, address
        self._pid = process.pid

    def inside(self, act: Callable[[], T]) -> T:
        return inside(self._pid, act)

    def ask(self, address: str, port: int) -> str:
        """What the pod hears when it connects by TCP."""
        return self.inside(lambda: ask(address, port))

    def ask_udp(self, address: str, port: int) -> str:
        return self.inside(lambda: ask_udp(address, port))


class ServiceNode:
    """The node of the test's own namespace."""

    def __init__(self, settings: Settings = SETTINGS) -> None:
        self.table = Table(settings)
        self._settings = settings
        self._claims: Claims[Key, Slot, Value] = Claims()
        self._rules: dict[Key, list[PortRule]] = {}
        self._network = BridgeNetwork(CLUSTER_CIDR)
        self._processes: list[PodProcess] = []

    def start(self) -> None:
        run("ip link add outside type bridge; ip link set outside up; ip addr add 192.0.2.10/24 dev outside")
        asyncio.run(self._network.start(NODE_RANGE))
        service_route.ensure(IPv4Network(SERVICE_CIDR))
        self.table.replace([])

    def stop(self) -> None:
        self.table.close()
        for process in self._processes:
            process.stop()

    def pod(self, name: str, *ports: int) -> ServingPod:
        process = self._process(name, *(ports or (8080,)))
        return ServingPod(process, asyncio.run(self._network.setup(Key("default", name), name, process.pid)))

    def outsider(self) -> ServingPod:
        """A machine beside the node, which knows the way to nothing behind it."""
        process = self._process("outsider")
        run(f"ip link add to-outsider type veth peer name eth0 netns {process.pid}; ip link set to-outsider master outside up")
        inside(process.pid, lambda: run(f"ip addr add {CLIENT_ADDRESS}/24 dev eth0; ip link set eth0 up"))
        return ServingPod(process, CLIENT_ADDRESS)

    def serve(self, service: Service, *slices: EndpointSlice) -> None:
        """What kube-proxy does when a Service or its endpoints change."""
        self._take(key_of(service), rules(service, slices, NODE))

    def forget(self, name: str) -> None:
        """What it does when a Service is deleted."""
        self._take(Key("default", name), [])

    def _take(self, key: Key, now: list[PortRule]) -> None:
        before = self._rules.get(key, [])
        self.table.apply(self._claims.claim(key, slots(now, self._settings)))
        self._rules[key] = now
        conntrack.forget_stale(conntrack.fronts([(before, now)]))

    def _process(self, name: str, *ports: int) -> PodProcess:
        process = PodProcess(name, *ports)
        self._processes.append(process)
        process.wait_ready()
        return process
