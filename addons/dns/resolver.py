"""Resolver: from a message that asks to the message that answers.

    message -> block with the longest matching zone -> kubernetes -> hosts -> cache -> forward

What the cluster itself knows is answered at once, and the whole answer is prepared: the same question again, byte for byte, costs
one look into a dictionary. A change in the cluster throws away what it could change, so no answer is older than the caches: of a
Service the answers about it, and all that are about no single Service (reverse names, namespaces).
Several addresses are told in turns (`loadbalance`), as prepared rotations.
Cost: a prepared answer about 1 us besides its two system calls, a new one 60 to 90 us, a forwarded one its round trip.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from ipaddress import ip_address

from addons.dns import metrics, wire
from addons.dns.cluster import Known
from addons.dns.forward import Forwarder
from addons.dns.loop import LoopGuard
from addons.dns.metrics import AnswerKind, Tally
from addons.dns.settings import Block, Settings
from addons.dns.wire import Answer, Query, Record
from addons.dns.zone import REVERSE_ZONES, Zone
from kube.component.logging import get_logger

log = get_logger(__name__)

MOST_PREPARED = 20_000  # answers kept for each protocol
MOST_TURNS = 8  # rotations of one answer
MOST_ALIASES = 8  # CNAMEs followed for one question
ADDRESSES = (wire.A, wire.AAAA)


class Prepared:
    """A whole answer but for its id, in each order of its addresses."""

    __slots__ = ("rotations", "tally", "turn")

    def __init__(self, rotations: tuple[bytes, ...], tally: Tally) -> None:
        self.rotations, self.tally, self.turn = rotations, tally, 0


@dataclass(frozen=True)
class Served:
    """A block at work."""

    block: Block
    zones: tuple[Zone, ...]
    forwarder: Forwarder | None

    @property
    def name(self) -> str:
        return wire.text_of(self.block.zones[0])


class Resolver:
    """Answers by one reading of the Corefile. Made anew when that changes. Raises OSError where a file of it is not there."""

    def __init__(self, settings: Settings, known: Known) -> None:
        self.guard = LoopGuard()
        self.served = [_served(block, known) for block in settings.blocks]
        self.prepared: dict[str, dict[bytes, Prepared]] = {"udp": {}, "tcp": {}}
        self._by_zone = sorted(((zone, one) for one in self.served for zone in one.block.zones), key=lambda pair: -len(pair[0]))
        self._serial = int(time.time())
        self._about: dict[str, set[tuple[str, bytes]]] = {}  # the prepared answers of each subject: protocol and question
        for one in self.served:
            for plugin in one.block.plugins:
                metrics.PLUGINS.labels(metrics.SERVER, one.name, metrics.VIEW, plugin).set(1)

    def changed(self, service: str = "") -> None:
        """Something did: this Service (as namespace/name) or its endpoints, or something else."""
        self._serial = int(time.time())
        subjects = (service, "") if service else tuple(self._about)
        for subject in subjects:
            for proto, question in self._about.pop(subject, ()):
                self.prepared[proto].pop(question, None)

    async def probe(self) -> None:
        """Look for loops, where that was asked for."""
        for one in self.served:
            if one.block.loop and one.forwarder is not None:
                await self.guard.probe(one.forwarder.settings.zone, one.forwarder.upstreams.servers)

    def at_once(self, message: bytes, proto: str, began: float) -> bytes | Query | None:
        """The answer; or the question, where it takes waiting (`later`); None where nothing is to be said."""
        try:
            query = wire.parse_query(message)
        except wire.Malformed:
            return wire.refusal(message, wire.FORMERR)
        limit = query.udp_limit if proto == "udp" else wire.MOST_TCP_BYTES
        if (wrong := _wrong(query)) is not None:
            return wire.response(query, Answer(wrong, authoritative=False), limit)
        served = self._of(query.name)
        if served is None or self.guard.seen(query):
            return self._tell(query, Answer(wire.REFUSED, authoritative=False), limit, proto, began, "", served)
        answer, plugin = self._local(served, query.name, query.type)
        if answer is not None and not _is_open(answer, query.type):
            told = self._prepare(query, answer, message, limit, proto, plugin, served)
            self._count(told, query, proto, began, plugin, served)
            return told
        if answer is None and served.forwarder is not None and served.forwarder.takes(query.name):
            found = served.forwarder.known(query, limit)
            if found is not None:
                self._count(found, query, proto, began, "cache", served)
                return found
        return query

    async def later(self, query: Query, message: bytes, proto: str, began: float) -> bytes:
        """The answer to a question that others must be asked for."""
        limit = query.udp_limit if proto == "udp" else wire.MOST_TCP_BYTES
        served = self._of(query.name)
        assert served is not None  # `at_once` refused the others
        answer, plugin = self._local(served, query.name, query.type)
        if answer is not None:
            whole = await self._follow(query, answer, tcp=proto == "tcp")
            return self._tell(query, whole, limit, proto, began, plugin, served)
        if served.forwarder is None or not served.forwarder.takes(query.name):
            return self._tell(query, Answer(wire.SERVFAIL, authoritative=False), limit, proto, began, "", served)
        told = await served.forwarder.ask(query, message, limit, tcp=proto == "tcp")
        self._count(told, query, proto, began, "forward", served)
        return told

    def _of(self, name: bytes) -> Served | None:
        return next((one for zone, one in self._by_zone if wire.is_below(name, zone)), None)

    def _local(self, served: Served, name: bytes, kind: int) -> tuple[Answer | None, str]:
        """From what is known here, and by which plugin; None: it is for others to say."""
        zone = _zone(served, name)
        if zone is not None:
            answer = zone.answer(name, kind, self._serial)
            settings = served.block.kubernetes
            left = settings is not None and any(wire.is_below(name, one) for one in settings.fallthrough)
            if answer.rcode != wire.NXDOMAIN or not left:
                return answer, "kubernetes"
        hosts = served.block.hosts
        if hosts is not None:
            if name in hosts.addresses:
                records = tuple(wire.address_record(name, ip_address(one), hosts.ttl) for one in hosts.addresses[name])
                return Answer(answers=tuple(one for one in records if one.type == kind)), "hosts"
            if not hosts.fallthrough:
                return Answer(wire.NXDOMAIN), "hosts"
        return None, ""

    async def _follow(self, query: Query, answer: Answer, *, tcp: bool) -> Answer:
        """Add what the alias stands for. An alias that leads nowhere is told alone."""
        found = list(answer.answers)
        target = found[-1].data
        for _ in range(MOST_ALIASES):
            served = self._of(target)
            if served is None:
                break
            local, _plugin = self._local(served, target, query.type)
            added = local.answers if local is not None else await _forwarded(served, target, query.type, tcp=tcp)
            found += added
            if not added or added[-1].type != wire.CNAME:
                break
            target = added[-1].data
        return replace(answer, answers=tuple(found))

    def _prepare(self, query: Query, answer: Answer, message: bytes, limit: int, proto: str, plugin: str, served: Served) -> bytes:
        """The answer, kept for the next time. Where every question is logged, none is answered without being looked at."""
        orders = _rotations(answer) if served.block.rotate else (answer,)
        messages = tuple(wire.response(query, one, limit)[2:] for one in orders)
        if not served.block.log:
            if len(self.prepared[proto]) >= MOST_PREPARED:
                self.changed()
            tally = metrics.TALLIES.of(_kind(query, proto, answer.rcode, plugin, served.name))
            self.prepared[proto][message[2:]] = Prepared(messages, tally)
            zone = _zone(served, query.name)
            subject = zone.subject(query.name) if zone is not None else ""
            self._about.setdefault(subject, set()).add((proto, message[2:]))
        return message[:2] + messages[0]

    def _tell(
        self, query: Query, answer: Answer, limit: int, proto: str, began: float, plugin: str, served: Served | None
    ) -> bytes:
        told = wire.response(query, answer, limit)
        self._count(told, query, proto, began, plugin, served)
        return told

    def _count(self, told: bytes, query: Query, proto: str, began: float, plugin: str, served: Served | None) -> None:
        took, rcode = time.perf_counter() - began, told[3] & 0xF
        zone = served.name if served is not None else "dropped"
        metrics.TALLIES.of(_kind(query, proto, rcode, plugin, zone)).add(took)
        if served is not None and served.block.log:
            words = f"{wire.TYPE_NAMES.get(query.type, query.type)} IN {wire.text_of(query.name)} {proto}"
            log.info(f'"{words}" {wire.RCODE_NAMES.get(rcode, rcode)} {len(told)} {took:.9f}s')


def _served(block: Block, known: Known) -> Served:
    settings, zones = block.kubernetes, []
    if settings is not None:
        domain = next((one for one in settings.zones if one not in REVERSE_ZONES), b"\0")
        for origin in settings.zones:
            own = domain if origin in REVERSE_ZONES else origin
            zones.append(Zone(origin, own, known, settings.ttl, settings.pods))
    return Served(block, tuple(zones), Forwarder(block.forward, block.cache) if block.forward else None)


def _zone(served: Served, name: bytes) -> Zone | None:
    """The one with the longest origin."""
    found = [zone for zone in served.zones if wire.is_below(name, zone.origin)]
    return max(found, key=lambda one: len(one.origin), default=None)


def _wrong(query: Query) -> int | None:
    """The code for what we do not do."""
    if query.flags & wire.OPCODE:
        return wire.NOTIMP
    if query.edns_version:
        return wire.BADVERS
    return wire.REFUSED if query.cls != wire.IN else None


def _is_open(answer: Answer, kind: int) -> bool:
    """An alias, where its target's records were asked for."""
    return kind not in (wire.CNAME, wire.ANY) and bool(answer.answers) and answer.answers[-1].type == wire.CNAME


