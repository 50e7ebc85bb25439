"""Conntrack: UDP flows that still lead to an endpoint that is gone.

The rules see a flow's first packet alone; a UDP client that keeps its port would follow its old endpoint for ever. After every
change of a UDP port's endpoints, the flows to it that lead elsewhere are forgotten, and their next packet is led anew. TCP
needs none of this: its connections end with their endpoint.
https://kubernetes.io/docs/reference/networking/virtual-ips/ · upstream pkg/proxy/conntrack/cleanup.go
"""

import errno
import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pyroute2.netlink.exceptions import NetlinkError
from pyroute2.netlink.nfnetlink.nfctsocket import NFCTAttrTuple, NFCTSocket

from kube_proxy.rules import PortRule, Target

DESTINATION_CHANGED = 1 << 5  # IPS_DST_NAT


class Flow(NamedTuple):
    """A UDP flow: where its client sends to, and who answers."""

    front: Target
    back: Target
    led: bool  # its destination was changed by a rule
    source: Target


@dataclass(frozen=True)
class Fronts:
    """The addresses and the node ports that clients send to, each with the endpoints that it may lead to."""

    addresses: Mapping[Target, frozenset[Target]]
    node_ports: Mapping[int, frozenset[Target]]


def fronts(changed: Iterable[tuple[Sequence[PortRule], Sequence[PortRule]]]) -> Fronts:
    """Of the UDP ports of Services that changed, each as it was and as it is; a front that is no more leads to nothing."""
    pairs = list(changed)
    nothing: frozenset[Target] = frozenset()
    sides = [(rule, nothing) for before, _ in pairs for rule in before]
    sides += [(rule, rule.targets) for _, now in pairs for rule in now]
    addresses: dict[Target, frozenset[Target]] = {}
    node_ports: dict[int, frozenset[Target]] = {}
    for rule, targets in sides:
        if rule.protocol != "UDP":
            continue
        addresses.update({Target(address, rule.port): targets for address in (rule.cluster_ip, *rule.external_ips)})
        if rule.node_port:
            node_ports[rule.node_port] = node_ports.get(rule.node_port, nothing) | targets
    return Fronts(addresses, node_ports)


def stale(flow: Flow, to: Fronts) -> bool:
    """Whether the flow is to one of these fronts, and led to none of its endpoints."""
    if flow.front in to.addresses:
        return flow.back not in to.addresses[flow.front]
    return flow.led and flow.front.port in to.node_ports and flow.back not in to.node_ports[flow.front.port]


def forget_stale(to: Fronts) -> int:
    """Delete stale flows; returns how many. Blocks."""
    if not to.addresses and not to.node_ports:
        return 0
    families = [socket.AF_INET]
    if any(":" in front.address for front in to.addresses):
        families.append(socket.AF_INET6)
    return sum(_forget_of(family, to) for family in families)


def _forget_of(family: int, to: Fronts) -> int:
    with NFCTSocket(family) as conntrack:
        found = [flow for flow in _udp_flows(conntrack, family) if stale(flow, to)]
        for flow in found:
            _forget(conntrack, family, flow)
    return len(found)


def _udp_flows(conntrack: Any, family: int) -> list[Flow]:
    entries = conntrack.dump(tuple_orig=NFCTAttrTuple(family, proto=socket.IPPROTO_UDP))
    return [flow for entry in entries if (flow := _flow(entry, family)) is not None]


def _flow(entry: Any, family: int) -> Flow | None:
    if entry["nfgen_family"] != family:
        return None
    sent, answered = (NFCTAttrTuple.from_netlink(family, entry.get_attr(name)) for name in ("CTA_TUPLE_ORIG", "CTA_TUPLE_REPLY"))
    if sent.proto != socket.IPPROTO_UDP:  # kernels before 5.8 do not filter
        return None
    led = bool(entry.get_attr("CTA_STATUS") & DESTINATION_CHANGED)
    front, back = Target(sent.daddr, sent.dport), Target(answered.saddr, answered.sport)
    return Flow(front, back, led, Target(sent.saddr, sent.sport))


def _forget(conntrack: Any, family: int, flow: Flow) -> None:
    original = NFCTAttrTuple(
        family,
        saddr=flow.source.address,
        daddr=flow.front.address,
        proto=socket.IPPROTO_UDP,
        sport=flow.source.port,
        dport=flow.front.port,
    )
    try:
        conntrack.entry("del", tuple_orig=original)
    except NetlinkError as error:
        if error.code != errno.ENOENT:  # it ran out meanwhile
            raise
