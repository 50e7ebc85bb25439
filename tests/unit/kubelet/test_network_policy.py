"""What network policies allow, as the node's packet filter has it. Rule: https://kubernetes.io/docs/concepts/services-networking/network-policies/"""

from collections.abc import Sequence
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest

from kube.api.types import NetworkPolicy, Pod
from kube.api.views import view
from kubelet.network.policy import Filter, Peer, block_networks, peers_of, policy_filter
from kubelet.network.policy_text import change, whole
from tests.unit.kubelet.policies import labels, namespace, peer, policy

GOLDEN = Path(__file__).parent / "network_policy.nft"
HTTP, ADMIN = {"name": "http", "containerPort": 8080}, {"name": "admin", "containerPort": 53, "protocol": "UDP"}
WEB = peer("default", "web-0", "10.244.1.5", HTTP, ADMIN, app="web")
CLIENT = peer("default", "client", "10.244.1.6", app="client")
PROBE = peer("monitoring", "prometheus", "10.244.2.9", app="prometheus")
LOG = peer("monitoring", "log", "10.244.2.10", app="log")
NAMESPACES = [namespace("default"), namespace("monitoring", team="ops")]
DENY_ALL = policy("deny-all", policyTypes=["Ingress", "Egress"])


def made(*policies: NetworkPolicy, local: Sequence[Peer] = (WEB, CLIENT), pods: Sequence[Peer] = (PROBE, LOG)) -> Filter:
    return policy_filter(policies, NAMESPACES, local, pods)


def allowed_by(**spec: Any) -> tuple[Filter, tuple[str, ...]]:
    """The filter, and the rules of the one policy for the web pods."""
    found = made(policy("allow", labels(app="web"), **spec))
    direction = "egress" if "egress" in spec else "ingress"
    return found, found.chains[f"{direction}/default/allow"]


def test_pod_that_no_policy_selects_passes_everything() -> None:
    assert made() == Filter()
    assert made(policy("elsewhere", within="monitoring")) == Filter()
    assert WEB.address not in made(policy("client-only", labels(app="client"))).ingress


def test_policy_without_rules_isolates_every_pod_of_its_namespace() -> None:
    found = made(DENY_ALL)
    assert found.ingress.keys() == found.egress.keys() == {WEB.address, CLIENT.address}
    assert found.chains["ingress/default/deny-all"] == ()
    assert {rules for name, rules in found.chains.items() if "-pods/" in name} == {
        ("jump ingress/default/deny-all", "drop"),
        ("jump egress/default/deny-all", "drop"),
    }


def test_policy_types_default_to_ingress_and_to_egress_where_it_has_rules() -> None:
    assert not made(policy("plain")).egress
    both = made(policy("both", egress=[{}]))
    assert both.egress.keys() == both.ingress.keys() == {WEB.address, CLIENT.address}
    only = made(policy("only", egress=[{}], policyTypes=["Egress"]))
    assert not only.ingress


def test_empty_rule_allows_all() -> None:
    assert allowed_by(ingress=[{}])[1] == ("accept",)
    assert allowed_by(egress=[{}])[1] == ("accept",)


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        ({"podSelector": labels(app="client")}, [CLIENT]),
        ({"podSelector": {}}, [WEB, CLIENT]),
        ({"namespaceSelector": {}}, [WEB, CLIENT, PROBE, LOG]),
        ({"namespaceSelector": labels(team="ops")}, [PROBE, LOG]),
        ({"namespaceSelector": labels(team="ops"), "podSelector": labels(app="log")}, [LOG]),
        ({"namespaceSelector": labels(team="none")}, []),
    ],
)
def test_peers_are_of_the_own_namespace_unless_namespaces_are_selected(who: Any, expected: list[Peer]) -> None:
    found, rules = allowed_by(ingress=[{"from": [who]}])
    assert rules == ("ip saddr @ingress/default/allow/0/pods accept",)
    assert found.sets["ingress/default/allow/0/pods"].elements == {str(one.address) for one in expected}


def test_two_peers_of_a_rule_are_either_and_two_selectors_of_a_peer_are_both() -> None:
    either = [{"namespaceSelector": labels(team="ops")}, {"podSelector": labels(app="client")}]
    found, _ = allowed_by(ingress=[{"from": either}])
    assert found.sets["ingress/default/allow/0/pods"].elements == {"10.244.1.6", "10.244.2.9", "10.244.2.10"}


