"""The node's side of a pod's network: the pair of devices, the end that is on the bridge, and its end.

https://man7.org/linux/man-pages/man4/veth.4.html · include/uapi/linux/if_link.h
"""

import socket
from dataclasses import dataclass

from kubelet.network.rtnetlink import (
    CREATE,
    DELETE_LINK,
    EXCLUSIVE,
    NEW_LINK,
    SET_LINK,
    Request,
    attribute,
    carry_out,
    link,
    nested,
    number,
    opened,
    text,
)

HARDWARE, NAME, MTU, MASTER, PORT, INFO, PROCESS, ALIAS = 1, 3, 4, 10, 12, 18, 19, 20  # IFLA_..., PORT is IFLA_PROTINFO
KIND, DATA, PEER = 1, 2, 1  # IFLA_INFO_KIND, IFLA_INFO_DATA, VETH_INFO_PEER
MODE, HAIRPIN = 4, b"\x01"  # IFLA_BRPORT_MODE: what a pod sends to its own Service goes back to it


@dataclass(frozen=True)
class Pair:
    device: str  # the node's end
    inside: str  # the pod's
    pid: int  # of a process in the pod's namespace
    hardware: str  # the pod's end's address
    mtu: int


def make(pair: Pair) -> None:
    """Blocks. The pod's end is in its namespace from the start, as moving it costs ten times as much. Raises NetlinkError."""
    hardware = bytes.fromhex(pair.hardware.replace(":", ""))
    peer = link() + text(NAME, pair.inside) + attribute(HARDWARE, hardware) + number(MTU, pair.mtu) + number(PROCESS, pair.pid)
    info = nested(INFO, text(KIND, "veth"), nested(DATA, nested(PEER, peer)))
    body = link() + text(NAME, pair.device) + number(MTU, pair.mtu) + info
    _do(Request(f"pair {pair.device}", NEW_LINK, CREATE | EXCLUSIVE, body))


def join(device: int, bridge: int, alias: str) -> None:
    """The node's end, up, on the bridge, with its alias. Blocks. Raises NetlinkError."""
    body = link(device, up=True) + number(MASTER, bridge) + text(ALIAS, alias)
    port = link(device, family=socket.AF_BRIDGE) + nested(PORT, attribute(MODE, HAIRPIN))
    _do(Request("on the bridge", SET_LINK, 0, body), Request("hairpin", SET_LINK, 0, port))


def remove(device: str) -> None:
    """With its other end. Blocks. Raises NetlinkError."""
    _do(Request(f"delete {device}", DELETE_LINK, 0, link() + text(NAME, device)))


def _do(*requests: Request) -> None:
    with opened() as sock:
        carry_out(sock, requests)
