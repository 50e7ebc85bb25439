"""Addresses: IPs, ranges and host:port, as objects hold them.

apimachinery pkg/util/validation (IsValidIP, IsValidCIDR)
"""

from ipaddress import ip_address, ip_network

IP_TEXT = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
CIDR_TEXT = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"


def ip_complaints(text: str) -> list[str]:
    try:
        ip_address(text)
    except ValueError:
        return [IP_TEXT]
    return []


def cidr_complaints(text: str) -> list[str]:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return [CIDR_TEXT]
    return [] if "/" in text else [CIDR_TEXT]


def host_port(host: str, port: int | None) -> str:
    """`10.0.0.1:80`, `[fd00::1]:80`."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
