"""What a Service is in the table: elements of shared maps, and chains of its own for affinity and source ranges alone."""

from collections.abc import Mapping
from dataclasses import replace
from ipaddress import IPv4Network

from kube.api.types import EndpointSlice, Service
from kube_proxy.claims import Claims, merged
from kube_proxy.layout import DROP, REJECT, Settings, Slot, Value, slots
from kube_proxy.nft_expression import rule_text
from kube_proxy.nftables import alteration
from kube_proxy.rules import rules
from kube_proxy.skeleton import chains
from tests.unit.kube_proxy.objects import HERE, a_port, a_service, a_slice, an_endpoint

SETTINGS = Settings(IPv4Network("10.244.0.0/16"), IPv4Network("10.96.0.0/16"))
FAR = an_endpoint("10.244.2.2", node="node-2", ready=True)


def layout(service: Service, *slices: EndpointSlice, settings: Settings = SETTINGS) -> dict[Slot, Value]:
    return slots(rules(service, slices, HERE), settings)


def listed(wanted: Mapping[Slot, Value]) -> list[str]:
    """As text that a person can read; sets left out, as their elements name them."""
    return sorted(line for slot, value in wanted.items() for line in _lines(slot, value))


def _lines(slot: Slot, value: Value) -> list[str]:
    if slot.kind == "chain":
        return [f"chain {slot.name}: {_rule(rule)}" for rule in value]
    if slot.kind == "set":
        return []
    shown = " ".join(str(part) for part in value if part != "")
    return [f"{slot.name}[{' . '.join(map(str, slot.key))}] {shown}".rstrip()]


def _address(name: str) -> str:
    return name.split("__")[1]


def _rule(rule: object) -> str:
    assert isinstance(rule, tuple)
    return rule_text(rule)


def test_plain_service_is_elements_and_a_chain_that_all_of_its_size_share() -> None:
    assert listed(layout(a_service(), a_slice("10.244.1.2", FAR))) == [
        "chain cluster-2: dnat ip to ip daddr . meta l4proto . th dport . numgen random mod 2 map @endpoints-2",
        "chain cluster-2: ip saddr != 10.244.0.0/16 meta mark set meta mark | 0x00004000",
        "cluster-ips[10.96.0.10]",
        "endpoints-2[10.96.0.10 . tcp . 80 . 0] 10.244.1.2 8080",
        "endpoints-2[10.96.0.10 . tcp . 80 . 1] 10.244.2.2 8080",
        "hairpin[10.244.1.2 . 10.244.1.2]",
        "service-ips[10.96.0.10 . tcp . 80] -4 cluster-2",
    ]


def test_node_port_has_maps_without_an_address() -> None:
    found = listed(layout(a_service("web", "10.96.0.10", a_port(80, node_port=30080)), a_slice("10.244.1.2")))
    assert "node-ports[tcp . 30080] -4 node-external-1" in found
    assert "node-endpoints-1[tcp . 30080 . 0] 10.244.1.2 8080" in found
    assert "chain node-external-1: meta mark set meta mark | 0x00004000" in found


def test_service_without_endpoints_is_rejected_everywhere() -> None:
    found = layout(a_service("web", "10.96.0.10", a_port(80, node_port=30080), externalIPs=["198.51.100.5"]))
    assert found[Slot("element", "no-endpoint-services", ("10.96.0.10", "tcp", 80))] == REJECT
    assert found[Slot("element", "no-endpoint-services", ("198.51.100.5", "tcp", 80))] == REJECT
    assert found[Slot("element", "no-endpoint-node-ports", ("tcp", 30080))] == REJECT


def test_local_policy_with_endpoints_elsewhere_drops() -> None:
    """The load balancer finds another node.  Rule: upstream pkg/proxy/nftables/proxier.go"""
    service = a_service(
        "web", "10.96.0.10", a_port(80, node_port=30080), internalTrafficPolicy="Local", externalTrafficPolicy="Local"
    )
    found = layout(service, a_slice(FAR))
    assert found[Slot("element", "no-endpoint-services", ("10.96.0.10", "tcp", 80))] == DROP
    assert found[Slot("element", "no-endpoint-node-ports", ("tcp", 30080))] == DROP


