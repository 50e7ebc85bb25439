"""What mode nftables does beyond the rules that all modes share: addresses and ports that nobody serves, and IPv6."""

import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from ipaddress import IPv6Network

import pytest

from kube_proxy import service_route
from kube_proxy.layout import Settings, slots
from kube_proxy.nft_expression import IPV6
from kube_proxy.nftables import Table
from kube_proxy.rules import rules
from tests.node.kube_proxy.service_node import CLIENT_ADDRESS, ServiceNode
from tests.node.network.namespace import ask, own_namespace, run
from tests.unit.kube_proxy.objects import HERE, a_port, a_service, a_slice
from tests.wait import eventually_sync

pytestmark = pytest.mark.root
VIP = "10.96.0.10"
VIP6, SERVER6, RANGE6 = "fd00:96::10", "fd00:244::2", "fd00:96::/112"


def names(answers: list[str]) -> Counter[str]:
    return Counter(answer.split()[0] for answer in answers)


def test_port_that_a_cluster_ip_does_not_serve_is_refused(node: ServiceNode) -> None:
    server, client = node.pod("server"), node.pod("client")
    node.serve(a_service(), a_slice(server.address))
    with pytest.raises(ConnectionRefusedError):
        client.ask(VIP, 81)
    with pytest.raises(ConnectionRefusedError):
        ask(VIP, 81)


def test_cluster_ip_that_no_service_has_ends_on_the_node(node: ServiceNode) -> None:
    """Also where a default route would take it."""
    run(f"ip route add default via {CLIENT_ADDRESS}; nft add table ip seen")
    run("nft 'add chain ip seen out { type filter hook postrouting priority 300 ; }'")
    run("nft 'add rule ip seen out ip daddr 10.96.0.0/16 oifname outside counter'")
    client = node.pod("client")
    acts: list[Callable[[], str]] = [
        lambda: client.inside(lambda: ask("10.96.9.9", 80, timeout=0.2)),
        lambda: ask("10.96.9.9", 80, timeout=0.2),
    ]
    for act in acts:
        with pytest.raises(OSError, match=r"timed out|Operation not permitted|unreachable"):
            act()
    assert "packets 0" in run("nft list table ip seen")


def test_deleted_service_is_gone(node: ServiceNode) -> None:
    server, client = node.pod("server"), node.pod("client")
    empty = run("nft list table ip kube-proxy")
    node.serve(a_service("web", VIP, a_port(80, node_port=30080), type="NodePort"), a_slice(server.address))
    node.forget("web")
    assert run("nft list table ip kube-proxy") == empty
    with pytest.raises(TimeoutError):
        client.inside(lambda: ask(VIP, 80, timeout=0.2))


def test_forgotten_client_is_led_by_chance_again(node: ServiceNode) -> None:
    """After timeoutSeconds without a connection."""
    servers, client = [node.pod(f"server-{number}") for number in range(4)], node.pod("client")
    sticky = a_service(sessionAffinity="ClientIP", sessionAffinityConfig={"clientIP": {"timeoutSeconds": 1}})
    node.serve(sticky, a_slice(*(server.address for server in servers)))
    seen: set[str] = set()
    for _ in range(20):
        seen.update(names([client.ask(VIP, 80)]))
        if len(seen) > 1:
            break
        eventually_sync(lambda: client.address not in run("nft list sets ip"), 5, "the client is forgotten")
    assert len(seen) > 1


@contextmanager
def serving6(address: str, port: int) -> Iterator[None]:
    """A server on an IPv6 address of this namespace, which tells a client its address."""
    with socket.create_server((address, port), family=socket.AF_INET6) as server:

        def serve() -> None:
            while True:
                try:
                    connection, peer = server.accept()
                except OSError:
                    return
                with connection:
                    connection.sendall(f"six {peer[0]}".encode())

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def ask6(address: str, port: int) -> str:
    with socket.create_connection((address, port), timeout=10) as connection:
        return connection.recv(1500).decode()


@pytest.mark.parametrize("affinity", ["None", "ClientIP"])
def test_ipv6_service_is_served_by_a_table_of_its_own(affinity: str) -> None:
    """Cluster IP, NodePort and refusal, each over IPv6.
    Rule: https://kubernetes.io/docs/concepts/services-networking/dual-stack/"""
    settings = Settings(IPv6Network("fd00:244::/64"), IPv6Network(RANGE6), family=IPV6)
    service = a_service("web", VIP6, a_port(80, node_port=30080), type="NodePort", sessionAffinity=affinity)
    with own_namespace():
        run(f"ip link add pods type bridge; ip link set pods up; ip addr add {SERVER6}/64 dev pods nodad")
        service_route.put([IPv6Network(RANGE6)])
        with closing(Table(settings)) as table, serving6(SERVER6, 8080):
            table.replace(slots(rules(service, [a_slice(SERVER6, family="IPv6")], HERE), settings).items())
            assert ask6(VIP6, 80).startswith("six ")
            assert ask6(SERVER6, 30080).startswith("six ")
            table.replace(slots(rules(service, [], HERE), settings).items())
            with pytest.raises(ConnectionRefusedError):
                ask6(VIP6, 80)
            table.remove()
        service_route.remove()
