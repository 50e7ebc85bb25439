"""Connections through Services, in the kernel: where they go, what address the endpoint sees, and how they are refused."""

import time
from collections import Counter
from collections.abc import Callable

import pytest

from tests.node.kube_proxy.service_node import CLIENT_ADDRESS, GATEWAY, NODE_ADDRESS, ServiceNode
from tests.node.network.namespace import ask, ask_udp, exchange, run, udp_client
from tests.unit.kube_proxy.objects import a_port, a_service, a_slice, an_endpoint

pytestmark = [pytest.mark.root, pytest.mark.parametrize("node", ["nftables", "iptables"], indirect=True)]
VIP, LB_IP = "10.96.0.10", "203.0.113.7"
REFUSED_WITHIN_SECONDS = 0.05
ELSEWHERE = an_endpoint("10.244.2.2", node="node-2", ready=True)


def names(answers: list[str]) -> Counter[str]:
    return Counter(answer.split()[0] for answer in answers)


def test_pod_reaches_a_cluster_ip_by_tcp_under_its_own_address(node: ServiceNode) -> None:
    """Rule: https://kubernetes.io/docs/tutorials/services/source-ip/"""
    server, client = node.pod("server"), node.pod("client")
    node.serve(a_service(), a_slice(server.address))
    assert client.ask(VIP, 80) == f"server {client.address}"


def test_pod_reaches_a_cluster_ip_by_udp(node: ServiceNode) -> None:
    server, client = node.pod("server"), node.pod("client")
    node.serve(a_service("dns", VIP, a_port(53, protocol="UDP")), a_slice(server.address, protocol="UDP", service="dns"))
    assert client.ask_udp(VIP, 53) == f"server {client.address}"


def test_same_port_may_have_both_protocols(node: ServiceNode) -> None:
    """Rule: https://kubernetes.io/docs/concepts/services-networking/service/#multi-port-services
    Conformance: [sig-network] Services should serve endpoints on same port and different protocols [Conformance]
    """
    tcp, udp, client = node.pod("tcp"), node.pod("udp"), node.pod("client")
    service = a_service("dns", VIP, a_port(53, name="tcp"), a_port(53, name="udp", protocol="UDP"))
    node.serve(service, a_slice(tcp.address, name="tcp"), a_slice(udp.address, name="udp", protocol="UDP"))
    assert (names([client.ask(VIP, 53)]), names([client.ask_udp(VIP, 53)])) == (Counter(tcp=1), Counter(udp=1))


def test_node_reaches_a_cluster_ip_by_tcp_and_udp(node: ServiceNode) -> None:
    """Without a default route, too: the Service range has a device of its own."""
    server = node.pod("server")
    service = a_service("web", VIP, a_port(80, name="t"), a_port(53, name="u", protocol="UDP"))
    node.serve(service, a_slice(server.address, name="t"), a_slice(server.address, name="u", protocol="UDP"))
    assert run("ip route show default") == ""
    assert ask(VIP, 80).startswith("server ")
    assert ask_udp(VIP, 53).startswith("server ")


def test_connections_spread_over_all_endpoints(node: ServiceNode) -> None:
    """Each of three gets its share of 90 connections; fewer than 8 is less likely than one in ten million runs."""
    servers, client = [node.pod(f"server-{number}") for number in range(3)], node.pod("client")
    node.serve(a_service(), a_slice(*(server.address for server in servers)))
    spread = names([client.ask(VIP, 80) for _ in range(90)])
    assert sum(spread.values()) == 90
    assert min(spread[server.name] for server in servers) >= 8


def test_pod_reaches_itself_through_its_service(node: ServiceNode) -> None:
    """Hairpin: the packet comes back under the node's address, else the pod would answer itself directly."""
    server = node.pod("server")
    service = a_service("web", VIP, a_port(80, name="t"), a_port(53, name="u", protocol="UDP"))
    node.serve(service, a_slice(server.address, name="t"), a_slice(server.address, name="u", protocol="UDP"))
    assert server.ask(VIP, 80) == f"server {GATEWAY}"
    assert server.ask_udp(VIP, 53) == f"server {GATEWAY}"


