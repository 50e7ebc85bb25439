"""DNS messages as bytes: questions in, answers out. Pure.

A name is kept as it travels: a length byte before each label and a zero at the end, in lower case (`b"\\x03web...\\x00"`), so it
is a dictionary key and its own encoding. An answer repeats the question as it was asked, letter case included: resolvers check it.
Owner names are compressed (a suffix written before becomes a pointer); names inside records are not, as RFC 3597 and 2782 ask.
RFC 1035 (messages) · RFC 2308 (negative answers) · RFC 2782 (SRV) · RFC 6891 (EDNS)
"""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

A, NS, CNAME, SOA, PTR, HINFO, TXT, AAAA, SRV, OPT, ANY = 1, 2, 5, 6, 12, 13, 16, 28, 33, 41, 255
TYPE_NAMES = {
    A: "A", NS: "NS", CNAME: "CNAME", SOA: "SOA", PTR: "PTR", 15: "MX", TXT: "TXT", AAAA: "AAAA", SRV: "SRV", 35: "NAPTR",
    43: "DS", 46: "RRSIG", 48: "DNSKEY", 65: "HTTPS", ANY: "ANY",
}  # fmt: skip
IN = 1
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED, BADVERS = 0, 1, 2, 3, 4, 5, 16
RCODE_NAMES = {
    NOERROR: "NOERROR", FORMERR: "FORMERR", SERVFAIL: "SERVFAIL", NXDOMAIN: "NXDOMAIN", NOTIMP: "NOTIMP", REFUSED: "REFUSED",
    BADVERS: "BADVERS",
}  # fmt: skip
RESPONSE, AUTHORITATIVE, TRUNCATED, RECURSION_DESIRED, RECURSION_AVAILABLE = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080
OPCODE, CHECKING_DISABLED = 0x7800, 0x0010
HEADER = struct.Struct("!HHHHHH")
RECORD = struct.Struct("!HHIH")  # type, class, TTL, length
PLAIN_UDP_BYTES, MOST_UDP_BYTES = 512, 4096
MOST_TCP_BYTES = 0xFFFF
MAX_LABEL, MAX_NAME = 63, 255
POINTER = 0xC000
MOST_POINTERS = 64
SHORTEST_SOA = 22  # two root names, five numbers


class Malformed(Exception):
    """Bytes that are no message we can read."""


@dataclass(frozen=True)
class Query:
    """A message that asks one question."""

    id: int
    flags: int
    name: bytes  # in lower case
    type: int
    cls: int
    question: bytes  # as sent: name, type, class
    edns_size: int | None  # what the asker can take in one datagram; None: no EDNS
    edns_version: int = 0

    @property
    def udp_limit(self) -> int:
        if self.edns_size is None:
            return PLAIN_UDP_BYTES
        return min(max(self.edns_size, PLAIN_UDP_BYTES), MOST_UDP_BYTES)


@dataclass(frozen=True)
class Record:
    name: bytes
    type: int
    ttl: int
    data: bytes


@dataclass(frozen=True)
class Answer:
    """What is said to a question; the sections of a response."""

    rcode: int = NOERROR
    answers: tuple[Record, ...] = ()
    authority: tuple[Record, ...] = ()
    additional: tuple[Record, ...] = ()
    authoritative: bool = True


def name_of(text: str) -> bytes:
    """`web.default.svc.cluster.local`, with or without the last dot, to a name. Raises Malformed."""
    labels = [label.encode() for label in text.lower().rstrip(".").split(".")] if text.strip(".") else []
    if any(not 0 < len(label) <= MAX_LABEL for label in labels):
        raise Malformed(f"{text!r} is no domain name")
    return from_labels(labels)


def from_labels(labels: Iterable[bytes]) -> bytes:
    name = b"".join(bytes((len(label),)) + label for label in labels) + b"\0"
    if len(name) > MAX_NAME:
        raise Malformed("a domain name has at most 255 bytes")
    return name


