"""IP: addresses, `ip("192.168.0.1")`, in the strict form only: no leading zeros, no zones, no IPv4 inside IPv6.

https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-ip-address-library
"""

from ipaddress import IPv4Address, IPv6Address, ip_address

from apiserver.cel.errors import EvaluationError
from apiserver.cel.functions import Overload, function, member, traversal

Address = IPv4Address | IPv6Address


class IP:
    type_name = "net.IP"
    __slots__ = ("address",)

    def __init__(self, address: Address) -> None:
        self.address = address

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IP) and self.address == other.address

    def __hash__(self) -> int:
        return hash(self.address)

    def __str__(self) -> str:
        return str(self.address)


def parse(text: str) -> IP:
    if "%" in text:
        raise EvaluationError(f'IP Address "{text}" with zone value is not allowed')
    try:
        address = ip_address(text)
    except ValueError:
        raise EvaluationError(
            f'IP Address "{text}" parse error during conversion from string: ParseAddr("{text}"): unable to parse IP'
        ) from None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        raise EvaluationError(f'IPv4-mapped IPv6 address "{text}" is not allowed')
    return IP(address)


def is_ip(text: str) -> bool:
    try:
        parse(text)
    except EvaluationError:
        return False
    return True


def _is_canonical(text: str) -> bool:
    return str(parse(text)) == text


def _is_global(ip: IP) -> bool:
    """Go's IsGlobalUnicast: private addresses are among them."""
    address = ip.address
    special = address.is_unspecified or address.is_loopback or address.is_multicast or address.is_link_local
    return not special and str(address) != "255.255.255.255"


def _is_link_local_multicast(ip: IP) -> bool:
    packed = ip.address.packed
    return packed[:3] == b"\xe0\x00\x00" if ip.address.version == 4 else packed[0] == 0xFF and packed[1] & 0x0F == 0x02


OVERLOADS: tuple[Overload, ...] = (
    function("ip", "string -> net.IP", parse, traversal),
    function("isIP", "string -> bool", is_ip, traversal),
    function("ip.isCanonical", "string -> bool", _is_canonical, traversal),
    function("string", "net.IP -> string", str),
    member("family", "net.IP -> int", lambda ip: ip.address.version),
    member("isUnspecified", "net.IP -> bool", lambda ip: ip.address.is_unspecified),
    member("isLoopback", "net.IP -> bool", lambda ip: ip.address.is_loopback),
    member("isLinkLocalMulticast", "net.IP -> bool", _is_link_local_multicast),
    member("isLinkLocalUnicast", "net.IP -> bool", lambda ip: ip.address.is_link_local),
    member("isGlobalUnicast", "net.IP -> bool", _is_global),
)