def test_block_is_without_its_exceptions_alone() -> None:
    blocks = [{"ipBlock": {"cidr": "192.0.2.0/24", "except": ["192.0.2.0/25"]}}, {"ipBlock": {"cidr": "192.0.2.8/29"}}]
    found, rules = allowed_by(egress=[{"to": blocks}])
    assert rules == ("ip daddr @egress/default/allow/0/blocks accept",)
    assert found.sets["egress/default/allow/0/blocks"].elements == {"192.0.2.8/29", "192.0.2.128/25"}
    wide = policy("x", ingress=[{"from": [{"ipBlock": {"cidr": "fd00::/8"}}]}]).spec.ingress[0].from_[0].ipBlock
    assert block_networks(wide) == []


def test_ports_are_numbers_ranges_and_whole_protocols() -> None:
    ports = [{"port": 80}, {"protocol": "UDP", "port": 53}, {"port": 8000, "endPort": 8100}, {"protocol": "SCTP"}]
    _, rules = allowed_by(ingress=[{"ports": ports}])
    assert rules == ("tcp dport 80 accept", "udp dport 53 accept", "tcp dport 8000-8100 accept", "meta l4proto sctp accept")


def test_named_port_is_the_one_of_the_pod_that_is_spoken_to() -> None:
    found, rules = allowed_by(ingress=[{"ports": [{"port": "http"}, {"port": "admin", "protocol": "UDP"}]}])
    assert rules == ("ip daddr . meta l4proto . th dport @ingress/default/allow/0/ports accept",)
    assert found.sets["ingress/default/allow/0/ports"].elements == {"10.244.1.5 . tcp . 8080", "10.244.1.5 . udp . 53"}
    towards, _ = allowed_by(egress=[{"to": [{"namespaceSelector": {}}], "ports": [{"port": "http"}]}])
    assert towards.sets["egress/default/allow/0/ports"].elements == {"10.244.1.5 . tcp . 8080"}
    assert (
        allowed_by(ingress=[{"ports": [{"port": "http", "protocol": "UDP"}]}])[0].sets["ingress/default/allow/0/ports"].elements
        == frozenset()
    )


def test_pods_on_the_hosts_network_and_ended_ones_are_no_peers() -> None:
    """Rule: field lesson: a policy never touches the node's own traffic"""

    def found(**changes: Any) -> list[IPv4Address]:
        tree = {"metadata": {"name": "x"}, "spec": {"containers": [], **changes.get("spec", {})}}
        tree["status"] = {"podIP": "10.244.1.9", "phase": "Running", **changes.get("status", {})}
        return [one.address for one in peers_of([view(Pod, tree)])]

    assert found() == [IPv4Address("10.244.1.9")]
    assert found(spec={"hostNetwork": True}) == []
    assert found(status={"phase": "Succeeded"}) == []
    assert found(status={"podIP": ""}) == []


def test_change_holds_only_what_differs() -> None:
    """A pod that comes is an element, not a new table."""
    allow = policy("allow", labels(app="web"), ingress=[{"from": [{"namespaceSelector": {}}]}])
    before, after = made(allow, pods=[PROBE]), made(allow, pods=[PROBE, LOG])
    assert change(before, after) == "add element ip skiff-network-policy ingress/default/allow/0/pods { 10.244.2.10 }\n"
    assert change(after, after) == ""


def test_rules_as_a_person_reads_them() -> None:
    """The golden file: what `nft -f` takes."""
    peers = [
        {"podSelector": labels(app="client")},
        {"namespaceSelector": labels(team="ops"), "podSelector": labels(app="prometheus")},
        {"ipBlock": {"cidr": "192.0.2.0/24", "except": ["192.0.2.64/26"]}},
    ]
    web = policy(
        "web",
        labels(app="web"),
        policyTypes=["Ingress", "Egress"],
        ingress=[{"from": peers, "ports": [{"port": "http"}]}],
        egress=[{"to": [{"namespaceSelector": labels(team="ops")}], "ports": [{"port": 53, "protocol": "UDP"}]}],
    )
    assert whole(made(policy("deny-ingress"), web)) == GOLDEN.read_text()
