"""Node links: routes to other nodes and the VXLAN device, in the kernel. Every call blocks.

Our routes carry a protocol number of their own, which is the record of what is ours: a kubelet that starts again finds them, and
leaves those that are still right untouched. The device learns nothing and asks nobody: every neighbour is told to it.
Checksums of packets inside VXLAN are computed here and not by the network card: with offload, some kernels and cards send wrong
ones once the packet was also masqueraded, and everything between nodes times out (flannel#1279, k3s#2013).
https://man7.org/linux/man-pages/man7/rtnetlink.7.html · https://docs.kernel.org/networking/vxlan.html
"""

import array
import errno
import fcntl
import socket
import struct
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import Any

from pyroute2.iproute.linux import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from kubelet.network.addresses import hardware_address
from kubelet.network.links import ignoring
from kubelet.network.routes import VXLAN_OVERHEAD, Peer

DEVICE = "skiff.1"
VNI, PORT = 1, 8472  # flannel's
PROTOCOL = 183  # of our routes: none of those in /etc/iproute2/rt_protos
MAIN_TABLE = 254
ONLINK = 4  # RTNH_F_ONLINK: the gateway need not be in a network of the device
PERMANENT, NOARP = 0x80, 0x40  # states of neighbours: NUD_PERMANENT, NUD_NOARP
FLAG_SELF = 0x02  # NTF_SELF: an entry of the device itself
SIOCETHTOOL, ETHTOOL_GTXCSUM, ETHTOOL_STXCSUM = 0x8946, 0x16, 0x17


def own_interfaces(address: IPv4Address) -> list[IPv4Interface]:
    """The node's address with its link's prefix, as the device has it; nothing where no device has it."""
    with IPRoute() as ipr:
        found = ipr.get_addr(family=socket.AF_INET)
    return [IPv4Interface((address, one["prefixlen"])) for one in found if one.get_attr("IFA_LOCAL") == str(address)]


def known_peers() -> frozenset[Peer]:
    """What our routes lead to; a wrapped one counts where route, neighbour and forwarding entry are all there."""
    with IPRoute() as ipr:
        device = _device_index(ipr)
        vteps = _vteps(ipr, device) if device else {}
        found = []
        for route in ipr.get_routes(family=socket.AF_INET, table=MAIN_TABLE, proto=PROTOCOL):
            pods = IPv4Network(f"{route.get_attr('RTA_DST')}/{route['dst_len']}")
            via = IPv4Address(route.get_attr("RTA_GATEWAY"))
            if route.get_attr("RTA_OIF") != device:
                found.append(Peer(pods, via, wrapped=False))
            elif via in vteps:
                found.append(Peer(pods, vteps[via], wrapped=True))
    return frozenset(found)


def add_peers(peers: Iterable[Peer]) -> None:
    """Lead packets to these nodes; what led elsewhere before is replaced."""
    with IPRoute() as ipr:
        device = _device_index(ipr)
        for peer in sorted(peers):
            if not peer.wrapped:
                ipr.route("replace", dst=str(peer.pods), gateway=str(peer.node), proto=PROTOCOL)
                continue
            vtep, mac = str(peer.pods[0]), hardware_address(peer.node)
            ipr.fdb("replace", ifindex=device, lladdr=mac, dst=str(peer.node), state=PERMANENT | NOARP, flags=FLAG_SELF)
            ipr.neigh("replace", ifindex=device, dst=vtep, lladdr=mac, state=PERMANENT)
            ipr.route("replace", dst=str(peer.pods), gateway=vtep, oif=device, flags=ONLINK, proto=PROTOCOL)


def remove_peers(peers: Iterable[Peer]) -> None:
    """Forget these nodes; what is gone already is no error."""
    with IPRoute() as ipr:
        device = _device_index(ipr)
        for peer in sorted(peers):
            with ignoring(errno.ESRCH):
                ipr.route("del", dst=str(peer.pods), proto=PROTOCOL)
            if not peer.wrapped or not device:
                continue
            vtep, mac = str(peer.pods[0]), hardware_address(peer.node)
            with ignoring(errno.ENOENT):
                ipr.neigh("del", ifindex=device, dst=vtep, lladdr=mac)
            with ignoring(errno.ENOENT):
                ipr.fdb("del", ifindex=device, lladdr=mac, dst=str(peer.node), flags=FLAG_SELF)


