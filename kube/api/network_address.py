"""Addresses: IPs, ranges and host:port, as objects hold them.

apimachinery pkg/util/validation (IsValidIP, IsValidCIDR) · kubernetes pkg/apis/core/validation (ValidateNonSpecialIP)
"""

import re
from ipaddress import ip_address, ip_interface, ip_network

IP_TEXT = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
CIDR_TEXT = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
LOOPBACK = "may not be in the loopback range (127.0.0.0/8, ::1/128)"
LINK_LOCAL = "may not be in the link-local range (169.254.0.0/16, fe80::/10)"
LINK_LOCAL_MULTICAST = "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"
_MULTICAST = (ip_network("224.0.0.0/24"), ip_network("ff02::/16"))


def ip_complaints(text: str) -> list[str]:
    """KEP-4858: nothing that one reader takes for one address and another for a different one."""
    try:
        address = ip_address(without_leading_zeros(text))
    except ValueError:
        return [IP_TEXT]
    if "%" in text:
        return [IP_TEXT]
    if without_leading_zeros(text) != text:
        return ["must not have leading 0s"]
    return ["must not be an IPv4-mapped IPv6 address"] if getattr(address, "ipv4_mapped", None) else []


def cidr_complaints(text: str) -> list[str]:
    address, slash, length = text.partition("/")
    if not slash or not length.isdigit():
        return [CIDR_TEXT]
    try:
        block = ip_interface(f"{without_leading_zeros(address)}/{int(length)}")
    except ValueError:
        return [CIDR_TEXT]
    if without_leading_zeros(address) != address:
        return ["must not have leading 0s in IP"]
    if str(int(length)) != length:
        return ["must not have leading 0s in prefix length"]
    if getattr(block.ip, "ipv4_mapped", None):
        return ["must not have an IPv4-mapped IPv6 address"]
    return ["must not have bits set beyond the prefix length"] if block.ip != block.network.network_address else []


def special_complaints(text: str) -> list[str]:
    """Addresses that no endpoint and no outside address of a Service can have."""
    try:
        address = ip_address(without_leading_zeros(text))
    except ValueError:
        return ["must be a valid IP address"]
    complaints = []
    if address.is_unspecified:
        complaints.append(f"may not be unspecified ({text})")
    if address.is_loopback:
        complaints.append(LOOPBACK)
    if address.is_link_local:
        complaints.append(LINK_LOCAL)
    if any(address in block for block in _MULTICAST if block.version == address.version):
        complaints.append(LINK_LOCAL_MULTICAST)
    return complaints


def without_leading_zeros(text: str) -> str:
    """`010.001.0.1` is 10.1.0.1."""
    return text if ":" in text else re.sub(r"(?<![0-9])0+(?=[0-9])", "", text)


def is_ipv6(text: str) -> bool:
    return ":" in text


def host_port(host: str, port: int | None) -> str:
    """`10.0.0.1:80`, `[fd00::1]:80`."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