async def _forwarded(served: Served, name: bytes, kind: int, *, tcp: bool) -> tuple[Record, ...]:
    if served.forwarder is None or not served.forwarder.takes(name):
        return ()
    message = wire.question(name, kind)
    query = wire.parse_query(message)
    told = served.forwarder.known(query, wire.MOST_TCP_BYTES)
    if told is None:
        told = await served.forwarder.ask(query, message, wire.MOST_TCP_BYTES, tcp=tcp)
    try:
        records = wire.parse_records(told)
    except wire.Malformed:
        return ()
    return tuple(Record(one.name, one.type, one.ttl, one.data) for one in records if one.section == 0)


def _rotations(answer: Answer) -> Iterable[Answer]:
    """The same answer with its addresses in turns."""
    own = answer.answers
    if len(own) < 2 or any(one.type not in ADDRESSES for one in own):
        return (answer,)
    return [replace(answer, answers=own[turn:] + own[:turn]) for turn in range(min(len(own), MOST_TURNS))]


def _kind(query: Query, proto: str, rcode: int, plugin: str, zone: str) -> AnswerKind:
    kind = wire.TYPE_NAMES.get(query.type, "other")
    return AnswerKind(zone, proto, "1", kind, wire.RCODE_NAMES.get(rcode, str(rcode)), plugin)
