"""A node for kube-proxy's tests: pods that serve, a client outside, and the rules of Services in the kernel."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from ipaddress import IPv4Network
from typing import TypeVar

from kube.api.meta import Key, key_of
from kube.api.types import EndpointSlice, Service
from kube_proxy import conntrack, modes, service_route
from kube_proxy.config import Config
from kube_proxy.layout import Settings
from kube_proxy.rules import PortRule, rules
from kubelet.network.bridge import BridgeNetwork
from tests.node.network.namespace import PodProcess, ask, ask_udp, inside, run
from tests.unit.kube_proxy.objects import HERE

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

    def __init__(self, mode: str = "nftables", settings: Settings = SETTINGS) -> None:
        self.mode_name = mode
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)  # started in the test's namespace
        self._settings = settings
        self._mode = modes.chosen(Config(proxy_mode=mode), [settings])
        self._rules: dict[Key, list[PortRule]] = {}
        self._network = BridgeNetwork(CLUSTER_CIDR)
        self._processes: list[PodProcess] = []

    def start(self) -> None:
        run("ip link add outside type bridge; ip link set outside up; ip addr add 192.0.2.10/24 dev outside")
        asyncio.run(self._network.start(NODE_RANGE))
        service_route.put([IPv4Network(SERVICE_CIDR)])
        self._thread.start()
        self._await(self._mode.sync(whole=True))

    def stop(self) -> None:
        self._await(self._mode.close())
        self._await(self._loop.shutdown_default_executor())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        for process in self._processes:
            process.stop()

    def switch(self, mode: str) -> None:
        """kube-proxy ends, and starts in another mode."""
        self._await(self._mode.close())
        self._rules.clear()
        self._mode = modes.chosen(Config(proxy_mode=mode), [self._settings])
        self.sync_whole()

    def sync_whole(self) -> None:
        """As after a start, or when rules were lost."""
        self._await(self._mode.sync(whole=True))

    def restart_network(self) -> None:
        """The kubelet starts again, and sees to its own rules."""
        self._network = BridgeNetwork(CLUSTER_CIDR)
        asyncio.run(self._network.start(NODE_RANGE))

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
        self._take(key_of(service), rules(service, slices, HERE))

    def forget(self, name: str) -> None:
        """What it does when a Service is deleted."""
        self._take(Key("default", name), [])

    def _take(self, key: Key, now: list[PortRule]) -> None:
        before = self._rules.get(key, [])
        self._mode.take(key, now)
        self._await(self._mode.sync(whole=False))
        self._rules[key] = now
        conntrack.forget_stale(conntrack.fronts([(before, now)]))

    def _await(self, doing: Coroutine[None, None, None]) -> None:
        asyncio.run_coroutine_threadsafe(doing, self._loop).result(30)

    def _process(self, name: str, *ports: int) -> PodProcess:
        process = PodProcess(name, *ports)
        self._processes.append(process)
        process.wait_ready()
        return process