def test_external_local_lets_pods_and_the_node_go_everywhere() -> None:
    service = a_service("web", "10.96.0.10", a_port(80, node_port=30080), externalTrafficPolicy="Local")
    found = [line for line in listed(layout(service, a_slice("10.244.1.2", FAR))) if line.startswith("chain node-")]
    everywhere = "dnat ip to meta l4proto . th dport . numgen random mod 2 map @node-endpoints-2"
    assert found == [
        "chain node-external-local-2-1: dnat ip to meta l4proto . th dport . numgen random mod 1 map @node-local-endpoints-1",
        f"chain node-external-local-2-1: fib saddr type local {everywhere}",
        "chain node-external-local-2-1: fib saddr type local meta mark set meta mark | 0x00004000",
        f"chain node-external-local-2-1: ip saddr 10.244.0.0/16 {everywhere}",
    ]


def test_affinity_has_a_chain_and_a_set_of_clients_for_every_endpoint() -> None:
    found = layout(a_service(sessionAffinity="ClientIP"), a_slice("10.244.1.2", FAR))
    service = next(slot for slot in found if slot.kind == "chain" and slot.name.startswith("service-"))
    first, second = (slot.name.removeprefix("endpoint-") for slot in found if slot.name.startswith("endpoint-"))
    assert [line.split(": ")[1] for line in _lines(service, found[service])] == [
        "ip saddr != 10.244.0.0/16 meta mark set meta mark | 0x00004000",
        *(f"ip saddr @affinity-{one} goto endpoint-{one}" for one in sorted((first, second), key=_address)),
        *(
            f"{guard}goto endpoint-{one}"
            for guard, one in zip(("numgen random mod 2 0 ", ""), sorted((first, second), key=_address), strict=True)
        ),
    ]
    assert sum(slot.kind == "set" and slot.name.startswith("affinity-") for slot in found) == 2


def test_masquerade_all_and_no_cluster_range() -> None:
    """Rule: https://kubernetes.io/docs/reference/command-line-tools-reference/kube-proxy/ (--masquerade-all, --cluster-cidr)"""
    everything = listed(layout(a_service(), a_slice("10.244.1.2"), settings=replace(SETTINGS, masquerade_all=True)))
    assert "chain cluster-1: meta mark set meta mark | 0x00004000" in everything
    nothing = listed(layout(a_service(), a_slice("10.244.1.2"), settings=Settings()))
    assert not [line for line in nothing if "mark set" in line]


def test_node_ports_are_on_all_addresses_but_the_loopbacks_or_on_those_given() -> None:
    local = "fib daddr type local"
    lookup = "meta l4proto . th dport vmap @node-ports"
    assert rule_text(chains(SETTINGS)["services"][1]) == f"{local} ip daddr != 127.0.0.0/8 {lookup}"
    given = replace(SETTINGS, node_port_addresses=(IPv4Network("192.0.2.0/24"), IPv4Network("198.51.100.1/32")))
    assert [rule_text(rule) for rule in chains(given)["services"][1:]] == [
        f"ip daddr 192.0.2.0/24 {local} {lookup}",
        f"ip daddr 198.51.100.1 {local} {lookup}",
    ]


def test_change_of_one_endpoint_is_two_messages() -> None:
    """However many Services there are: elements deleted, elements added."""
    claims: Claims[str, Slot, Value] = Claims()
    claims.claim("web", layout(a_service(), a_slice(FAR)))
    other = an_endpoint("10.244.3.3", node="node-3", ready=True)
    assert len(alteration(merged(claims.claim("web", layout(a_service(), a_slice(other)))))) == 2
    assert len(alteration([])) == 0
