"""Cache of what other name servers answered. Pure, save that the time is passed in.

An answer is kept as the bytes that came, for as long as its shortest TTL says and at most `longest` seconds; a denial (NXDOMAIN,
or no data) by its SOA's minimum (RFC 2308). What is told later has its TTLs reduced by the time it was kept, and the question
as this asker spelt it. Errors and truncated answers are not kept. When it is full, the oldest entry goes.
https://coredns.io/plugins/cache/
"""

import struct
from dataclasses import dataclass

from addons.dns import wire
from addons.dns.settings import Caching
from addons.dns.wire import Query

SHORTEST_SECONDS = 5  # CoreDNS's; however short a TTL, a burst of questions becomes one
TTL = struct.Struct("!I")

Key = tuple[bytes, int, int, bool]


@dataclass(frozen=True)
class Kept:
    message: bytes
    ttls: tuple[tuple[int, int], ...]  # where a TTL stands, and what it is at most
    since: float
    until: float


class Cache:
    def __init__(self, settings: Caching) -> None:
        self._settings = settings
        self.answers: dict[Key, Kept] = {}
        self.denials: dict[Key, Kept] = {}

    def get(self, query: Query, now: float) -> tuple[str, bytes] | None:
        """What is known ("success" or "denial", and the message), under the query's id."""
        key = _key(query)
        for kind, entries in (("success", self.answers), ("denial", self.denials)):
            kept = entries.get(key)
            if kept is None:
                continue
            if kept.until <= now:
                del entries[key]
                continue
            return kind, _told(kept, query, int(now - kept.since))
        return None

    def put(self, query: Query, message: bytes, now: float) -> None:
        flags = wire.HEADER.unpack_from(message)[1]
        rcode = flags & 0xF
        if flags & wire.TRUNCATED or rcode not in (wire.NOERROR, wire.NXDOMAIN):
            return
        try:
            records = wire.parse_records(message)
        except wire.Malformed:
            return
        denial = rcode == wire.NXDOMAIN or not any(one.section == 0 for one in records)
        longest = self._settings.longest_denial if denial else self._settings.longest
        lives = [one.ttl for one in records if one.section == 0]
        if denial:
            minimums = [
                min(one.ttl, TTL.unpack(one.data[-4:])[0]) for one in records if one.type == wire.SOA and len(one.data) > 20
            ]
            lives = minimums or [0]
        life = min(max(min(lives), SHORTEST_SECONDS), longest)
        entries = self.denials if denial else self.answers
        entries.pop(_key(query), None)
        while len(entries) >= self._settings.capacity:
            del entries[next(iter(entries))]
        ttls = tuple((one.ttl_at, min(one.ttl, life)) for one in records)
        entries[_key(query)] = Kept(message, ttls, now, now + life)


def _key(query: Query) -> Key:
    """With EDNS and without are two answers: the OPT record is part of the message."""
    return query.name, query.type, query.cls, query.edns_size is not None


def _told(kept: Kept, query: Query, age: int) -> bytes:
    message = bytearray(kept.message)
    message[: wire.HEADER.size + len(query.question)] = query.id.to_bytes(2) + kept.message[2 : wire.HEADER.size] + query.question
    for at, ttl in kept.ttls:
        TTL.pack_into(message, at, max(ttl - age, 0))
    return bytes(message)