@pytest.mark.parametrize("protocol", ["TCP", "UDP"])
def test_node_port_answers_on_the_nodes_addresses_to_everybody(node: ServiceNode, protocol: str) -> None:
    """Rule: https://kubernetes.io/docs/concepts/services-networking/service/#type-nodeport
    Conformance: [sig-network] Services should be able to create a functioning NodePort service [Conformance]
    """
    server, client, outsider = node.pod("server"), node.pod("client"), node.outsider()
    port = a_port(80, node_port=30080, protocol=protocol)
    node.serve(a_service("web", VIP, port, type="NodePort"), a_slice(server.address, protocol=protocol))
    act = ask if protocol == "TCP" else ask_udp
    assert outsider.inside(lambda: act(NODE_ADDRESS, 30080)) == f"server {GATEWAY}"
    assert act(NODE_ADDRESS, 30080).startswith("server ")
    assert client.inside(lambda: act(NODE_ADDRESS, 30080)).startswith("server ")
    assert server.inside(lambda: act(NODE_ADDRESS, 30080)).startswith("server ")
    assert client.inside(lambda: act(GATEWAY, 30080)).startswith("server ")


def test_external_traffic_policy_local_keeps_the_clients_address(node: ServiceNode) -> None:
    """Rule: https://kubernetes.io/docs/reference/networking/virtual-ips/#external-traffic-policy"""
    server, outsider = node.pod("server"), node.outsider()
    outsider.inside(lambda: run(f"ip route add default via {NODE_ADDRESS}"))
    service = a_service(
        "web", VIP, a_port(80, node_port=30080), type="LoadBalancer", externalTrafficPolicy="Local", balancer=(LB_IP,)
    )
    node.serve(service, a_slice(server.address, ELSEWHERE))
    assert {outsider.ask(NODE_ADDRESS, 30080) for _ in range(10)} == {f"server {CLIENT_ADDRESS}"}
    assert {outsider.ask(LB_IP, 80) for _ in range(10)} == {f"server {CLIENT_ADDRESS}"}


def test_external_traffic_policy_local_without_local_endpoints_drops(node: ServiceNode) -> None:
    """So that a load balancer finds another node; a pod's or the node's own connection may go to any."""
    outsider = node.outsider()
    service = a_service("web", VIP, a_port(80, node_port=30080), type="NodePort", externalTrafficPolicy="Local")
    node.serve(service, a_slice(ELSEWHERE))
    with pytest.raises(TimeoutError):
        outsider.inside(lambda: ask(NODE_ADDRESS, 30080, timeout=0.3))


def test_external_traffic_policy_local_lets_pods_and_the_node_go_everywhere(node: ServiceNode) -> None:
    """The other endpoint stands in for one of another node: only its nodeName says so."""
    remote, client = node.pod("remote"), node.pod("client")
    service = a_service("web", VIP, a_port(80, node_port=30080), type="NodePort", externalTrafficPolicy="Local")
    node.serve(service, a_slice(an_endpoint(remote.address, node="node-2", ready=True)))
    assert client.ask(NODE_ADDRESS, 30080) == f"remote {client.address}"
    assert ask(NODE_ADDRESS, 30080) == f"remote {GATEWAY}"


def test_internal_traffic_policy_local_uses_this_nodes_endpoints_alone(node: ServiceNode) -> None:
    """Rule: https://kubernetes.io/docs/concepts/services-networking/service-traffic-policy/"""
    server, client = node.pod("server"), node.pod("client")
    service = a_service(internalTrafficPolicy="Local")
    node.serve(service, a_slice(server.address, ELSEWHERE))
    assert {client.ask(VIP, 80) for _ in range(10)} == {f"server {client.address}"}
    node.serve(service, a_slice(ELSEWHERE))
    with pytest.raises(TimeoutError):
        client.inside(lambda: ask(VIP, 80, timeout=0.3))


