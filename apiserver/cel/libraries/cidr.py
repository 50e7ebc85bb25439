"""CIDR: networks, `cidr("192.168.0.0/24")`, and what lies in them.

https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-cidr-library
"""

from ipaddress import IPv4Interface, IPv6Interface, ip_interface
from typing import Any

from apiserver.cel.errors import EvaluationError
from apiserver.cel.functions import Overload, function, member, traversal
from apiserver.cel.libraries import ip
from apiserver.cel.libraries.ip import IP

NET, ADDRESS = "net.CIDR", "net.IP"


class CIDR:
    """An address with a prefix: the host's bits are kept."""

    type_name = NET
    __slots__ = ("interface",)

    def __init__(self, interface: IPv4Interface | IPv6Interface) -> None:
        self.interface = interface

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CIDR) and self.interface == other.interface

    def __hash__(self) -> int:
        return hash(self.interface)

    def __str__(self) -> str:
        return str(self.interface)


def parse(text: str) -> CIDR:
    complaint = f'network address parse error during conversion from string: netip.ParsePrefix("{text}"): no valid prefix'
    address, slash, length = text.partition("/")
    if not slash or not length.isdigit() or (len(length) > 1 and length.startswith("0")) or not ip.is_ip(address):
        raise EvaluationError(complaint)
    try:
        return CIDR(ip_interface(text))
    except ValueError:
        raise EvaluationError(complaint) from None


def is_cidr(text: str) -> bool:
    try:
        parse(text)
    except EvaluationError:
        return False
    return True


def _contains_ip(net: CIDR, one: Any) -> bool:
    address = (ip.parse(one) if isinstance(one, str) else one).address
    return bool(address.version == net.interface.version and address in net.interface.network)


def _contains_cidr(net: CIDR, one: Any) -> bool:
    inner = (parse(one) if isinstance(one, str) else one).interface.network
    outer = net.interface.network
    return bool(inner.version == outer.version and outer.prefixlen <= inner.prefixlen and inner.network_address in outer)


OVERLOADS: tuple[Overload, ...] = (
    function("cidr", f"string -> {NET}", parse, traversal),
    function("isCIDR", "string -> bool", is_cidr, traversal),
    function("string", f"{NET} -> string", str),
    member("containsIP", f"{NET}, {ADDRESS} -> bool", _contains_ip),
    member("containsIP", f"{NET}, string -> bool", _contains_ip),
    member("containsCIDR", f"{NET}, {NET} -> bool", _contains_cidr),
    member("containsCIDR", f"{NET}, string -> bool", _contains_cidr),
    member("ip", f"{NET} -> {ADDRESS}", lambda net: IP(net.interface.ip)),
    member("masked", f"{NET} -> {NET}", lambda net: CIDR(ip_interface(net.interface.network))),
    member("prefixLength", f"{NET} -> int", lambda net: net.interface.network.prefixlen),
)
