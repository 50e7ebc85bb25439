"""Skeleton: the chains of the table that stand whatever Services there are. Pure.

Packets meet, in this order: the firewall (loadBalancerSourceRanges, before the destination changes), the Services (destination
changes), refusals (what still has a Service's address has no endpoint, or a port that is not served), and masquerading.
Refusals stand in input, forward and output, where the kernel can answer; they look at a connection's first packet alone.
https://kubernetes.io/docs/reference/networking/virtual-ips/ · upstream pkg/proxy/nftables/proxier.go
"""

from collections.abc import Iterator
from typing import NamedTuple

from kube_proxy import nft_expression as nft
from kube_proxy.layout import MASQUERADE_BIT, NODE_FIELDS, Settings
from kube_proxy.nft_expression import Part, Rule

TCP = 6


class Hook(NamedTuple):
    """Where a chain is called from. The numbers are the kernel's (NF_INET_*)."""

    type: str
    number: int
    priority: int


PREROUTING, INPUT, FORWARD, OUTPUT, POSTROUTING = 0, 1, 2, 3, 4
DSTNAT, FILTER, SRCNAT = -100, 0, 100

HOOKS = {
    "filter-prerouting": Hook("filter", PREROUTING, DSTNAT - 10),
    "filter-output-before-dnat": Hook("filter", OUTPUT, DSTNAT - 10),
    "filter-input": Hook("filter", INPUT, FILTER),
    "filter-forward": Hook("filter", FORWARD, FILTER),
    "filter-output": Hook("filter", OUTPUT, FILTER),
    "nat-prerouting": Hook("nat", PREROUTING, DSTNAT),
    "nat-output": Hook("nat", OUTPUT, DSTNAT),
    "nat-postrouting": Hook("nat", POSTROUTING, SRCNAT),
}


def chains(settings: Settings) -> dict[str, tuple[Rule, ...]]:
    """Every standing chain with its rules."""
    first, family, vip = nft.is_new(), settings.family, settings.vip_fields
    to_services = ((nft.jump("services"),),)
    to_firewall = ((first, nft.jump("firewall-check")),)
    to_refusals: tuple[Rule, ...] = ((first, nft.jump("service-endpoints-check")), (first, nft.jump("cluster-ips-check")))
    return {
        "filter-prerouting": to_firewall,
        "filter-output-before-dnat": to_firewall,
        "filter-input": ((first, nft.jump("node-port-endpoints-check")), (first, nft.jump("service-endpoints-check"))),
        "filter-forward": to_refusals,
        "filter-output": to_refusals,
        "nat-prerouting": to_services,
        "nat-output": to_services,
        "nat-postrouting": (
            (nft.marked(MASQUERADE_BIT), nft.jump("masquerading")),
            (nft.in_set([family.source, family.destination], "hairpin"), nft.masquerade()),
        ),
        "masquerading": ((nft.clear_mark(MASQUERADE_BIT),), (nft.masquerade(),)),
        "services": ((nft.verdict_of(vip, "service-ips"),), *_node_port_rules("node-ports", settings)),
        "firewall-check": ((nft.verdict_of(vip, "firewall-ips"),),),
        "service-endpoints-check": ((nft.verdict_of(vip, "no-endpoint-services"),),),
        "node-port-endpoints-check": tuple(_node_port_rules("no-endpoint-node-ports", settings)),
        "cluster-ips-check": tuple(_cluster_ip_rules(settings)),
        "reject-chain": ((nft.is_protocol("tcp", TCP), nft.reset()), (nft.reject(family),)),
    }


def _node_port_rules(name: str, settings: Settings) -> Iterator[Rule]:
    """NodePorts are served on this node's own addresses: on those of the networks given, or on all but the loopback's."""
    local, lookup = nft.is_local(nft.DESTINATION_TYPE), nft.verdict_of(NODE_FIELDS, name)
    destination = settings.family.destination
    for network in settings.node_port_addresses:
        yield nft.within(destination, network), local, lookup
    if not settings.node_port_addresses:
        yield local, nft.within(destination, settings.family.loopback, negated=True), lookup


def _cluster_ip_rules(settings: Settings) -> Iterator[tuple[Part, ...]]:
    """A port that a cluster IP does not serve is refused; an address that no Service has is a dead end."""
    destination = settings.family.destination
    yield nft.in_set([destination], "cluster-ips"), nft.goto("reject-chain")
    if settings.service_cidr is not None:
        yield nft.within(destination, settings.service_cidr), nft.drop()