def test_service_without_endpoints_refuses_at_once(node: ServiceNode) -> None:
    """By a reset, or by the ICMP answer that a connected UDP socket reports; the node's own UDP socket may not even send.
    Rule: https://kubernetes.io/docs/reference/networking/virtual-ips/ and upstream: REJECT, not DROP"""
    client, outsider = node.pod("client"), node.outsider()
    ports = a_port(80, name="t", node_port=30080), a_port(53, name="u", protocol="UDP", node_port=30053)
    node.serve(a_service("web", VIP, *ports, type="NodePort"))
    to_cluster_ip: list[Callable[[], str]] = [lambda: ask(VIP, 80), lambda: ask_udp(VIP, 53)]
    to_node_port: list[Callable[[], str]] = [lambda: ask(NODE_ADDRESS, 30080), lambda: ask_udp(NODE_ADDRESS, 30053)]
    began = time.monotonic()
    for act in (*to_cluster_ip, *to_node_port):
        with pytest.raises((ConnectionRefusedError, PermissionError)):
            act()
        with pytest.raises(ConnectionRefusedError):
            client.inside(act)
    for act in to_node_port:
        with pytest.raises(ConnectionRefusedError):
            outsider.inside(act)
    assert time.monotonic() - began < 10 * REFUSED_WITHIN_SECONDS


def test_change_of_endpoints_moves_connections_at_once(node: ServiceNode) -> None:
    first, second, client = node.pod("first"), node.pod("second"), node.pod("client")
    node.serve(a_service(), a_slice(first.address))
    assert names([client.ask(VIP, 80)]) == Counter(first=1)
    node.serve(a_service(), a_slice(second.address))
    assert names([client.ask(VIP, 80) for _ in range(20)]) == Counter(second=20)
    node.serve(a_service(), a_slice(first.address, second.address))
    assert set(names([client.ask(VIP, 80) for _ in range(40)])) == {"first", "second"}
    node.serve(a_service())
    with pytest.raises(ConnectionRefusedError):
        client.ask(VIP, 80)


def test_terminating_endpoints_serve_while_there_is_no_other(node: ServiceNode) -> None:
    """Rule: KEP-1669"""
    leaving, ready, client = node.pod("leaving"), node.pod("ready"), node.pod("client")
    going = an_endpoint(leaving.address, ready=False, serving=True, terminating=True)
    node.serve(a_service(), a_slice(going))
    assert names([client.ask(VIP, 80)]) == Counter(leaving=1)
    node.serve(a_service(), a_slice(going, ready.address))
    assert names([client.ask(VIP, 80) for _ in range(20)]) == Counter(ready=20)


def test_udp_client_that_keeps_its_port_follows_the_endpoints(node: ServiceNode) -> None:
    """Rule: upstream pkg/proxy/conntrack: stale flows are deleted"""
    first, second, client = node.pod("first"), node.pod("second"), node.pod("client")
    service = a_service("dns", VIP, a_port(53, protocol="UDP", node_port=30053), type="NodePort")
    node.serve(service, a_slice(first.address, protocol="UDP", service="dns"))
    flows = [
        client.inside(lambda: udp_client(VIP, 53)),
        udp_client(VIP, 53),
        client.inside(lambda: udp_client(NODE_ADDRESS, 30053)),
    ]
    assert names([exchange(flow) for flow in flows]) == Counter(first=3)
    node.serve(service, a_slice(second.address, protocol="UDP", service="dns"))
    assert names([exchange(flow) for flow in flows]) == Counter(second=3)
    node.serve(service)
    for flow in flows:
        with pytest.raises((ConnectionRefusedError, PermissionError)):
            exchange(flow)
        flow.close()


