"""Expressions: the parts of nftables rules, each as nft's own text and as the kernel's code. Pure.

A part loads fields into registers, compares, looks up or acts. Registers: a concatenation fills 32-bit registers from the first
one on, every field padded to four bytes; verdicts go to register 0. What thousands of Services share is built once (lru_cache).
include/uapi/linux/netfilter/nf_tables.h · https://www.netfilter.org/projects/nftables/manpage.html
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import NamedTuple

from kube_proxy.nft_netlink import attribute, nested, number, text, wide_number

LIST_ELEMENT = 1
VERDICT_REGISTER = 0
FIRST_REGISTER = 8  # NFT_REG32_00; with it begins what nft calls register 1
EQUAL, NOT_EQUAL = 0, 1
DROP, JUMP, GOTO, RETURN = 0, -3, -4, -5
TYPE_LOCAL = 2  # RTN_LOCAL
STATE_NEW = 1 << 3
FULLY_RANDOM = 1 << 4
Network = IPv4Network | IPv6Network


class Part(NamedTuple):
    text: str  # as nft lists it
    code: bytes


Rule = tuple[Part, ...]


def rule_text(rule: Rule) -> str:
    return " ".join(part.text for part in rule)


def rule_code(rule: Rule) -> bytes:
    return b"".join(part.code for part in rule)


class Field(NamedTuple):
    """Something of a packet that can be looked up: its nft name, and how it is loaded into a register."""

    text: str
    expression: str
    attributes: bytes  # without the register
    words: int = 1  # registers that it fills


def _expression(name: str, *attributes: bytes) -> bytes:
    return nested(LIST_ELEMENT, text(1, name), nested(2, *attributes))


def _payload(base: int, offset: int, length: int) -> bytes:
    return number(2, base) + number(3, offset) + number(4, length)


@dataclass(frozen=True, eq=False)  # its identity is what caches know it by
class Family:
    """What differs between the two kinds of addresses."""

    name: str  # of tables
    number: int  # NFPROTO_*
    address: str  # the type of its addresses in sets
    words: int  # registers that an address fills
    source: Field
    destination: Field
    loopback: Network
    port_unreachable: int  # ICMP's code


IPV4 = Family(
    "ip", 2, "ipv4_addr", 1, Field("ip saddr", "payload", _payload(1, 12, 4)), Field("ip daddr", "payload", _payload(1, 16, 4)),
    IPv4Network("127.0.0.0/8"), 3,
)  # fmt: skip
IPV6 = Family(
    "ip6", 10, "ipv6_addr", 4, Field("ip6 saddr", "payload", _payload(1, 8, 16), 4),
    Field("ip6 daddr", "payload", _payload(1, 24, 16), 4), IPv6Network("::1/128"), 4,
)  # fmt: skip

PROTOCOL = Field("meta l4proto", "meta", number(2, 16))
PORT = Field("th dport", "payload", _payload(2, 2, 2))
MARK = Field("meta mark", "meta", number(2, 3))
SOURCE_TYPE = Field("fib saddr type", "fib", number(2, 3) + number(3, 1))
DESTINATION_TYPE = Field("fib daddr type", "fib", number(2, 3) + number(3, 2))


@lru_cache
def random_below(count: int) -> Field:
    """An index from 0 on, by chance."""
    return Field(f"numgen random mod {count}", "numgen", number(2, count) + number(3, 1) + number(4, 0))


def _load(fields: Sequence[Field]) -> bytes:
    """The fields one after the other, from the first register on. Every field's register attribute is number 1."""
    loads, register = [], FIRST_REGISTER
    for one in fields:
        loads.append(_expression(one.expression, number(1, register), one.attributes))
        register += one.words
    return b"".join(loads)


def _names(fields: Sequence[Field]) -> str:
    return " . ".join(one.text for one in fields)


def _value(kind: int, value: bytes) -> bytes:
    return nested(kind, attribute(1, value))


def _compare(operator: int, value: bytes) -> bytes:
    return _expression("cmp", number(1, FIRST_REGISTER), number(2, operator), _value(3, value))


def _bitwise(mask: bytes, xor: bytes) -> bytes:
    registers = number(1, FIRST_REGISTER) + number(2, FIRST_REGISTER) + number(3, len(mask))
    return _expression("bitwise", registers, _value(4, mask), _value(5, xor))


@lru_cache
def within(field: Field, network: Network, *, negated: bool = False) -> Part:
    """The address is in the network, or is not."""
    whole = network.prefixlen == network.max_prefixlen
    mask = b"" if whole else _bitwise(network.netmask.packed, bytes(len(network.netmask.packed)))
    code = _load([field]) + mask + _compare(NOT_EQUAL if negated else EQUAL, network.network_address.packed)
    shown = str(network.network_address) if whole else str(network)
    return Part(f"{field.text} {'!= ' if negated else ''}{shown}", code)


