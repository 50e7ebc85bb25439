"""Mode userspace: this process listens on every Service address itself and copies bytes. For hosts whose kernel can do no more.

Cluster IPs, external IPs and load balancer addresses are put on the device `kube-userspace0`, so that connections to them end here;
NodePorts are on all of the node's addresses. Endpoints see the node as their client; connections end with this process, and its
addresses go when it goes or with `--cleanup`. Refusing is the kernel's: a port that nobody serves has no listener.
Upstream's mode of this name (until 1.25) needed iptables to redirect; this one needs nothing but addresses. Our choice.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence

from kube.api.meta import Key
from kube.component.logging import get_logger
from kube_proxy import addresses
from kube_proxy.addresses import USERSPACE_DEVICE
from kube_proxy.layout import Settings
from kube_proxy.mode import to_its_end
from kube_proxy.relay import Backs, Front, TcpRelay, Turns, UdpRelay
from kube_proxy.rules import PortRule, Target, address_of

log = get_logger(__name__)

RELAYS: dict[str, type[TcpRelay] | type[UdpRelay]] = {"TCP": TcpRelay, "UDP": UdpRelay}
Place = tuple[str, int, tuple[Target, ...], tuple[str, ...]]  # address, port, where to, from where


def fronts(rules: Sequence[PortRule], node_addresses: Iterable[str]) -> Iterator[tuple[Front, Backs]]:
    """Where to listen for a Service, and where that leads; what has no endpoint is left out. Pure."""
    for rule in rules:
        if rule.protocol not in RELAYS:
            continue
        places: list[Place] = [(rule.cluster_ip, rule.port, rule.internal, ())]
        for address in rule.external_ips:
            ranges = rule.source_ranges if address in rule.load_balancer_ips else ()
            places.append((address, rule.port, rule.external, ranges))
        for address in node_addresses if rule.node_port else ():
            if address_of(address)[0] == rule.family:
                places.append((address, rule.node_port, rule.external, ()))
        for address, port, targets, ranges in places:
            if targets:
                yield Front(rule.protocol, address, port), Backs(targets, rule.affinity_seconds, ranges)


def wanted(services: Mapping[Key, Sequence[PortRule]], node_addresses: Iterable[str]) -> dict[Front, Backs]:
    """All fronts; where two Services ask for the same one, the first in order has it. Pure."""
    found: dict[Front, Backs] = {}
    for key in sorted(services):
        for front, backs in fronts(services[key], node_addresses):
            found.setdefault(front, backs)
    return found


class UserspaceMode:
    def __init__(self, families: Sequence[Settings]) -> None:
        self._settings = families
        self._families = {f"IPv{one.family.loopback.version}" for one in families}
        self._services: dict[Key, Sequence[PortRule]] = {}
        self._relays: dict[Front, TcpRelay | UdpRelay] = {}
        self._addresses: set[str] = set()

    def take(self, service: Key, rules: Sequence[PortRule]) -> None:
        mine = [rule for rule in rules if rule.family in self._families]
        if mine:
            self._services[service] = mine
        else:
            self._services.pop(service, None)

    async def sync(self, *, whole: bool) -> None:
        """`whole` or not, what is there is compared with what is wanted."""
        node = await to_its_end(addresses.of_node, self._settings)
        fronts_now = wanted(self._services, sorted(node))
        own = addresses.of_services(self._services)
        for front in self._relays.keys() - fronts_now.keys():
            await self._relays.pop(front).close()
        if whole or own != self._addresses:
            await to_its_end(addresses.put, USERSPACE_DEVICE, own)
            self._addresses = own
        for front, backs in fronts_now.items():
            if front in self._relays:
                self._relays[front].turns.backs = backs
            else:
                await self._listen(front, backs)

    async def _listen(self, front: Front, backs: Backs) -> None:
        relay = RELAYS[front.protocol](Turns(backs))
        try:
            await relay.listen(front.address, front.port)
        except OSError as error:
            log.error("cannot listen for a Service", address=front.address, port=front.port, protocol=front.protocol, reason=error)
            return
        self._relays[front] = relay

    async def intact(self) -> bool:
        return self._addresses <= await to_its_end(addresses.held, USERSPACE_DEVICE)

    async def close(self) -> None:
        await asyncio.gather(*(relay.close() for relay in self._relays.values()))
        self._relays.clear()


def missing() -> str:
    """Every host can have it: it needs no more than addresses."""
    return ""


def clean_up() -> None:
    """Remove the device, and with it the addresses. Blocks."""
    addresses.remove(USERSPACE_DEVICE)
