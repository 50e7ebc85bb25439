"""Layout: what the rules of a Service are in nftables. Pure.

Nearly everything is an element of a few shared maps, because elements are cheap to the kernel and sets and chains are not:

    service-ips        address . protocol . port            -> goto cluster-N, external-N or external-local-N-M
    endpoints-N        address . protocol . port . index    -> address . port of the endpoint
    local-endpoints-N  the same, for connections that stay on this node
    cluster-N, ...     one chain for all Services of N endpoints: lead to endpoints-N[..., numgen random mod N]
    node-ports, node-endpoints-N, node-local-endpoints-N, node-external-...    the same without an address, for NodePorts

A Service that gains an endpoint moves from the maps of N to those of N+1 and flips its verdict, all in one transaction.
Only session affinity (a set of clients an endpoint, hence a chain an endpoint) and loadBalancerSourceRanges make chains of
their own, named as upstream names them. The index's type is `mark`, as numgen's values are in the host's byte order.
https://kubernetes.io/docs/reference/networking/virtual-ips/#proxy-mode-nftables · KEP-3866 · our choice: the maps
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from hashlib import sha256
from ipaddress import ip_network
from typing import NamedTuple

from kube_proxy import nft_expression as nft
from kube_proxy.nft_expression import IPV4, PORT, PROTOCOL, Family, Field, Network, Rule
from kube_proxy.rules import PortRule, Target

MASQUERADE_BIT = 0x4000  # upstream's --iptables-masquerade-bit, 14
LONGEST_NAME = 120  # of a chain; the kernel's limit is above it
HASH_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


class Verdict(NamedTuple):
    code: int
    chain: str = ""


class SetSpec(NamedTuple):
    """A set or map: the fields of its key, and of its values ("verdict", or fields; empty for a set)."""

    key: tuple[str, ...]
    value: tuple[str, ...] = ()
    timeout: bool = False


class Slot(NamedTuple):
    """A place in the table. kind: chain, set or element; key: of an element."""

    kind: str
    name: str
    key: tuple[str | int, ...] = ()


Value = tuple[Rule, ...] | SetSpec | Verdict | tuple[str | int, ...]
REJECT = Verdict(nft.GOTO, "reject-chain")
DROP = Verdict(nft.DROP)

NODE_FRONT = ("inet_proto", "inet_service")
NODE_FIELDS = (PROTOCOL, PORT)


@cache
def standing_sets(family: Family) -> dict[str, SetSpec]:
    """The maps and sets that are there whatever Services there are."""
    front = (family.address, *NODE_FRONT)
    return {
        "service-ips": SetSpec(front, ("verdict",)),
        "node-ports": SetSpec(NODE_FRONT, ("verdict",)),
        "no-endpoint-services": SetSpec(front, ("verdict",)),
        "no-endpoint-node-ports": SetSpec(NODE_FRONT, ("verdict",)),
        "firewall-ips": SetSpec(front, ("verdict",)),
        "cluster-ips": SetSpec((family.address,)),
        "hairpin": SetSpec((family.address, family.address)),
    }


@cache
def spec_of(name: str, family: Family) -> SetSpec:
    """The form of a map or set that has elements of ours: a standing one, or one of endpoints."""
    front = NODE_FRONT if name.startswith("node-") else (family.address, *NODE_FRONT)
    return standing_sets(family).get(name) or SetSpec((*front, "mark"), (family.address, "inet_service"))


@dataclass(frozen=True, eq=False)  # its identity is what caches know it by
class Settings:
    """What all rules of one family of addresses depend on."""

    cluster_cidr: Network | None = None  # where pods are; None: nobody is known to be one
    service_cidr: Network | None = None
    masquerade_all: bool = False
    node_port_addresses: tuple[Network, ...] = ()  # empty: every local address, save the loopback's
    family: Family = IPV4

    @property
    def vip_fields(self) -> tuple[Field, ...]:
        return (self.family.destination, PROTOCOL, PORT)


def slots(rules: Sequence[PortRule], settings: Settings) -> dict[Slot, Value]:
    """Everything that a Service needs in the table."""
    wanted: dict[Slot, Value] = {}
    for rule in rules:
        wanted.update(_port_slots(rule, settings))
    return wanted


def _port_slots(rule: PortRule, settings: Settings) -> Iterator[tuple[Slot, Value]]:
    protocol = rule.protocol.lower()
    yield Slot("element", "cluster-ips", (rule.cluster_ip,)), ()
    for target in rule.targets & rule.local_targets if rule.local_targets else ():
        yield Slot("element", "hairpin", (target.address, target.address)), ()
    routes = _affinity_routes if rule.affinity_seconds else _shared_routes
    front = _Front(settings, "service-ips", "no-endpoint-services", (rule.cluster_ip, protocol, rule.port))
    yield from routes(rule, settings, front)
    for address in rule.external_ips:
        front = _Front(settings, "service-ips", "no-endpoint-services", (address, protocol, rule.port), external=True)
        yield from routes(rule, settings, front)
    if rule.node_port:
        front = _Front(settings, "node-ports", "no-endpoint-node-ports", (protocol, rule.node_port), external=True)
        yield from routes(rule, settings, front)
    if rule.source_ranges:
        yield from _source_range_slots(rule, settings)


class _Front(NamedTuple):
    """An address and port, or a node port, that connections come to."""

    settings: Settings
    verdicts: str  # the map that says where to go
    refusals: str  # the map that says how to refuse
    key: tuple[str | int, ...]
    external: bool = False

    @property
    def is_node_port(self) -> bool:
        return self.verdicts == "node-ports"

    @property
    def family(self) -> Family:
        return self.settings.family

    @property
    def fields(self) -> tuple[Field, ...]:
        return NODE_FIELDS if self.is_node_port else self.settings.vip_fields

    @property
    def prefix(self) -> str:
        return "node-" if self.is_node_port else ""


def _refusal(rule: PortRule, targets: Sequence[Target]) -> Verdict | None:
    """How to refuse what no endpoint takes: nobody at all, or nobody on this node."""
    if targets:
        return None
    return DROP if rule.usable else REJECT


def _shared_routes(rule: PortRule, settings: Settings, front: _Front) -> Iterator[tuple[Slot, Value]]:
    targets = rule.external if front.external else rule.internal
    refusal = _refusal(rule, targets)
    if refusal is not None:
        yield Slot("element", front.refusals, front.key), refusal
    if front.external and rule.external_local:
        yield from _shared_local_routes(rule, settings, front)
    elif targets:
        shared = _shared(settings, len(targets), front.external, front.is_node_port)
        yield shared.endpoints, shared.form
        for index, target in enumerate(targets):
            yield Slot("element", shared.endpoints.name, (*front.key, index)), target
        yield shared.chain, shared.rules
        yield Slot("element", front.verdicts, front.key), shared.verdict


class _Shared(NamedTuple):
    """What all Services of so many endpoints have in common: the map of their endpoints, the chain that leads there."""

    endpoints: Slot
    form: SetSpec
    chain: Slot
    rules: tuple[Rule, ...]
    verdict: Verdict  # to the chain


@lru_cache
def _shared(settings: Settings, count: int, external: bool, node_port: bool) -> _Shared:
    prefix, fields = ("node-", NODE_FIELDS) if node_port else ("", settings.vip_fields)
    chain, endpoints = f"{prefix}{'external' if external else 'cluster'}-{count}", f"{prefix}endpoints-{count}"
    masquerading = masquerade_external() if external else masquerade_internal(settings)
    lead = nft.lead_by(settings.family, (*fields, nft.random_below(count)), endpoints)
    form = spec_of(endpoints, settings.family)
    return _Shared(Slot("set", endpoints), form, Slot("chain", chain), (*masquerading, (lead,)), Verdict(nft.GOTO, chain))


def _shared_local_routes(rule: PortRule, settings: Settings, front: _Front) -> Iterator[tuple[Slot, Value]]:
    """externalTrafficPolicy Local: what comes from a pod or from the node itself may still go everywhere."""
    everywhere, here = len(rule.usable), len(rule.external)
    if not everywhere:
        return
    name, local_name = f"{front.prefix}endpoints-{everywhere}", f"{front.prefix}local-endpoints-{here}"
    yield from _endpoint_slots(name, front, rule.usable)
    lead = _lead(front, name, everywhere)
    chain_rules: list[Rule] = [(guard, lead) for guard in _from_pods(settings)]
    chain_rules += [_masquerade_own(), (nft.is_local(nft.SOURCE_TYPE), lead)]
    if here:
        yield from _endpoint_slots(local_name, front, rule.external)
        chain_rules.append((_lead(front, local_name, here),))
    chain = f"{front.prefix}external-local-{everywhere}-{here}"
    yield Slot("chain", chain), tuple(chain_rules)
    yield Slot("element", front.verdicts, front.key), Verdict(nft.GOTO, chain)


def _endpoint_slots(name: str, front: _Front, targets: Sequence[Target]) -> Iterator[tuple[Slot, Value]]:
    yield Slot("set", name), spec_of(name, front.settings.family)
    for index, target in enumerate(targets):
        yield Slot("element", name, (*front.key, index)), target


def _lead(front: _Front, name: str, count: int) -> nft.Part:
    return nft.lead_by(front.family, (*front.fields, nft.random_below(count)), name)


def masquerade_external() -> tuple[Rule, ...]:
    """The answers of an endpoint on another node must come back through this one."""
    return ((nft.set_mark(MASQUERADE_BIT),),)


def masquerade_internal(settings: Settings) -> tuple[Rule, ...]:
    if settings.masquerade_all:
        return masquerade_external()
    if settings.cluster_cidr is None:
        return ()
    return ((nft.within(settings.family.source, settings.cluster_cidr, negated=True), nft.set_mark(MASQUERADE_BIT)),)


def _from_pods(settings: Settings) -> tuple[nft.Part, ...]:
    return () if settings.cluster_cidr is None else (nft.within(settings.family.source, settings.cluster_cidr),)


def _masquerade_own() -> Rule:
    return (nft.is_local(nft.SOURCE_TYPE), nft.set_mark(MASQUERADE_BIT))


def _affinity_routes(rule: PortRule, settings: Settings, front: _Front) -> Iterator[tuple[Slot, Value]]:
    """Session affinity: chains of the Service's own, and a chain and a set of clients for every endpoint."""
    for target in rule.targets:
        yield from _affinity_endpoint(rule, target, front.family)
    targets = rule.external if front.external else rule.internal
    refusal = _refusal(rule, targets)
    if refusal is not None:
        yield Slot("element", front.refusals, front.key), refusal
    if front.external and rule.external_local:
        if not rule.usable:
            return
        everywhere, chain = _own_name("cluster", rule), _own_name("external", rule)
        yield Slot("chain", everywhere), tuple(_dispatch(rule, rule.usable, front.family))
        to_everywhere = nft.goto(everywhere)
        guards = [*((guard, to_everywhere) for guard in _from_pods(settings)), _masquerade_own()]
        yield (
            Slot("chain", chain),
            (*guards, (nft.is_local(nft.SOURCE_TYPE), to_everywhere), *_dispatch(rule, targets, front.family)),
        )
    elif not targets:
        return
    elif front.external:
        chain = _own_name("external", rule)
        yield Slot("chain", chain), (*masquerade_external(), *_dispatch(rule, targets, front.family))
    else:
        chain = _own_name("service", rule)
        yield Slot("chain", chain), (*masquerade_internal(settings), *_dispatch(rule, targets, front.family))
    yield Slot("element", front.verdicts, front.key), Verdict(nft.GOTO, chain)