def test_client_that_an_endpoint_remembers_goes_there_again(node: ServiceNode) -> None:
    """Through cluster IP and NodePort alike; switched off, connections spread again.
    Rule: https://kubernetes.io/docs/reference/networking/virtual-ips/#session-affinity
    Conformance: [sig-network] Services should have session affinity work for NodePort service [LinuxOnly] [Conformance]
    Conformance: [sig-network] Services should have session affinity work for service with type clusterIP [LinuxOnly] [Conformance]
    Conformance: [sig-network] Services should be able to switch session affinity for NodePort service [LinuxOnly] [Conformance]
    Conformance: [sig-network] Services should be able to switch session affinity for service with type clusterIP [LinuxOnly] [Conformance]
    """  # noqa: E501
    servers, client = [node.pod(f"server-{number}") for number in range(4)], node.pod("client")
    slice_ = a_slice(*(server.address for server in servers))
    sticky = a_service("web", VIP, a_port(80, node_port=30080), type="NodePort", sessionAffinity="ClientIP")
    node.serve(sticky, slice_)
    first = names([client.ask(VIP, 80)])
    assert set(names([client.ask(VIP, 80) for _ in range(20)])) == set(first)
    assert set(names([client.ask(NODE_ADDRESS, 30080) for _ in range(20)])) == set(first)
    node.serve(a_service("web", VIP, a_port(80, node_port=30080), type="NodePort"), slice_)
    assert len(names([client.ask(VIP, 80) for _ in range(40)])) > 1
    node.serve(sticky, slice_)
    assert len(names([client.ask(VIP, 80) for _ in range(20)])) == 1


def test_remembered_client_keeps_its_endpoint_when_others_come_and_go(node: ServiceNode) -> None:
    servers, client = [node.pod(f"server-{number}") for number in range(3)], node.pod("client")
    sticky = a_service(sessionAffinity="ClientIP")
    node.serve(sticky, a_slice(servers[0].address))
    assert names([client.ask(VIP, 80)]) == Counter({"server-0": 1})
    node.serve(sticky, a_slice(*(server.address for server in servers)))
    assert names([client.ask(VIP, 80) for _ in range(10)]) == Counter({"server-0": 10})
    node.serve(sticky, a_slice(servers[1].address))
    assert names([client.ask(VIP, 80)]) == Counter({"server-1": 1})


def test_external_ip_and_load_balancer_address_lead_to_the_service(node: ServiceNode) -> None:
    server, client, outsider = node.pod("server"), node.pod("client"), node.outsider()
    outsider.inside(lambda: run(f"ip route add default via {NODE_ADDRESS}"))
    node.serve(a_service(type="LoadBalancer", externalIPs=["198.51.100.5"], balancer=(LB_IP,)), a_slice(server.address))
    for address in ("198.51.100.5", LB_IP):
        assert outsider.ask(address, 80) == f"server {GATEWAY}"
        assert client.ask(address, 80).startswith("server ")


def test_load_balancer_source_ranges_keep_others_out(node: ServiceNode) -> None:
    """Rule: https://kubernetes.io/docs/reference/networking/virtual-ips/ (loadBalancerSourceRanges)"""
    server, outsider = node.pod("server"), node.outsider()
    outsider.inside(lambda: run(f"ip route add default via {NODE_ADDRESS}"))
    node.serve(
        a_service(type="LoadBalancer", balancer=(LB_IP,), loadBalancerSourceRanges=["192.0.2.0/28"]), a_slice(server.address)
    )
    with pytest.raises(OSError, match=r"timed out|unreachable"):
        outsider.inside(lambda: ask(LB_IP, 80, timeout=0.3))
    node.serve(
        a_service(type="LoadBalancer", balancer=(LB_IP,), loadBalancerSourceRanges=["192.0.2.0/24"]), a_slice(server.address)
    )
    assert outsider.ask(LB_IP, 80).startswith("server ")