def labels_of(name: bytes) -> list[bytes]:
    labels, at = [], 0
    while length := name[at]:
        labels.append(name[at + 1 : at + 1 + length])
        at += 1 + length
    return labels


def text_of(name: bytes) -> str:
    return b".".join(labels_of(name)).decode("ascii", "backslashreplace") + "."


def is_below(name: bytes, zone: bytes) -> bool:
    """Whether a name is a zone's own or below it; a boundary between labels, not between letters."""
    if not name.endswith(zone):
        return False
    at = 0
    while at < len(name) - len(zone):
        at += 1 + name[at]
    return at == len(name) - len(zone)


def parse_query(message: bytes) -> Query:
    """Raises Malformed for what is not a query with exactly one question."""
    if len(message) < HEADER.size:
        raise Malformed("shorter than a header")
    ident, flags, questions, answers, authority, additional = HEADER.unpack_from(message)
    if flags & RESPONSE or questions != 1:
        raise Malformed("not one question")
    name, at = read_name(message, HEADER.size)
    if at + 4 > len(message):
        raise Malformed("cut off in the question")
    kind, cls = struct.unpack_from("!HH", message, at)
    size, version = _edns(message, at + 4, answers + authority + additional)
    return Query(ident, flags, name, kind, cls, message[HEADER.size : at + 4], size, version)


def _edns(message: bytes, at: int, records: int) -> tuple[int | None, int]:
    """The OPT record among those that follow the question: the size it offers, and its version."""
    for _ in range(records):
        _name, at = read_name(message, at)
        if at + RECORD.size > len(message):
            raise Malformed("cut off in a record")
        kind, cls, ttl, length = RECORD.unpack_from(message, at)
        if kind == OPT:
            return cls, ttl >> 16 & 0xFF
        at += RECORD.size + length
    return None, 0


def read_name(message: bytes, at: int) -> tuple[bytes, int]:
    """A name, pointers followed, in lower case; and where what comes after it begins."""
    parts: list[bytes] = []
    after, jumps, size = 0, 0, 1
    try:
        while length := message[at]:
            if length & 0xC0 == 0xC0:
                after = after or at + 2
                at = (length & 0x3F) << 8 | message[at + 1]
                jumps += 1
                if jumps > MOST_POINTERS:
                    raise Malformed("pointers in a circle")
                continue
            if length > MAX_LABEL:
                raise Malformed("a label of unknown kind")
            parts.append(message[at : at + 1 + length])
            at += 1 + length
            size += 1 + length
    except IndexError:
        raise Malformed("cut off in a name") from None
    if size > MAX_NAME:
        raise Malformed("a name of more than 255 bytes")
    # bytes.lower leaves what is not a letter alone, and no length byte is one: a label has at most 63 bytes, "A" is 65
    return b"".join(parts).lower() + b"\0", after or at + 1


def response(query: Query, answer: Answer, limit: int) -> bytes:
    """The whole message, in at most `limit` bytes: extra records are left out silently, answers with the flag for it (TC)."""
    flags = RESPONSE | query.flags & (OPCODE | RECURSION_DESIRED | CHECKING_DISABLED) | RECURSION_AVAILABLE | answer.rcode & 0xF
    flags |= AUTHORITATIVE if answer.authoritative else 0
    opt = b"" if query.edns_size is None else _opt(answer.rcode >> 4)
    out = bytearray(HEADER.size) + query.question
    suffixes = _suffixes(query.name, HEADER.size)
    room = limit - len(opt)
    counts = []
    for section in (answer.answers, answer.authority, answer.additional):
        written = _write(out, section, suffixes, room)
        counts.append(written)
        if written < len(section):
            flags |= TRUNCATED if section is not answer.additional else 0
            break
    counts += [0] * (3 - len(counts))
    HEADER.pack_into(out, 0, query.id, flags, 1, counts[0], counts[1], counts[2] + bool(opt))
    return bytes(out + opt)


