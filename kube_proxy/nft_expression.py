"""Expressions: the parts of nftables rules, each as nft's own text and as the kernel's code. Pure.

A part loads fields into registers, compares, looks up or acts. Registers: a concatenation fills 32-bit registers from the first
one on, every field padded to four bytes; verdicts go to register 0. What thousands of Services share is built once (lru_cache).
include/uapi/linux/netfilter/nf_tables.h · https://www.netfilter.org/projects/nftables/manpage.html
"""

import struct
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network
from typing import NamedTuple

from kube_proxy.nft_netlink import attribute, nested, number, text, wide_number

LIST_ELEMENT = 1
VERDICT_REGISTER = 0
FIRST_REGISTER = 8  # NFT_REG32_00; with it begins what nft calls register 1
EQUAL, NOT_EQUAL = 0, 1
DROP, JUMP, GOTO, RETURN = 0, -3, -4, -5
IPV4 = 2
TYPE_LOCAL = 2  # RTN_LOCAL
STATE_NEW = 1 << 3
FULLY_RANDOM = 1 << 4
PORT_UNREACHABLE = 3


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


def _expression(name: str, *attributes: bytes) -> bytes:
    return nested(LIST_ELEMENT, text(1, name), nested(2, *attributes))


def _payload(base: int, offset: int, length: int) -> bytes:
    return number(2, base) + number(3, offset) + number(4, length)


SOURCE = Field("ip saddr", "payload", _payload(1, 12, 4))
DESTINATION = Field("ip daddr", "payload", _payload(1, 16, 4))
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
    loads = (_expression(one.expression, number(1, FIRST_REGISTER + at), one.attributes) for at, one in enumerate(fields))
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
def within(field: Field, network: IPv4Network, *, negated: bool = False) -> Part:
    """The address is in the network, or is not."""
    mask = b"" if network.prefixlen == 32 else _bitwise(network.netmask.packed, bytes(4))
    code = _load([field]) + mask + _compare(NOT_EQUAL if negated else EQUAL, network.network_address.packed)
    shown = str(network.network_address) if network.prefixlen == 32 else str(network)
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


def reject() -> Part:
    return Part("reject", _expression("reject", number(1, 0), attribute(2, bytes([PORT_UNREACHABLE]))))


def masquerade() -> Part:
    return Part("masquerade fully-random", _expression("masq", number(1, FULLY_RANDOM)))


_TO_ADDRESS_AND_PORT = _expression("nat", number(1, 1), number(2, IPV4), number(3, FIRST_REGISTER), number(5, FIRST_REGISTER + 1))


@lru_cache
def lead_by(fields: tuple[Field, ...], name: str) -> Part:
    """Lead the connection to the address and port that a map holds; without an entry, go on."""
    lookup = _expression("lookup", text(1, name), number(2, FIRST_REGISTER), number(3, FIRST_REGISTER))
    return Part(f"dnat ip to {_names(fields)} map @{name}", _load(fields) + lookup + _TO_ADDRESS_AND_PORT)


def lead_to(address: str, port: int) -> Part:
    """Lead the connection to one address and port."""
    values = (IPv4Address(address).packed, struct.pack(">H", port))
    loads = [_expression("immediate", number(1, FIRST_REGISTER + at), _value(2, value)) for at, value in enumerate(values)]
    return Part(f"dnat to {address}:{port}", b"".join(loads) + _TO_ADDRESS_AND_PORT)


def remember_source(name: str, seconds: int) -> Part:
    """Put the client's address into a set, for so long from now."""
    attributes = text(1, name) + number(3, 1) + number(4, FIRST_REGISTER) + wide_number(6, seconds * 1000)
    return Part(f"update @{name} {{ ip saddr timeout {seconds}s }}", _load([SOURCE]) + _expression("dynset", attributes))
