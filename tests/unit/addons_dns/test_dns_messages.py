"""Messages as bytes, read and written against dnspython."""

import random
import struct
import time

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import pytest
from hypothesis import given
from hypothesis import strategies as st

from addons.dns import wire
from tests.unit.addons_dns.objects import a_resolver, a_service, a_slice, an_endpoint, ask, data

MANY = 60
BIG = (a_service("big"), a_slice("big", *(an_endpoint(f"10.244.1.{number}") for number in range(1, MANY + 1))))
NAME = "big.default.svc.cluster.local"


def test_an_answer_too_long_for_a_datagram_is_cut_and_says_so() -> None:
    """Rule: RFC 1035 4.2.1: 512 bytes; the asker comes again over TCP, where all of it is told."""
    resolver = a_resolver(*BIG)
    asked = dns.message.make_query(NAME, "A")
    told = resolver.at_once(asked.to_wire(), "udp", time.perf_counter())
    assert isinstance(told, bytes)
    answer = dns.message.from_wire(told)
    assert len(told) <= 512
    assert answer.flags & dns.flags.TC
    assert 0 < len(data(answer)) < MANY
    whole = ask(resolver, NAME, proto="tcp")
    assert not whole.flags & dns.flags.TC
    assert len(data(whole)) == MANY


def test_edns_tells_how_much_fits() -> None:
    """Rule: RFC 6891; the answer has the OPT record, too, and a version we do not know is refused."""
    resolver = a_resolver(*BIG)
    answer = ask(resolver, NAME, use_edns=0, payload=4096)
    assert (len(data(answer)), answer.edns, bool(answer.flags & dns.flags.TC)) == (MANY, 0, False)
    assert ask(resolver, NAME, use_edns=1).rcode() == dns.rcode.BADVERS


def test_addresses_are_told_in_turns() -> None:
    """Rule: https://coredns.io/plugins/loadbalance/"""
    resolver = a_resolver(a_service("few"), a_slice("few", *(an_endpoint(f"10.244.1.{number}") for number in (1, 2, 3))))
    ask(resolver, "few.default.svc.cluster.local")
    (prepared,) = resolver.prepared["udp"].values()
    firsts = {str(dns.message.from_wire(b"\0\0" + one).answer[0][0]) for one in prepared.rotations}
    assert firsts == {"10.244.1.1", "10.244.1.2", "10.244.1.3"}


def test_the_flags_are_those_of_an_authority() -> None:
    answer = ask(a_resolver(*BIG), NAME)
    assert dns.flags.to_text(answer.flags & ~dns.flags.TC) == "QR AA RD RA"


@pytest.mark.parametrize(
    ("message", "rcode"),
    [
        (b"", None),
        (b"\0\1\0\0", None),
        (struct.pack("!HHHHHH", 7, 0x8000, 1, 0, 0, 0), None),  # an answer
        (struct.pack("!HHHHHH", 7, 0, 2, 0, 0, 0), wire.FORMERR),
        (struct.pack("!HHHHHH", 7, 0, 1, 0, 0, 0) + b"\3we", wire.FORMERR),
        (struct.pack("!HHHHHH", 7, 0, 1, 0, 0, 0) + b"\xc0\x0c\0\1\0\1", wire.FORMERR),  # a pointer to itself
        (struct.pack("!HHHHHH", 7, 0x2800, 1, 0, 0, 0) + b"\0\0\1\0\1", wire.NOTIMP),  # an update
        (struct.pack("!HHHHHH", 7, 0, 1, 0, 0, 0) + b"\0\0\1\0\3", wire.REFUSED),  # class CHAOS
    ],
)
def test_what_cannot_be_answered_is_refused_or_dropped(message: bytes, rcode: int | None) -> None:
    told = a_resolver().at_once(message, "udp", time.perf_counter())
    assert (told[3] & 0xF if isinstance(told, bytes) else None) == rcode


@given(st.binary(max_size=200))
def test_no_bytes_end_the_program(message: bytes) -> None:
    resolver = a_resolver(*BIG)
    resolver.at_once(message, "udp", time.perf_counter())
    resolver.at_once(b"\0\1\1\0\0\1\0\0\0\0\0\0" + message, "udp", time.perf_counter())


def test_compression_is_read_as_written() -> None:
    """Rule: RFC 1035 4.1.4"""
    generator = random.Random(1)
    labels = [b"a", b"bb", b"svc", b"cluster", b"local"]
    for _ in range(200):
        names = [wire.from_labels(generator.choices(labels, k=generator.randint(0, 5))) for _ in range(6)]
        query = wire.parse_query(wire.question(names[0], wire.ANY))
        answer = wire.Answer(answers=tuple(wire.Record(one, wire.PTR, 5, names[0]) for one in names[1:]))
        message = wire.response(query, answer, 4096)
        assert [one.name for one in wire.parse_records(message)] == names[1:]
        dns.message.from_wire(message)


def test_a_zone_ends_between_labels() -> None:
    assert wire.is_below(wire.name_of("a.local"), wire.name_of("local"))
    assert wire.is_below(wire.name_of("local"), wire.name_of("local"))
    assert not wire.is_below(wire.name_of("notlocal"), wire.name_of("local"))
    assert wire.is_below(wire.name_of("any.name"), b"\0")
    assert not wire.is_below(b"\x06a\x05local\0", wire.name_of("local"))  # a label that ends like a name
