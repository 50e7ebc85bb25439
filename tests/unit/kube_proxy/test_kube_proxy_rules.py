"""From Services and EndpointSlices to where connections go."""

from typing import Any

import pytest

from kube_proxy.rules import PortRule, Target, proxied, rules
from tests.unit.kube_proxy.objects import HERE, a_port, a_service, a_slice, an_endpoint

FAR = an_endpoint("10.244.2.2", node="node-2", ready=True)


def only(found: list[PortRule]) -> PortRule:
    assert len(found) == 1
    return found[0]


def addresses(targets: tuple[Target, ...]) -> list[str]:
    return [target.address for target in targets]


def test_every_port_of_a_service_is_led_to_its_own_endpoints() -> None:
    service = a_service("web", "10.96.0.10", a_port(80, name="http"), a_port(443, name="https", node_port=30443))
    http, https = rules(service, [a_slice("10.244.1.2", name="http"), a_slice("10.244.1.2", name="https", port=8443)], HERE)
    assert (http.port, http.internal) == (80, (Target("10.244.1.2", 8080),))
    assert (https.port, https.node_port, https.internal) == (443, 30443, (Target("10.244.1.2", 8443),))
    assert (http.name, https.name) == ("default/web:http", "default/web:https")


def test_named_target_port_may_be_another_number_in_every_slice() -> None:
    """A slice holds the number that its pods resolve the name to.
    Rule: https://kubernetes.io/docs/concepts/services-networking/service/#field-spec-ports"""
    service = a_service("web", "10.96.0.10", a_port(80, target="http"))
    rule = only(rules(service, [a_slice("10.244.1.2", port=8080), a_slice("10.244.1.3", port=9090)], HERE))
    assert rule.internal == (Target("10.244.1.2", 8080), Target("10.244.1.3", 9090))


def test_one_number_with_two_protocols_makes_two_rules() -> None:
    service = a_service("dns", "10.96.0.10", a_port(53, name="dns", protocol="UDP"), a_port(53, name="dns-tcp"))
    slices = [a_slice("10.244.1.2", name="dns", protocol="UDP"), a_slice("10.244.1.3", name="dns-tcp")]
    udp, tcp = rules(service, slices, HERE)
    assert (udp.protocol, addresses(udp.internal)) == ("UDP", ["10.244.1.2"])
    assert (tcp.protocol, addresses(tcp.internal)) == ("TCP", ["10.244.1.3"])


@pytest.mark.parametrize(
    ("conditions", "used"),
    [
        ({}, True),  # unknown counts as ready
        ({"ready": True}, True),
        ({"ready": False}, False),
        ({"ready": False, "serving": True, "terminating": True}, True),
        ({"ready": False, "serving": False, "terminating": True}, False),
        ({"ready": False, "serving": True, "terminating": False}, False),
    ],
)
def test_alone_an_endpoint_is_used_when_ready_or_serving_to_its_end(conditions: dict[str, Any], used: bool) -> None:
    """Rule: KEP-1669, upstream pkg/proxy/topology.go"""
    rule = only(rules(a_service(), [a_slice(an_endpoint("10.244.1.2", **conditions))], HERE))
    assert bool(rule.internal) is used


def test_terminating_endpoint_is_not_used_beside_a_ready_one() -> None:
    leaving = an_endpoint("10.244.1.2", ready=False, serving=True, terminating=True)
    rule = only(rules(a_service(), [a_slice(leaving, "10.244.1.3")], HERE))
    assert addresses(rule.internal) == ["10.244.1.3"]


def test_address_in_two_slices_counts_once_and_as_ready_if_it_is_in_one() -> None:
    """While an endpoint moves between slices, it is in both."""
    rule = only(rules(a_service(), [a_slice(an_endpoint("10.244.1.2", ready=False)), a_slice("10.244.1.2")], HERE))
    assert addresses(rule.internal) == ["10.244.1.2"]


def test_internal_traffic_policy_local_leaves_only_this_nodes_endpoints() -> None:
    rule = only(rules(a_service(internalTrafficPolicy="Local"), [a_slice("10.244.1.2", FAR)], HERE))
    assert addresses(rule.internal) == ["10.244.1.2"]
    assert addresses(rule.external) == addresses(rule.usable) == ["10.244.1.2", "10.244.2.2"]


def test_external_traffic_policy_local_does_so_for_outsiders_alone() -> None:
    service = a_service(type="LoadBalancer", externalTrafficPolicy="Local", healthCheckNodePort=31000)
    rule = only(rules(service, [a_slice("10.244.1.2", FAR)], HERE))
    assert addresses(rule.internal) == ["10.244.1.2", "10.244.2.2"]
    assert addresses(rule.external) == ["10.244.1.2"]
    assert (rule.external_local, rule.health_check_node_port) == (True, 31000)


