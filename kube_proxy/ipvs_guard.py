"""The table beside IPVS: what of a Service the kernel's load balancer does not do, in nftables and in iptables. Pure.

It marks what must be masqueraded, keeps loadBalancerSourceRanges, refuses what nobody serves, drops what only other nodes serve
(policy Local), and turns a pod's connection to itself. It leads nowhere.
https://kubernetes.io/docs/reference/networking/virtual-ips/#proxy-mode-ipvs · upstream pkg/proxy/ipvs/README.md
"""

from collections.abc import Iterator, Mapping, Sequence

from kube_proxy import nft_expression as nft
from kube_proxy.iptables_rules import Lines, masquerade_lines, refusal_line
from kube_proxy.layout import Settings, Slot, Value, Verdict, masquerade_external, masquerade_internal, slots
from kube_proxy.rules import PortRule

KEPT = ("hairpin", "firewall-ips")


def guard_slots(rules: Sequence[PortRule], settings: Settings) -> Mapping[Slot, Value]:
    """What of a Service is in the table: a part of what mode nftables has, and marks in place of endpoints. Pure."""
    found: dict[Slot, Value] = {}
    for slot, value in slots(rules, settings).items():
        if slot.name in KEPT or slot.name.startswith("firewall-") or slot.name.startswith("no-endpoint-"):
            found[slot] = value
    for rule in rules:
        protocol = rule.protocol.lower()
        fronts: list[tuple[str, str, tuple[str | int, ...]]]
        fronts = [("cluster", "service-ips", (rule.cluster_ip, protocol, rule.port))] if rule.internal else []
        if rule.external and not rule.external_local:
            fronts += [("external", "service-ips", (address, protocol, rule.port)) for address in rule.external_ips]
            fronts += [("external", "node-ports", (protocol, rule.node_port))] if rule.node_port else []
        for kind, name, key in fronts:
            marks = masquerade_external() if kind == "external" else masquerade_internal(settings)
            if marks:
                found[Slot("chain", f"ipvs-{kind}")] = marks
                found[Slot("element", name, key)] = Verdict(nft.GOTO, f"ipvs-{kind}")
    return found


def guard_lines(rules: Sequence[PortRule], settings: Settings) -> Lines:
    """The same in iptables, all of it in chains that Services share."""
    found = Lines()
    for rule in rules:
        match = f"-m {rule.protocol.lower()} -p {rule.protocol.lower()}"
        at_cluster_ip = f"{match} -d {rule.cluster_ip} --dport {rule.port}"
        for line in masquerade_lines(rule, at_cluster_ip, settings) if rule.internal else ():
            found.share("nat", "KUBE-SERVICES", line)
        if not rule.internal:
            found.share("filter", "KUBE-EXTERNAL-SERVICES", refusal_line(rule, at_cluster_ip))
        for target in sorted(rule.targets & rule.local_targets):
            found.share("nat", "KUBE-POSTROUTING", f"-s {target.address} -d {target.address} -j MASQUERADE --random-fully")
        for at_front, chain in _external_fronts(rule, match):
            if rule.external and not rule.external_local:
                note = f'-m comment --comment "masquerade traffic for {rule.name} external destinations"'
                found.share("nat", chain, f"{note} {at_front} -j KUBE-MARK-MASQ")
            elif not rule.external:
                found.share("filter", "KUBE-EXTERNAL-SERVICES", refusal_line(rule, at_front))
        for address in rule.load_balancer_ips if rule.source_ranges else ():
            at_address = f"{match} -d {address} --dport {rule.port}"
            for allowed in rule.source_ranges:
                found.share("filter", "KUBE-PROXY-FIREWALL", f"-s {allowed} {at_address} -j RETURN")
            found.share("filter", "KUBE-PROXY-FIREWALL", f"{at_address} -j DROP")
    return found


def _external_fronts(rule: PortRule, match: str) -> Iterator[tuple[str, str]]:
    """What comes from outside: how it is told, and the chain of the nat table that sees it."""
    for address in rule.external_ips:
        yield f"{match} -d {address} --dport {rule.port}", "KUBE-SERVICES"
    if rule.node_port:
        yield f"-m addrtype --dst-type LOCAL {match} --dport {rule.node_port}", "KUBE-NODEPORTS"
