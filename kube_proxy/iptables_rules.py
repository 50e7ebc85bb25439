"""What the rules of a Service are in iptables: chains of its own, and its lines in chains that all Services share. Pure.

    KUBE-SERVICES   nat: cluster IPs and load balancer addresses -> KUBE-SVC-…, KUBE-EXT-…; filter: refusals without endpoints
    KUBE-NODEPORTS  nat: node ports -> KUBE-EXT-…
    KUBE-SVC-HASH   to one of all endpoints by chance; KUBE-SVL-HASH: of those on this node
    KUBE-EXT-HASH   what comes from outside: marked for masquerading (policy Cluster), then to KUBE-SVC-… or KUBE-SVL-…
    KUBE-SEP-HASH   one endpoint: DNAT; with session affinity, remembers the client by xt_recent
    KUBE-FW-HASH    loadBalancerSourceRanges; what returns from it is dropped by KUBE-PROXY-FIREWALL

Names, hashes, comments and order are upstream's, so that what people know from tutorials shows in `iptables-save`.
https://kubernetes.io/docs/reference/networking/virtual-ips/#proxy-mode-iptables · upstream pkg/proxy/iptables/proxier.go
"""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from kube_proxy.layout import Settings
from kube_proxy.rules import PortRule, Target

MARK = "0x4000/0x4000"
SHARED = {  # the chains that stand, in their tables
    "filter": ("KUBE-SERVICES", "KUBE-EXTERNAL-SERVICES", "KUBE-NODEPORTS", "KUBE-FORWARD", "KUBE-PROXY-FIREWALL"),
    "nat": ("KUBE-SERVICES", "KUBE-NODEPORTS", "KUBE-POSTROUTING", "KUBE-MARK-MASQ"),
}
_NEW = "-m conntrack --ctstate NEW "
JUMPS = (  # table, chain of the host's, rule; first in their chains
    *(("filter", at, f'{_NEW}-m comment --comment "kubernetes load balancer firewall" -j KUBE-PROXY-FIREWALL')
      for at in ("INPUT", "FORWARD", "OUTPUT")),
    *(("filter", at, f'{_NEW}-m comment --comment "kubernetes externally-visible service portals" -j KUBE-EXTERNAL-SERVICES')
      for at in ("INPUT", "FORWARD")),
    *(("filter", at, f'{_NEW}-m comment --comment "kubernetes service portals" -j KUBE-SERVICES') for at in ("FORWARD", "OUTPUT")),
    ("filter", "FORWARD", '-m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD'),
    ("filter", "INPUT", '-m comment --comment "kubernetes health check service ports" -j KUBE-NODEPORTS'),
    *(("nat", at, '-m comment --comment "kubernetes service portals" -j KUBE-SERVICES') for at in ("PREROUTING", "OUTPUT")),
    ("nat", "POSTROUTING", '-m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING'),
)  # fmt: skip

Place = tuple[str, str]  # a table and a chain


@dataclass
class Lines:
    """What one Service has: whole chains in the nat table, and lines of shared chains."""

    chains: dict[str, tuple[str, ...]] = field(default_factory=dict)
    shared: dict[Place, list[str]] = field(default_factory=dict)

    def share(self, table: str, chain: str, line: str) -> None:
        self.shared.setdefault((table, chain), []).append(line)


def lines_of(rules: Sequence[PortRule], settings: Settings) -> Lines:
    found = Lines()
    for rule in rules:
        _add_port(found, rule, settings)
    return found


def standing(settings: Settings) -> dict[Place, tuple[str, ...]]:
    """The lines of shared chains that do not depend on Services; they come last."""
    return {
        ("filter", "KUBE-FORWARD"): (
            "-m conntrack --ctstate INVALID -j DROP",
            f'-m comment --comment "kubernetes forwarding rules" -m mark --mark {MARK} -j ACCEPT',
            '-m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
        ),
        ("nat", "KUBE-MARK-MASQ"): ("-j MARK --or-mark 0x4000",),
        ("nat", "KUBE-POSTROUTING"): (
            f"-m mark ! --mark {MARK} -j RETURN",
            "-j MARK --xor-mark 0x4000",
            '-m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully',
        ),
        ("nat", "KUBE-SERVICES"): tuple(_to_node_ports(settings)),
    }


