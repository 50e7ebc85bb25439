"""Network policies on real packets. Rule: https://kubernetes.io/docs/concepts/services-networking/network-policies/"""

import asyncio
import socket
import threading
from collections.abc import Callable

import pytest

from kube.api.meta import Key
from kube.api.types import NetworkPolicy
from kubelet.network import packet_filter
from kubelet.network.bridge import BridgeNetwork
from kubelet.network.policy import Filter, Peer, policy_filter
from kubelet.network.policy_text import change, removal, whole
from tests.node.network.namespace import PodProcess, ask, ask_udp, inside
from tests.unit.kubelet.policies import labels, namespace, peer, policy

pytestmark = pytest.mark.root
SHORT = 0.4  # seconds within which an answer would have come
NAMESPACES = [namespace("default"), namespace("other", team="ops")]
HTTP = {"name": "http", "containerPort": 8080}


class Pods:
    """web and client in default, and stranger in another namespace, on one node."""

    def __init__(self, a_process: Callable[..., PodProcess]) -> None:
        self.network = BridgeNetwork("10.244.0.0/16")
        asyncio.run(self.network.start("10.244.1.0/24"))
        self.processes = {name: a_process(name, 8080, 9090) for name in ("web", "client", "stranger")}
        where = {"web": "default", "client": "default", "stranger": "other"}
        self.peers: list[Peer] = []
        for name, process in self.processes.items():
            address = asyncio.run(self.network.setup(Key(where[name], name), name, process.pid))
            self.peers.append(peer(where[name], name, address, HTTP, app=name))
        self._applied: Filter | None = None

    def policies(self, *policies: NetworkPolicy) -> None:
        wanted = policy_filter(policies, NAMESPACES, self.peers, [])
        packet_filter.apply(whole(wanted) if self._applied is None else change(self._applied, wanted))
        self._applied = wanted

    def address(self, name: str) -> str:
        return next(str(one.address) for one in self.peers if one.pod.metadata.name == name)

    def reaches(self, source: str, target: str, port: int = 8080, how: Callable[..., str] = ask) -> bool:
        address = self.address(target)
        try:
            return inside(self.processes[source].pid, lambda: how(address, port, timeout=SHORT)).startswith(target)
        except TimeoutError:
            return False


@pytest.fixture
def pods(a_process: Callable[..., PodProcess]) -> Pods:
    return Pods(a_process)


def test_policies_decide_who_reaches_whom(pods: Pods) -> None:
    """Default deny, then by pod, by namespace, by port and by block, one after the other on the same pods."""
    pods.policies(policy("deny", policyTypes=["Ingress"]))
    assert not pods.reaches("client", "web")
    assert not pods.reaches("stranger", "web", how=ask_udp)
    assert pods.reaches("web", "stranger"), "another namespace is not isolated"
    assert pods.reaches("web", "web"), "a pod reaches itself"
    assert ask(pods.address("web"), 8080).startswith("web"), "the node reaches its pods"
    by_pod = policy("allow", labels(app="web"), ingress=[{"from": [{"podSelector": labels(app="client")}]}])
    pods.policies(policy("deny", policyTypes=["Ingress"]), by_pod)
    assert pods.reaches("client", "web")
    assert pods.reaches("client", "web", how=ask_udp)
    assert not pods.reaches("stranger", "web")
    by_namespace = policy("allow", labels(app="web"), ingress=[{"from": [{"namespaceSelector": labels(team="ops")}]}])
    pods.policies(by_namespace)
    assert (pods.reaches("client", "web"), pods.reaches("stranger", "web")) == (False, True)
    pods.policies(policy("allow", labels(app="web"), ingress=[{"ports": [{"port": "http"}]}]))
    assert (pods.reaches("client", "web"), pods.reaches("client", "web", 9090)) == (True, False)
    pods.policies(policy("allow", labels(app="web"), ingress=[{"ports": [{"port": 9000, "endPort": 9100}]}]))
    assert (pods.reaches("client", "web"), pods.reaches("client", "web", 9090)) == (False, True)
    block = {"cidr": "10.244.0.0/16", "except": [f"{pods.address('stranger')}/32"]}
    pods.policies(policy("allow", labels(app="web"), ingress=[{"from": [{"ipBlock": block}]}]))
    assert (pods.reaches("client", "web"), pods.reaches("stranger", "web")) == (True, False)
    pods.policies()
    assert pods.reaches("stranger", "web")
    packet_filter.apply(removal())


def test_egress_and_ingress_must_both_allow(pods: Pods) -> None:
    out = policy("out", labels(app="client"), policyTypes=["Egress"], egress=[{"to": [{"podSelector": labels(app="web")}]}])
    pods.policies(out)
    assert (pods.reaches("client", "web"), pods.reaches("client", "stranger")) == (True, False)
    assert pods.reaches("stranger", "client"), "answers of an isolated pod pass"
    pods.policies(out, policy("deny", labels(app="web")))
    assert not pods.reaches("client", "web")


def test_policy_changes_under_load_without_a_gap(pods: Pods) -> None:
    """What both the old and the new rules allow never fails, and what neither allows never passes, while they change."""
    deny = policy("deny", policyTypes=["Ingress"])
    first = policy("a", labels(app="web"), ingress=[{"from": [{"podSelector": labels(app="client")}]}])
    second = policy("b", labels(app="web"), ingress=[{"from": [{"podSelector": {}}], "ports": [{"port": 8080}]}])
    pods.policies(deny, first)
    address, done, asked, leaks = pods.address("web"), threading.Event(), [0], [0]

    def keep_asking() -> None:
        while not done.is_set():
            assert ask(address, 8080, timeout=SHORT).startswith("web")
            asked[0] += 1

    def keep_trying() -> None:
        while not done.is_set():
            with socket.socket() as one:
                one.settimeout(0.05)
                leaks[0] += one.connect_ex((address, 8080)) == 0

    failures: list[BaseException] = []
    threads = [
        threading.Thread(target=_inside, args=(pods.processes[name].pid, act, failures))
        for name, act in (("client", keep_asking), ("stranger", keep_trying))
    ]
    for thread in threads:
        thread.start()
    for _ in range(20):
        pods.policies(deny, second)
        pods.policies(deny, first)
        packet_filter.apply(whole(policy_filter([deny, first], NAMESPACES, pods.peers, [])))
    done.set()
    for thread in threads:
        thread.join()
    assert not failures
    assert asked[0] > 100
    assert leaks == [0]


def _inside(pid: int, act: Callable[[], None], failures: list[BaseException]) -> None:
    try:
        inside(pid, act)
    except (AssertionError, OSError) as failure:
        failures.append(failure)