def _write(out: bytearray, records: Sequence[Record], suffixes: dict[bytes, int], room: int) -> int:
    """Add the records that fit; how many did."""
    for count, record in enumerate(records):
        encoded = _compressed(record.name, suffixes)
        if len(out) + len(encoded) + RECORD.size + len(record.data) > room:
            return count
        for suffix, at in _suffixes(record.name, len(out)).items():
            suffixes.setdefault(suffix, at)
        out += encoded + RECORD.pack(record.type, IN, record.ttl, len(record.data)) + record.data
    return len(records)


def _suffixes(name: bytes, start: int) -> dict[bytes, int]:
    """Where each suffix of a name stands that is written at `start`; only those that a pointer reaches."""
    found, at = {}, 0
    while name[at] and start + at < 0x4000:
        found[name[at:]] = start + at
        at += 1 + name[at]
    return found


def _compressed(name: bytes, suffixes: dict[bytes, int]) -> bytes:
    at = 0
    while name[at]:
        if (known := suffixes.get(name[at:])) is not None:
            return name[:at] + struct.pack("!H", POINTER | known)
        at += 1 + name[at]
    return name


def _opt(extended_rcode: int) -> bytes:
    return b"\0" + RECORD.pack(OPT, MOST_UDP_BYTES, extended_rcode << 24, 0)


def address_record(name: bytes, address: IPv4Address | IPv6Address, ttl: int) -> Record:
    return Record(name, A if address.version == 4 else AAAA, ttl, address.packed)


def service_data(port: int, weight: int, target: bytes, priority: int = 0) -> bytes:
    """An SRV record's data."""
    return struct.pack("!HHH", priority, weight, port) + target


def text_data(text: str) -> bytes:
    return bytes((len(text),)) + text.encode()


def authority_data(primary: bytes, mailbox: bytes, serial: int, minimum: int) -> bytes:
    """An SOA record's data."""
    refresh, retry, expire = 7200, 1800, 86400  # seconds; CoreDNS's
    return primary + mailbox + struct.pack("!IIIII", serial & 0xFFFFFFFF, refresh, retry, expire, minimum)


def question(name: bytes, kind: int, *, ident: int = 0, flags: int = RECURSION_DESIRED) -> bytes:
    """A message that asks."""
    return HEADER.pack(ident, flags, 1, 0, 0, 0) + name + struct.pack("!HH", kind, IN)


def refusal(message: bytes, rcode: int) -> bytes | None:
    """The answer to what cannot be read; None for what is not even a query's header, and for answers."""
    if len(message) < HEADER.size:
        return None
    ident, flags = struct.unpack_from("!HH", message)
    if flags & RESPONSE:
        return None
    return HEADER.pack(ident, RESPONSE | flags & (OPCODE | RECURSION_DESIRED) | rcode, 0, 0, 0, 0)


@dataclass(frozen=True)
class Found:
    """A record of a message that somebody else made."""

    section: int  # 0: answer, 1: authority, 2: additional
    name: bytes
    type: int
    ttl: int
    ttl_at: int  # where in the message the TTL stands
    data: bytes  # a name in it (CNAME) with its pointers resolved


def parse_records(message: bytes) -> list[Found]:
    """The records of a response, save OPT. Raises Malformed."""
    if len(message) < HEADER.size:
        raise Malformed("shorter than a header")
    _id, _flags, questions, *counts = HEADER.unpack_from(message)
    at = HEADER.size
    for _ in range(questions):
        at = read_name(message, at)[1] + 4
    found = []
    for section, count in enumerate(counts):
        for _ in range(count):
            name, at = read_name(message, at)
            if at + RECORD.size > len(message):
                raise Malformed("cut off in a record")
            kind, _cls, ttl, length = RECORD.unpack_from(message, at)
            start, at = at + RECORD.size, at + RECORD.size + length
            if at > len(message):
                raise Malformed("cut off in a record's data")
            if kind == SOA and length < SHORTEST_SOA:
                raise Malformed("an SOA record without its numbers")
            if kind != OPT:
                data = read_name(message, start)[0] if kind == CNAME else message[start:at]
                found.append(Found(section, name, kind, ttl, start - 6, data))
    return found