@lru_cache
def is_local(field: Field) -> Part:
    """The address is one of this node's."""
    return Part(f"{field.text} local", _load([field]) + _compare(EQUAL, struct.pack("=I", TYPE_LOCAL)))


def is_protocol(name: str, value: int) -> Part:
    return Part(f"meta l4proto {name}", _load([PROTOCOL]) + _compare(EQUAL, bytes([value])))


def is_random_pick(count: int) -> Part:
    """True for one connection in `count`."""
    pick = random_below(count)
    return Part(f"{pick.text} 0", _load([pick]) + _compare(EQUAL, bytes(4)))


def marked(bit: int) -> Part:
    value = struct.pack("=I", bit)
    code = _load([MARK]) + _bitwise(value, bytes(4)) + _compare(EQUAL, value)
    return Part(f"meta mark & 0x{bit:08x} == 0x{bit:08x}", code)


def _set_mark(mask: int, xor: int) -> bytes:
    code = _load([MARK]) + _bitwise(struct.pack("=I", mask), struct.pack("=I", xor))
    return code + _expression("meta", number(2, 3), number(3, FIRST_REGISTER))


@lru_cache
def set_mark(bit: int) -> Part:
    return Part(f"meta mark set meta mark | 0x{bit:08x}", _set_mark(~bit & 0xFFFFFFFF, bit))


def clear_mark(bit: int) -> Part:
    """For a mark that is known to be set."""
    return Part(f"meta mark set meta mark ^ 0x{bit:08x}", _set_mark(0xFFFFFFFF, bit))


def is_new() -> Part:
    """The connection's first packet."""
    state = _expression("ct", number(1, FIRST_REGISTER), number(2, 0))
    return Part("ct state new", state + _bitwise(struct.pack("=I", STATE_NEW), bytes(4)) + _compare(NOT_EQUAL, bytes(4)))


def in_set(fields: Sequence[Field], name: str) -> Part:
    return Part(f"{_names(fields)} @{name}", _load(fields) + _expression("lookup", text(1, name), number(2, FIRST_REGISTER)))


def verdict_of(fields: Sequence[Field], name: str) -> Part:
    """The verdict that a map holds; without one, go on."""
    lookup = _expression("lookup", text(1, name), number(2, FIRST_REGISTER), number(3, VERDICT_REGISTER))
    return Part(f"{_names(fields)} vmap @{name}", _load(fields) + lookup)


def verdict_attributes(code: int, chain: str = "") -> bytes:
    return nested(2, number(1, code), text(2, chain) if chain else b"")


def _verdict(code: int, chain: str = "") -> bytes:
    return _expression("immediate", number(1, VERDICT_REGISTER), nested(2, verdict_attributes(code, chain)))


def jump(chain: str) -> Part:
    return Part(f"jump {chain}", _verdict(JUMP, chain))


def goto(chain: str) -> Part:
    return Part(f"goto {chain}", _verdict(GOTO, chain))


def drop() -> Part:
    return Part("drop", _verdict(DROP))


def leave() -> Part:
    return Part("return", _verdict(RETURN))


def reset() -> Part:
    return Part("reject with tcp reset", _expression("reject", number(1, 1)))


def reject(family: Family) -> Part:
    return Part("reject", _expression("reject", number(1, 0), attribute(2, bytes([family.port_unreachable]))))


def masquerade() -> Part:
    return Part("masquerade fully-random", _expression("masq", number(1, FULLY_RANDOM)))


def _to_address_and_port(family: Family) -> bytes:
    registers = number(3, FIRST_REGISTER) + number(5, FIRST_REGISTER + family.words)
    return _expression("nat", number(1, 1), number(2, family.number), registers)


@lru_cache
def lead_by(family: Family, fields: tuple[Field, ...], name: str) -> Part:
    """Lead the connection to the address and port that a map holds; without an entry, go on."""
    lookup = _expression("lookup", text(1, name), number(2, FIRST_REGISTER), number(3, FIRST_REGISTER))
    return Part(f"dnat {family.name} to {_names(fields)} map @{name}", _load(fields) + lookup + _to_address_and_port(family))


def lead_to(family: Family, address: str, port: int) -> Part:
    """Lead the connection to one address and port."""
    values = ((FIRST_REGISTER, ip_address(address).packed), (FIRST_REGISTER + family.words, struct.pack(">H", port)))
    loads = [_expression("immediate", number(1, register), _value(2, value)) for register, value in values]
    shown = f"[{address}]" if ":" in address else address
    return Part(f"dnat to {shown}:{port}", b"".join(loads) + _to_address_and_port(family))


def remember_source(family: Family, name: str, seconds: int) -> Part:
    """Put the client's address into a set, for so long from now."""
    attributes = text(1, name) + number(3, 1) + number(4, FIRST_REGISTER) + wide_number(6, seconds * 1000)
    shown = f"update @{name} {{ {family.source.text} timeout {seconds}s }}"
    return Part(shown, _load([family.source]) + _expression("dynset", attributes))