def ensure_vxlan(node: IPv4Interface, pods: IPv4Network) -> None:
    """The VXLAN device of a node, up; one that was made for another address is made anew."""
    with IPRoute() as ipr:
        below = _device_with(ipr, node.ip)
        index = _device_index(ipr)
        if index and not _made_for(ipr.get_links(index)[0], node.ip, below):
            ipr.link("del", index=index)
            index = 0
        mtu = int(ipr.get_links(below)[0].get_attr("IFLA_MTU")) - VXLAN_OVERHEAD
        if not index:
            ipr.link(
                "add", ifname=DEVICE, kind="vxlan", vxlan_id=VNI, vxlan_port=PORT, vxlan_link=below,
                vxlan_local=str(node.ip), vxlan_learning=0, address=hardware_address(node.ip),
            )  # fmt: skip
            index = _device_index(ipr)
        compute_checksums(DEVICE)
        ipr.addr("replace", index=index, address=str(pods[0]), prefixlen=32)
        for other in ipr.get_addr(index=index, family=socket.AF_INET):
            if other.get_attr("IFA_ADDRESS") != str(pods[0]):
                ipr.addr("del", index=index, address=other.get_attr("IFA_ADDRESS"), prefixlen=other["prefixlen"])
        ipr.link("set", index=index, mtu=mtu, state="up")


def remove_all() -> None:
    """Leave nothing of this behind."""
    remove_peers(known_peers())
    with IPRoute() as ipr:
        for route in ipr.get_routes(family=socket.AF_INET, table=MAIN_TABLE, proto=PROTOCOL):
            with ignoring(errno.ESRCH):
                ipr.route("del", dst=f"{route.get_attr('RTA_DST')}/{route['dst_len']}", proto=PROTOCOL)
    remove_vxlan()


def remove_vxlan() -> None:
    with IPRoute() as ipr, ignoring(errno.ENODEV):
        ipr.link("del", ifname=DEVICE)


def compute_checksums(device: str) -> None:
    """As `ethtool -K DEVICE tx off`."""
    _ethtool(device, ETHTOOL_STXCSUM, 0)


def offloads_checksums(device: str) -> bool:
    return bool(_ethtool(device, ETHTOOL_GTXCSUM, 0))


def _ethtool(device: str, command: int, value: int) -> int:
    """One of the calls whose argument and answer are a number."""
    argument = array.array("B", struct.pack("=II", command, value))
    request = struct.pack("16sP", device.encode(), argument.buffer_info()[0]).ljust(40, b"\0")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, SIOCETHTOOL, request)
    return int(struct.unpack("=II", argument.tobytes())[1])


def _device_index(ipr: Any) -> int:
    found: Sequence[int] = ipr.link_lookup(ifname=DEVICE)
    return found[0] if found else 0


def _device_with(ipr: Any, address: IPv4Address) -> int:
    for one in ipr.get_addr(family=socket.AF_INET):
        if one.get_attr("IFA_LOCAL") == str(address):
            return int(one["index"])
    raise NetlinkError(errno.ENODEV, f"no device has the node's address {address}")


def _made_for(link: Any, node: IPv4Address, below: int) -> bool:
    data = link.get_attr("IFLA_LINKINFO").get_attr("IFLA_INFO_DATA")
    local, lower = data.get_attr("IFLA_VXLAN_LOCAL"), data.get_attr("IFLA_VXLAN_LINK")
    return bool(local == str(node) and lower == below and link.get_attr("IFLA_ADDRESS") == hardware_address(node))


def _vteps(ipr: Any, device: int) -> dict[IPv4Address, IPv4Address]:
    """By the address of the other device: the node that its packets are sent to."""
    nodes = {
        one.get_attr("NDA_LLADDR"): IPv4Address(one.get_attr("NDA_DST"))
        for one in ipr.fdb("dump", ifindex=device)
        if one.get_attr("NDA_DST")
    }
    found = {}
    for one in ipr.get_neighbours(ifindex=device, family=socket.AF_INET):
        mac = one.get_attr("NDA_LLADDR")
        if mac in nodes and one["state"] & PERMANENT:
            found[IPv4Address(one.get_attr("NDA_DST"))] = nodes[mac]
    return found