def _to_node_ports(settings: Settings) -> Iterator[str]:
    note = '-m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain"'
    for network in settings.node_port_addresses:
        yield f"{note} -m addrtype --dst-type LOCAL -d {network} -j KUBE-NODEPORTS"
    if not settings.node_port_addresses:
        yield f"{note} -m addrtype --dst-type LOCAL ! -d {settings.family.loopback} -j KUBE-NODEPORTS"


def chain_name(kind: str, rule: PortRule, target: Target | None = None) -> str:
    """KUBE-SVC-XPGD46QRK7WJZT7O and the like: 16 letters of the hash of the port's name."""
    words = rule.name + rule.protocol.lower() + (_shown(target) if target is not None else "")
    return f"KUBE-{kind}-{base64.b32encode(sha256(words.encode()).digest()).decode()[:16]}"


def _shown(target: Target) -> str:
    return f"[{target.address}]:{target.port}" if ":" in target.address else f"{target.address}:{target.port}"


def _add_port(found: Lines, rule: PortRule, settings: Settings) -> None:
    protocol = rule.protocol.lower()
    whole, local = chain_name("SVC", rule), chain_name("SVL", rule)
    match = f"-m {protocol} -p {protocol}"
    at_cluster_ip = f"{match} -d {rule.cluster_ip} --dport {rule.port}"
    for target in sorted(rule.targets):
        found.chains[chain_name("SEP", rule, target)] = tuple(_endpoint(rule, target))
    inside_local = rule.internal != rule.usable
    if rule.usable:
        found.chains[whole] = tuple(_spread(rule, rule.usable))
    local_targets = rule.external if rule.external_local else rule.internal if inside_local else ()
    if local_targets:
        found.chains[local] = tuple(_spread(rule, local_targets))
    if rule.internal:
        inner = local if inside_local else whole
        found.share("nat", "KUBE-SERVICES", f'-m comment --comment "{rule.name} cluster IP" {at_cluster_ip} -j {inner}')
        found.chains[inner] = (*masquerade_lines(rule, at_cluster_ip, settings), *found.chains[inner])
    else:
        found.share("filter", "KUBE-SERVICES", refusal_line(rule, at_cluster_ip))
    if rule.external_ips or rule.node_port:
        _add_external(found, rule, match, settings)


def _add_external(found: Lines, rule: PortRule, match: str, settings: Settings) -> None:
    chain = chain_name("EXT", rule)
    if rule.usable:
        found.chains[chain] = tuple(_external(rule, settings))
    if rule.source_ranges:
        allowed = (f'-m comment --comment "{rule.name} loadbalancer IP" -s {one} -j {chain}' for one in rule.source_ranges)
        note = f'-m comment --comment "other traffic to {rule.name} will be dropped by KUBE-PROXY-FIREWALL"'
        if rule.usable and rule.load_balancer_ips:
            found.chains[chain_name("FW", rule)] = (*allowed, note)
    for address in rule.external_ips:
        at_address, balancer = f"{match} -d {address} --dport {rule.port}", address in rule.load_balancer_ips
        guarded = balancer and bool(rule.source_ranges)
        to, kind = chain_name("FW", rule) if guarded else chain, "loadbalancer IP" if balancer else "external IP"
        if rule.usable:
            found.share("nat", "KUBE-SERVICES", f'-m comment --comment "{rule.name} {kind}" {at_address} -j {to}')
        if guarded:
            note = f'-m comment --comment "{rule.name} traffic not accepted by {chain_name("FW", rule)}"'
            found.share("filter", "KUBE-PROXY-FIREWALL", f"{note} {at_address} -j DROP")
        if not rule.external:
            found.share("filter", "KUBE-EXTERNAL-SERVICES", refusal_line(rule, at_address))
            found.share("filter", "KUBE-SERVICES", refusal_line(rule, at_address))
    if rule.node_port:
        at_port = f"{match} --dport {rule.node_port}"
        if rule.usable:
            found.share("nat", "KUBE-NODEPORTS", f'-m comment --comment "{rule.name}" {at_port} -j {chain}')
        if not rule.external:
            refusal = refusal_line(rule, f"-m addrtype --dst-type LOCAL {at_port}")
            found.share("filter", "KUBE-EXTERNAL-SERVICES", refusal)
            if not rule.usable:  # the node's own connections; with endpoints elsewhere they are led there
                found.share("filter", "KUBE-SERVICES", refusal)
    if rule.health_check_node_port:
        note = f'-m comment --comment "{rule.name} health check node port"'
        found.share("filter", "KUBE-NODEPORTS", f"{note} -m tcp -p tcp --dport {rule.health_check_node_port} -j ACCEPT")


