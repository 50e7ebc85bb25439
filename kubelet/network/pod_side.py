"""The pod's side of its network: loopback up, eth0's address, eth0 up, the default route.

One write to a socket that was opened in the pod's namespace. https://man7.org/linux/man-pages/man7/rtnetlink.7.html
"""

import socket
import struct
from ipaddress import IPv4Address, IPv4Interface

from kubelet.network.rtnetlink import CREATE, EXCLUSIVE, NEW_ADDRESS, NEW_LINK, NEW_ROUTE, Request, attribute, carry_out, link

LOCAL, ADDRESS, GATEWAY = 2, 1, 5  # IFA_LOCAL, IFA_ADDRESS, RTA_GATEWAY
MAIN_TABLE, STATIC, UNIVERSE, UNICAST = 254, 4, 0, 1
LOOPBACK = 1  # the first device in every namespace

_ADDRESS = struct.Struct("=BBBBI")  # family, prefix length, flags, scope, index
_ROUTE = struct.Struct("=BBBBBBBBI")  # family, lengths, service, table, protocol, scope, type, flags


def set_up(inside: socket.socket, eth0: int, address: IPv4Interface, gateway: IPv4Address) -> None:
    """Blocks. Raises NetlinkError for the first step that was refused."""
    own, length = address.ip.packed, address.network.prefixlen
    addressed = _ADDRESS.pack(socket.AF_INET, length, 0, UNIVERSE, eth0) + attribute(LOCAL, own) + attribute(ADDRESS, own)
    route = _ROUTE.pack(socket.AF_INET, 0, 0, 0, MAIN_TABLE, STATIC, UNIVERSE, UNICAST, 0) + attribute(GATEWAY, gateway.packed)
    carry_out(
        inside,
        [
            Request("loopback up", NEW_LINK, 0, link(LOOPBACK, up=True)),
            Request("address", NEW_ADDRESS, CREATE | EXCLUSIVE, addressed),
            Request("eth0 up", NEW_LINK, 0, link(eth0, up=True)),
            Request("default route", NEW_ROUTE, CREATE | EXCLUSIVE, route),
        ],
    )
