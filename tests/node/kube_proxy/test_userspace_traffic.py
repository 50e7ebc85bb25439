"""Connections through mode userspace: this process copies the bytes, so an endpoint sees the node as its client."""

from collections import Counter
from collections.abc import Callable

import pytest

from tests.node.kube_proxy.service_node import CLIENT_ADDRESS, NODE_ADDRESS, ServiceNode
from tests.node.network.namespace import ask, ask_udp, exchange, run, udp_client
from tests.unit.kube_proxy.objects import a_port, a_service, a_slice

pytestmark = [pytest.mark.root, pytest.mark.parametrize("node", ["userspace"], indirect=True)]
VIP, LB_IP = "10.96.0.10", "203.0.113.7"


def names(answers: list[str]) -> Counter[str]:
    return Counter(answer.split()[0] for answer in answers)


def test_service_is_reached_by_pods_the_node_and_outsiders(node: ServiceNode) -> None:
    """TCP and UDP, by cluster IP and NodePort, in turn over the endpoints; a pod reaches itself, too; refused without endpoints."""
    servers, outsider = [node.pod(f"server-{number}") for number in range(2)], node.outsider()
    ports = a_port(80, name="t", node_port=30080), a_port(80, name="u", protocol="UDP", node_port=30080)
    service = a_service("web", VIP, *ports, type="NodePort")
    addresses = [server.address for server in servers]
    node.serve(service, a_slice(*addresses, name="t"), a_slice(*addresses, name="u", protocol="UDP"))
    for act in (ask, ask_udp):
        everywhere = Counter({"server-0": 2, "server-1": 2})
        assert names([servers[0].inside(lambda: act(VIP, 80)) for _ in range(4)]) == everywhere  # noqa: B023 -- called at once
        assert names([act(VIP, 80) for _ in range(4)]) == everywhere
        assert names([outsider.inside(lambda: act(NODE_ADDRESS, 30080)) for _ in range(4)]) == everywhere  # noqa: B023
    node.serve(service)
    refusals: list[Callable[[], str]] = [lambda: ask(VIP, 80), lambda: ask_udp(VIP, 80), lambda: ask(NODE_ADDRESS, 30080)]
    for refused in refusals:
        with pytest.raises(ConnectionRefusedError):
            refused()
    node.forget("web")
    assert VIP not in run("ip -o addr")


def test_client_keeps_its_endpoint_while_it_is_remembered_and_there(node: ServiceNode) -> None:
    """Switched on and off.  Rule: https://kubernetes.io/docs/reference/networking/virtual-ips/#session-affinity"""
    servers, client = [node.pod(f"server-{number}") for number in range(3)], node.pod("client")
    slice_ = a_slice(*(server.address for server in servers))
    node.serve(a_service(sessionAffinity="ClientIP"), slice_)
    assert len(names([client.ask(VIP, 80) for _ in range(6)])) == 1
    node.serve(a_service(), slice_)
    assert len(names([client.ask(VIP, 80) for _ in range(6)])) == 3


def test_udp_flow_follows_the_endpoints(node: ServiceNode) -> None:
    first, second, client = node.pod("first"), node.pod("second"), node.pod("client")
    service = a_service("dns", VIP, a_port(53, protocol="UDP"))
    node.serve(service, a_slice(first.address, protocol="UDP", service="dns"))
    flow = client.inside(lambda: udp_client(VIP, 53))
    assert names([exchange(flow)]) == Counter(first=1)
    node.serve(service, a_slice(second.address, protocol="UDP", service="dns"))
    assert names([exchange(flow)]) == Counter(second=1)
    flow.close()


def test_load_balancer_address_keeps_to_its_source_ranges(node: ServiceNode) -> None:
    server, outsider = node.pod("server"), node.outsider()
    outsider.inside(lambda: run(f"ip route add default via {NODE_ADDRESS}"))
    for allowed, expected in (("192.0.2.0/28", ""), (f"{CLIENT_ADDRESS}/32", "server")):
        service = a_service(type="LoadBalancer", balancer=(LB_IP,), loadBalancerSourceRanges=[allowed])
        node.serve(service, a_slice(server.address))
        try:
            heard = outsider.ask(LB_IP, 80)
        except ConnectionResetError:
            heard = ""
        assert heard.split(" ")[0] == expected
