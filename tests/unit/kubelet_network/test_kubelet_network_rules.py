"""The pod network's rules, as text."""

from ipaddress import IPv4Address, IPv4Network

from kubelet.network import rules
from kubelet.pod_network import HostPort


def test_only_what_leaves_the_cluster_is_masqueraded() -> None:
    text = rules.table("cni0", IPv4Network("10.244.1.0/24"), IPv4Network("10.244.0.0/16"))
    assert "postrouting ip saddr 10.244.1.0/24 ip daddr != { 10.244.0.0/16, 224.0.0.0/4 } masquerade" in text


def test_table_keeps_the_maps_elements_when_it_is_written_again() -> None:
    text = rules.table("cni0", IPv4Network("10.244.1.0/24"), IPv4Network("10.244.0.0/16"))
    assert "flush map" not in text
    assert "delete" not in text


def test_host_port_without_an_address_is_for_all_of_them() -> None:
    ports = [HostPort("", 80, 8080, "TCP"), HostPort("0.0.0.0", 53, 5353, "UDP"), HostPort("192.0.2.1", 80, 8081, "TCP")]
    assert rules.add_host_ports(IPv4Address("10.244.1.2"), ports).splitlines() == [
        "create element ip skiff-pod-network host-ports { tcp . 80 : 10.244.1.2 . 8080 }",
        "create element ip skiff-pod-network host-ports { udp . 53 : 10.244.1.2 . 5353 }",
        "create element ip skiff-pod-network host-ip-ports { 192.0.2.1 . tcp . 80 : 10.244.1.2 . 8081 }",
    ]
    assert rules.delete_host_ports(ports[2:]) == ("delete element ip skiff-pod-network host-ip-ports { 192.0.2.1 . tcp . 80 }\n")