def _dispatch(rule: PortRule, targets: Sequence[Target], family: Family) -> Iterator[Rule]:
    """To the endpoint that remembers the client; else to one by chance: 1 in N, 1 in N-1 of the rest, and so on."""
    for target in targets:
        yield nft.in_set([family.source], _own_name("affinity", rule, target)), nft.goto(_own_name("endpoint", rule, target))
    for at, target in enumerate(targets):
        left = len(targets) - at
        to_endpoint = nft.goto(_own_name("endpoint", rule, target))
        yield (nft.is_random_pick(left), to_endpoint) if left > 1 else (to_endpoint,)


def _affinity_endpoint(rule: PortRule, target: Target, family: Family) -> Iterator[tuple[Slot, Value]]:
    clients = _own_name("affinity", rule, target)
    yield Slot("set", clients), SetSpec((family.address,), timeout=True)
    remember = nft.remember_source(family, clients, rule.affinity_seconds)
    yield Slot("chain", _own_name("endpoint", rule, target)), ((remember,), (nft.lead_to(family, target.address, target.port),))


def _source_range_slots(rule: PortRule, settings: Settings) -> Iterator[tuple[Slot, Value]]:
    """loadBalancerSourceRanges: others are dropped before they are led anywhere."""
    chain = _own_name("firewall", rule)
    allowed = tuple((nft.within(settings.family.source, ip_network(one, strict=False)), nft.leave()) for one in rule.source_ranges)
    for address in rule.load_balancer_ips:
        yield Slot("chain", chain), (*allowed, (nft.drop(),))
        yield Slot("element", "firewall-ips", (address, rule.protocol.lower(), rule.port)), Verdict(nft.GOTO, chain)


def _own_name(kind: str, rule: PortRule, target: Target | None = None) -> str:
    """kind-HASH-namespace/name/protocol/port[__address/port], as upstream names its chains and sets."""
    words = f"{rule.service.namespace}/{rule.service.name}/{rule.protocol.lower()}/{rule.port_name}"
    if target is not None:
        words += f"__{target.address}/{target.port}"
    digest = int.from_bytes(sha256(words.encode()).digest()[:5], "big")
    short = "".join(HASH_ALPHABET[digest >> shift & 31] for shift in range(35, -1, -5))
    return f"{kind}-{short}-{words}"[:LONGEST_NAME]