def test_local_endpoints_that_terminate_serve_while_no_local_one_is_ready() -> None:
    """Also if others are ready elsewhere.  Rule: KEP-1669"""
    leaving = an_endpoint("10.244.1.2", ready=False, serving=True, terminating=True)
    rule = only(rules(a_service(type="NodePort", externalTrafficPolicy="Local"), [a_slice(leaving, FAR)], HERE))
    assert addresses(rule.external) == ["10.244.1.2"]
    assert addresses(rule.internal) == ["10.244.2.2"]


def test_load_balancer_addresses_and_external_ips_are_served_in_ipv4() -> None:
    service = a_service(
        type="LoadBalancer", externalIPs=["198.51.100.5", "2001:db8::1"], balancer=("203.0.113.7",),
        loadBalancerSourceRanges=["192.0.2.0/24", "2001:db8::/32"],
    )  # fmt: skip
    rule = only(rules(service, [], HERE))
    assert rule.external_ips == ("198.51.100.5", "203.0.113.7")
    assert (rule.load_balancer_ips, rule.source_ranges) == (("203.0.113.7",), ("192.0.2.0/24",))


def test_session_affinity_lasts_three_hours_unless_it_says() -> None:
    """Rule: https://kubernetes.io/docs/reference/networking/virtual-ips/#session-affinity"""
    assert only(rules(a_service(sessionAffinity="ClientIP"), [], HERE)).affinity_seconds == 10800
    config = {"clientIP": {"timeoutSeconds": 3}}
    assert only(rules(a_service(sessionAffinity="ClientIP", sessionAffinityConfig=config), [], HERE)).affinity_seconds == 3
    assert only(rules(a_service(sessionAffinity="None"), [], HERE)).affinity_seconds == 0


def test_what_cannot_be_an_address_is_left_out() -> None:
    """One odd object, which a laxer server let in, must not stop the rules of all others."""
    service = a_service(type="LoadBalancer", externalIPs=["nonsense"], loadBalancerSourceRanges=["10.0.0.0/99", "10.0.0.0/8"])
    rule = only(rules(service, [a_slice("nonsense", "10.244.1.2", {"addresses": []})], HERE))
    assert (addresses(rule.internal), rule.external_ips, rule.source_ranges) == (["10.244.1.2"], (), ("10.0.0.0/8",))


def test_services_of_others_are_left_alone() -> None:
    """Headless ones, ExternalName, another proxy's.  Rule: https://kubernetes.io/docs/concepts/services-networking/service/"""
    assert proxied(a_service())
    assert not proxied(a_service(clusterIP="None"))
    assert not proxied(a_service(type="ExternalName", clusterIP=""))
    assert not proxied(a_service(labels={"service.kubernetes.io/service-proxy-name": "other"}))
    assert not proxied(a_service(labels={"service.kubernetes.io/headless": ""}))


def test_dual_stack_service_has_rules_for_each_of_its_addresses() -> None:
    """Rule: https://kubernetes.io/docs/concepts/services-networking/dual-stack/"""
    service = a_service(clusterIPs=["10.96.0.10", "FD00::10"], externalIPs=["198.51.100.5", "2001:db8:0::1"])
    four, six = rules(service, [a_slice("10.244.1.2"), a_slice("fd00:1::2", family="IPv6")], HERE)
    assert (four.family, four.cluster_ip, addresses(four.internal)) == ("IPv4", "10.96.0.10", ["10.244.1.2"])
    assert (six.family, six.cluster_ip, addresses(six.internal)) == ("IPv6", "fd00::10", ["fd00:1::2"])
    assert (four.external_ips, six.external_ips) == (("198.51.100.5",), ("2001:db8::1",))


def hinted(address: str, *zones: str, **more: Any) -> dict[str, Any]:
    return {**an_endpoint(address, ready=True), "hints": {"forZones": [{"name": zone} for zone in zones], **more}}


@pytest.mark.parametrize(
    ("zone", "endpoints", "used"),
    [
        ("a", [hinted("10.244.1.2", "a"), hinted("10.244.2.2", "b")], ["10.244.1.2"]),
        ("a", [hinted("10.244.1.2", "a"), an_endpoint("10.244.2.2", ready=True)], ["10.244.1.2", "10.244.2.2"]),  # one without
        ("c", [hinted("10.244.1.2", "a"), hinted("10.244.2.2", "b")], ["10.244.1.2", "10.244.2.2"]),  # none for this zone
        ("", [hinted("10.244.1.2", "a"), hinted("10.244.2.2", "b")], ["10.244.1.2", "10.244.2.2"]),  # a node without a zone
        ("b", [hinted("10.244.1.2", "b", forNodes=[{"name": "node-1"}]), hinted("10.244.2.2", "b", forNodes=[{"name": "x"}])],
         ["10.244.1.2"]),
    ],
)  # fmt: skip
def test_hints_keep_connections_near(zone: str, endpoints: list[dict[str, Any]], used: list[str]) -> None:
    """trafficDistribution: PreferClose and its kin, as hints of the slices.
    Rule: KEP-2433, KEP-3015, upstream pkg/proxy/topology.go"""
    rule = only(rules(a_service(), [a_slice(*endpoints)], HERE._replace(zone=zone)))
    assert addresses(rule.internal) == used
