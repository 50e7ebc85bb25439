"""Network policy: from policies, pods and namespaces to the filter of one node. Pure.

A pod that some policy selects is isolated in that direction, and passes only what one of its policies allows; others pass all.
For each policy that selects a pod of this node the filter has a chain, with sets for who may and on which named ports; pods with
the same policies share a chain that tries them one after the other. Ingress and egress hang on two hooks, so that leaving a pod
and entering another are judged each on its own. What is open already, and a pod's traffic with itself, passes.

- A pod's node always reaches it, and it its node (probes): only what is forwarded is judged.
- Pods on the host's network are no peers and are never isolated: their address is the node's. Ended pods are none either.
- A named port is looked up in the pod that is spoken to, so one name may be another number in another pod.
- A policy with an endPort that is smaller than its port allows nothing by it.
https://kubernetes.io/docs/concepts/services-networking/network-policies/
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, collapse_addresses
from typing import Any, NamedTuple

from kube.api.labels import from_label_selector
from kube.api.types import Namespace, NetworkPolicy, Pod

ADDRESSES, BLOCKS, ENDPOINTS = "ipv4_addr", "ipv4_addr; flags interval", "ipv4_addr . inet_proto . inet_service"
INGRESS, EGRESS = "ingress", "egress"
HASH_LETTERS = 12
LONGEST_NAME = 120  # the kernel takes names of up to 255 bytes


class Peer(NamedTuple):
    """A pod with its address."""

    pod: Pod
    address: IPv4Address


class Group(NamedTuple):
    """A set of nftables: its type and its elements."""

    type: str
    elements: frozenset[str]


@dataclass(frozen=True)
class Filter:
    """What the kernel should have: by name the sets and the chains, and by address the chain of each isolated pod."""

    sets: Mapping[str, Group] = field(default_factory=dict)
    chains: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ingress: Mapping[IPv4Address, str] = field(default_factory=dict)
    egress: Mapping[IPv4Address, str] = field(default_factory=dict)


def policy_filter(
    policies: Iterable[NetworkPolicy], namespaces: Iterable[Namespace], local: Sequence[Peer], pods: Iterable[Peer]
) -> Filter:
    """`local` are this node's pods, `pods` the cluster's; both with addresses."""
    world = _World(namespaces, [*local, *(one for one in pods if not _is_in(one, local))])
    sets: dict[str, Group] = {}
    chains: dict[str, tuple[str, ...]] = {}
    isolated: dict[str, dict[IPv4Address, list[str]]] = {INGRESS: defaultdict(list), EGRESS: defaultdict(list)}
    for policy in sorted(policies, key=lambda one: (one.metadata.namespace, one.metadata.name)):
        matches = from_label_selector(policy.spec.podSelector).matches
        mine = [one for one in local if _same_namespace(one, policy) and matches(one.pod.metadata.labels or {})]
        for direction in _directions(policy) if mine else ():
            name = _name(direction, policy)
            rules = policy.spec.ingress if direction == INGRESS else policy.spec.egress
            chain = _Chain(name, world, policy.metadata.namespace, direction, mine, sets)
            chains[name] = tuple(line for number, rule in enumerate(rules or ()) for line in chain.rule(number, rule))
            for one in mine:
                isolated[direction][one.address].append(name)
    ways = {direction: _pod_chains(direction, members, chains) for direction, members in isolated.items()}
    return Filter(sets, chains, ways[INGRESS], ways[EGRESS])


def _pod_chains(
    direction: str, members: Mapping[IPv4Address, list[str]], chains: dict[str, tuple[str, ...]]
) -> dict[IPv4Address, str]:
    """Adds a chain for each combination of policies; returns which one each address goes to."""
    found = {}
    for address, names in members.items():
        chain = f"{direction}-pods/{_hash(*names)}"
        chains[chain] = (*(f"jump {name}" for name in names), "drop")
        found[address] = chain
    return found


class _World:
    """Who there is, to be asked for by selectors."""

    def __init__(self, namespaces: Iterable[Namespace], peers: Iterable[Peer]) -> None:
        self._namespaces = {one.metadata.name: one.metadata.labels or {} for one in namespaces}
        self._peers: dict[str, list[Peer]] = defaultdict(list)
        for one in peers:
            self._peers[str(one.pod.metadata.namespace)].append(one)

    def all(self) -> list[Peer]:
        return [one for peers in self._peers.values() for one in peers]

    def select(self, namespace: str, peer: Any) -> list[Peer]:
        """The pods that a NetworkPolicyPeer of a policy in `namespace` means."""
        names = [namespace]
        if peer.namespaceSelector is not None:
            chosen = from_label_selector(peer.namespaceSelector).matches
            names = [name for name, labels in self._namespaces.items() if chosen(labels)]
        found = [one for name in names for one in self._peers.get(name, ())]
        if peer.podSelector is None:
            return found
        matches = from_label_selector(peer.podSelector).matches
        return [one for one in found if matches(one.pod.metadata.labels or {})]


class _Chain:
    """The rules of one policy in one direction; sets that they look into are added to `sets`."""

    def __init__(
        self, name: str, world: _World, namespace: str, direction: str, mine: Sequence[Peer], sets: dict[str, Group]
    ) -> None:
        self._name, self._world, self._namespace, self._direction = name, world, namespace, direction
        self._mine, self._sets = mine, sets

    def rule(self, number: int, rule: Any) -> Iterator[str]:
        """Every way to be allowed: a peer, and a port."""
        name = f"{self._name}/{number}"
        told = (rule.from_ if self._direction == INGRESS else rule.to) or ()
        peers = {
            one.pod.metadata.uid: one for peer in told if peer.ipBlock is None for one in self._world.select(self._namespace, peer)
        }
        pods = list(peers.values())
        spoken_to = self._mine if self._direction == INGRESS else pods if told else self._world.all()
        for who in self._who(name, told, pods):
            for port in self._ports(name, rule.ports or (), spoken_to):
                yield " ".join(word for word in (who, port, "accept") if word)

    def _who(self, name: str, told: Sequence[Any], pods: Sequence[Peer]) -> Iterator[str]:
        side = "saddr" if self._direction == INGRESS else "daddr"
        if not told:
            yield ""
            return
        if any(peer.ipBlock is None for peer in told):
            self._sets[f"{name}/pods"] = Group(ADDRESSES, frozenset(str(one.address) for one in pods))
            yield f"ip {side} @{name}/pods"
        blocks = [network for peer in told if peer.ipBlock is not None for network in block_networks(peer.ipBlock)]
        if blocks:
            self._sets[f"{name}/blocks"] = Group(BLOCKS, frozenset(map(str, collapse_addresses(blocks))))
            yield f"ip {side} @{name}/blocks"

    def _ports(self, name: str, told: Sequence[Any], spoken_to: Sequence[Peer]) -> Iterator[str]:
        if not told:
            yield ""
            return
        named = [(port.port, port.protocol or "TCP") for port in told if isinstance(port.port, str)]
        for port in told:
            if not isinstance(port.port, str):
                yield from _numbered(port)
        if named:
            self._sets[f"{name}/ports"] = Group(ENDPOINTS, frozenset(_endpoints(named, spoken_to)))
            yield f"ip daddr . meta l4proto . th dport @{name}/ports"


def _numbered(port: Any) -> Iterator[str]:
    protocol = (port.protocol or "TCP").lower()
    if port.port is None:
        yield f"meta l4proto {protocol}"
    elif port.endPort is None or port.endPort == port.port:
        yield f"{protocol} dport {port.port}"
    elif port.endPort > port.port:
        yield f"{protocol} dport {port.port}-{port.endPort}"


def _endpoints(named: Sequence[tuple[str, str]], spoken_to: Iterable[Peer]) -> Iterator[str]:
    for one in spoken_to:
        spec = one.pod.spec
        for container in (*(spec.initContainers or ()), *spec.containers):
            for port in container.ports or ():
                if (port.name, port.protocol or "TCP") in named:
                    yield f"{one.address} . {(port.protocol or 'TCP').lower()} . {port.containerPort}"


def block_networks(block: Any) -> list[IPv4Network]:
    """An IPBlock without its exceptions; none where it is of the other family."""
    if ":" in block.cidr:
        return []
    found = [IPv4Network(block.cidr, strict=False)]
    for text in block.except_ or ():
        gap = IPv4Network(text, strict=False)
        found = [part for one in found for part in _without(one, gap)]
    return found


def _without(network: IPv4Network, gap: IPv4Network) -> list[IPv4Network]:
    if network.subnet_of(gap):
        return []
    return list(network.address_exclude(gap)) if gap.subnet_of(network) else [network]


def _directions(policy: NetworkPolicy) -> tuple[str, ...]:
    """Without policyTypes: ingress always, egress where there are rules for it."""
    types = policy.spec.policyTypes or ("Ingress", *(("Egress",) if policy.spec.egress else ()))
    return tuple(direction for direction in (INGRESS, EGRESS) if direction.capitalize() in types)


def peers_of(pods: Iterable[Pod]) -> Iterator[Peer]:
    """Pods as the API server has them: those that live, with an address of their own."""
    for pod in pods:
        status = pod.status
        if pod.spec.hostNetwork or status is None or status.phase in ("Succeeded", "Failed") or not status.podIP:
            continue
        if ":" not in status.podIP:
            yield Peer(pod, IPv4Address(status.podIP))


def _same_namespace(one: Peer, policy: NetworkPolicy) -> bool:
    return bool(one.pod.metadata.namespace == policy.metadata.namespace)


def _is_in(one: Peer, local: Sequence[Peer]) -> bool:
    return any(one.pod.metadata.uid == other.pod.metadata.uid for other in local)


def _name(direction: str, policy: NetworkPolicy) -> str:
    name = f"{direction}/{policy.metadata.namespace}/{policy.metadata.name}"
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}-{_hash(name)}"


def _hash(*words: str) -> str:
    return hashlib.sha256(" ".join(words).encode()).hexdigest()[:HASH_LETTERS]