def refusal_line(rule: PortRule, match: str) -> str:
    """REJECT where nobody serves, DROP where somebody does on another node."""
    why, verdict = ("has no local endpoints", "DROP") if rule.usable else ("has no endpoints", "REJECT")
    return f'-m comment --comment "{rule.name} {why}" {match} -j {verdict}'


def masquerade_lines(rule: PortRule, at_cluster_ip: str, settings: Settings) -> Iterator[str]:
    note = f'-m comment --comment "{rule.name} cluster IP" {at_cluster_ip}'
    if settings.masquerade_all:
        yield f"{note} -j KUBE-MARK-MASQ"
    elif settings.cluster_cidr is not None:
        yield f"{note} ! -s {settings.cluster_cidr} -j KUBE-MARK-MASQ"


def _external(rule: PortRule, settings: Settings) -> Iterator[str]:
    whole, note = chain_name("SVC", rule), f"{rule.name} external destinations"
    if not rule.external_local:
        yield f'-m comment --comment "masquerade traffic for {note}" -j KUBE-MARK-MASQ'
        yield f"-j {whole}"
        return
    if settings.cluster_cidr is not None:
        yield f'-m comment --comment "pod traffic for {note}" -s {settings.cluster_cidr} -j {whole}'
    yield f'-m comment --comment "masquerade LOCAL traffic for {note}" -m addrtype --src-type LOCAL -j KUBE-MARK-MASQ'
    yield f'-m comment --comment "route LOCAL traffic for {note}" -m addrtype --src-type LOCAL -j {whole}'
    if rule.external:
        yield f"-j {chain_name('SVL', rule)}"


def _spread(rule: PortRule, targets: Sequence[Target]) -> Iterator[str]:
    """To the endpoint that remembers the client; else 1 in N, 1 in N-1 of the rest, and so on."""
    for target in targets if rule.affinity_seconds else ():
        chain = chain_name("SEP", rule, target)
        recent = f"-m recent --name {chain} --rcheck --seconds {rule.affinity_seconds} --reap"
        yield f'-m comment --comment "{rule.name} -> {_shown(target)}" {recent} -j {chain}'
    for at, target in enumerate(targets):
        left = len(targets) - at
        pick = f"-m statistic --mode random --probability {1 / left:.10f} " if left > 1 else ""
        yield f'-m comment --comment "{rule.name} -> {_shown(target)}" {pick}-j {chain_name("SEP", rule, target)}'


def _endpoint(rule: PortRule, target: Target) -> Iterator[str]:
    """The first line is for a pod that reaches itself: the answer must come back through the node."""
    protocol, note = rule.protocol.lower(), f'-m comment --comment "{rule.name}"'
    remember = f"-m recent --name {chain_name('SEP', rule, target)} --set " if rule.affinity_seconds else ""
    yield f"{note} -s {target.address} -j KUBE-MARK-MASQ"
    yield f"{note} {remember}-m {protocol} -p {protocol} -j DNAT --to-destination {_shown(target)}"
