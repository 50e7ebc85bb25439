"""Links: the bridge, the pods' veth pairs and the routes, by netlink. Every call blocks; each opens its own socket.

The node's end of a pair says in its alias whose it is and which address it carries: that is the only record there is, and it
goes with the link, which goes with the pod's network namespace. The pod's end is created in its namespace at once, and is set
up through a socket that was opened there, which takes a tenth of the time of moving it and entering the namespace.
https://man7.org/linux/man-pages/man7/rtnetlink.7.html · https://docs.kernel.org/networking/bridge.html
"""

import contextlib
import ctypes
import errno
import fcntl
import hashlib
import os
import socket
import struct
import threading
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import Any

from pyroute2.iproute.linux import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from kubelet.network import node_side, pod_side, rtnetlink
from kubelet.network.addresses import hardware_address
from kubelet.pod_network import Bandwidth, NetworkFailure

CLONE_NEWNET = 0x40000000
SIOCGIFINDEX = 0x8933
POD_DEVICE = "eth0"
ALIAS_OWNER = "skiff"
ALIAS_BYTES = 255  # what the kernel keeps of an alias
LAST_RESORT = 8000  # metric: any other route to pods is preferred
DEFAULT_MTU = 1500
MOST_MTU = 65_535  # a bridge takes no more, and loopback has one more
BURSTS_A_SECOND, LEAST_BURST = 10, 65_536  # a burst must hold what the kernel sends in one piece
SHAPING_LATENCY = "25ms"  # what waits longer is dropped; the bandwidth plugin's


@dataclass(frozen=True)
class PodLink:
    """The node's end of a pod's pair, as found."""

    index: int
    uid: str
    address: IPv4Address


def refuse_strays(cluster_cidr: IPv4Network) -> None:
    """Addresses of pods that do not exist are unreachable: without this they would leave by the default route."""
    with IPRoute() as ipr:
        ipr.route("replace", dst=str(cluster_cidr), type="unreachable", priority=LAST_RESORT)


def stop_refusing_strays(cluster_cidr: IPv4Network) -> None:
    with IPRoute() as ipr, ignoring(errno.ESRCH):
        ipr.route("del", dst=str(cluster_cidr), type="unreachable", priority=LAST_RESORT)


def egress_mtu(node_address: str = "") -> int:
    """What fits through the devices that pods' packets leave by: the default route's, and that with the node's address."""
    with IPRoute() as ipr:
        devices = {route.get_attr("RTA_OIF") for route in ipr.get_default_routes(family=socket.AF_INET)}
        addresses = ipr.get_addr(family=socket.AF_INET) if node_address else ()
        devices |= {one["index"] for one in addresses if one.get_attr("IFA_LOCAL") == node_address}
        found = [int(ipr.get_links(index)[0].get_attr("IFLA_MTU")) for index in devices if index]
    return min((*found, MOST_MTU)) if found else DEFAULT_MTU


def ensure_bridge(name: str, gateway: IPv4Interface, mtu: int) -> None:
    """The bridge, up, with the gateway's address and no other one."""
    mac = hardware_address(gateway.ip)  # a bridge without an address of its own would take a new one with every port
    with IPRoute() as ipr:
        with ignoring(errno.EEXIST):
            ipr.link("add", ifname=name, kind="bridge", address=mac)
        index = socket.if_nametoindex(name)
        ipr.link("set", index=index, address=mac, mtu=mtu, state="up")
        for other in ipr.get_addr(index=index, family=socket.AF_INET):
            if (other.get_attr("IFA_ADDRESS"), other["prefixlen"]) != (str(gateway.ip), gateway.network.prefixlen):
                ipr.addr("del", index=index, address=other.get_attr("IFA_ADDRESS"), prefixlen=other["prefixlen"])
        ipr.addr(
            "replace",
            index=index,
            address=str(gateway.ip),
            prefixlen=gateway.network.prefixlen,
            broadcast=str(gateway.network.broadcast_address),
        )


def pod_links() -> list[PodLink]:
    """Every pod's link on this node, oldest first."""
    found = []
    with IPRoute() as ipr:
        for link in ipr.get_links():
            words = (link.get_attr("IFLA_IFALIAS") or "").split()
            if len(words) >= 3 and words[0] == ALIAS_OWNER:
                found.append(PodLink(link["index"], words[1], IPv4Address(words[2])))
    return sorted(found, key=lambda link: link.index)


def device_of(uid: str) -> str:
    """The name of the node's end, as long as a name may be."""
    return "veth" + hashlib.sha256(uid.encode()).hexdigest()[:11]


def connect(bridge: str, uid: str, label: str, pid: int, address: IPv4Interface, gateway: IPv4Address, mtu: int) -> None:
    """Give the process's network namespace an eth0 on the bridge; what is connected already stays as it is."""
    with _socket_in_namespace_of(pid) as inside:
        device = device_of(uid)
        pair = node_side.Pair(device, POD_DEVICE, pid, hardware_address(address.ip), mtu)
        try:
            node_side.make(pair)
        except NetlinkError as error:
            if error.code != errno.EEXIST:
                raise NetworkFailure(f"cannot create {device} for {label}: {error}") from error
            if _has_address(inside, address.ip):
                return
            if not _is_there(device):
                raise NetworkFailure(f"process {pid} has an {POD_DEVICE} of another origin, cannot connect {label}") from error
            node_side.remove(device)  # the pair of an earlier namespace of the same pod
            node_side.make(pair)
        alias = f"{ALIAS_OWNER} {uid} {address.ip} {label}"[:ALIAS_BYTES]
        node_side.join(socket.if_nametoindex(device), socket.if_nametoindex(bridge), alias)
        pod_side.set_up(inside, _index_inside(inside, POD_DEVICE), address, gateway)


def limit(uid: str, pid: int, bandwidth: Bandwidth) -> None:
    """At the end of the pair that packets leave by: the node's for what comes in, the pod's for what goes out.

    A pod that may change its own network (NET_ADMIN) may take the second one away."""
    with _socket_in_namespace_of(pid) as inside, IPRoute() as ipr, IPRoute(fileno=os.dup(inside.fileno())) as pod:
        if bandwidth.ingress:
            _shape(ipr, socket.if_nametoindex(device_of(uid)), bandwidth.ingress)
        if bandwidth.egress:
            _shape(pod, _index_inside(inside, POD_DEVICE), bandwidth.egress)


def _shape(ipr: Any, index: int, bits: int) -> None:
    rate = bits // 8
    burst = max(rate // BURSTS_A_SECOND, LEAST_BURST)
    ipr.tc("replace", "tbf", index, handle="1:", rate=rate, burst=burst, latency=SHAPING_LATENCY)


def disconnect(uid: str) -> None:
    """Delete a pod's pair; one that is not there is no error."""
    with ignoring(errno.ENODEV):
        node_side.remove(device_of(uid))


def delete_bridge(name: str) -> None:
    """Delete the pods' pairs, then the bridge."""
    for link in pod_links():
        with IPRoute() as ipr, ignoring(errno.ENODEV):
            ipr.link("del", index=link.index)
    with IPRoute() as ipr, ignoring(errno.ENODEV):
        ipr.link("del", ifname=name)


def _index_inside(sock: socket.socket, name: str) -> int:
    """A device's number in the namespace where a socket was opened; asking by netlink costs ten times as much."""
    answer = fcntl.ioctl(sock, SIOCGIFINDEX, struct.pack("16si12x", name.encode(), 0))
    return int(struct.unpack("16si12x", answer)[1])


def _is_there(device: str) -> bool:
    return device in (name for _, name in socket.if_nameindex())


def _has_address(inside: socket.socket, address: IPv4Address) -> bool:
    with IPRoute(fileno=os.dup(inside.fileno())) as pod:
        return any(one.get_attr("IFA_ADDRESS") == str(address) for one in pod.get_addr(family=socket.AF_INET))


def _socket_in_namespace_of(pid: int) -> socket.socket:
    """A netlink socket that acts in the process's network namespace. NetworkFailure where that is gone, or the node's own."""
    result: list[socket.socket | OSError] = []
    thread = threading.Thread(target=_open_inside, args=(pid, result))  # entering a namespace is for a thread's life
    thread.start()
    thread.join()
    if isinstance(result[0], OSError):
        raise NetworkFailure(f"cannot enter the network namespace of process {pid}: {result[0].strerror}") from result[0]
    return result[0]


def _open_inside(pid: int, result: list[socket.socket | OSError]) -> None:
    try:
        namespace = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            if os.fstat(namespace).st_ino == os.stat("/proc/thread-self/ns/net").st_ino:
                raise OSError(errno.EINVAL, "it is the node's own")
            if ctypes.CDLL(None, use_errno=True).setns(namespace, CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        finally:
            os.close(namespace)
        result.append(rtnetlink.opened())
    except OSError as error:
        result.append(error)


@contextlib.contextmanager
def ignoring(code: int) -> Any:
    try:
        yield
    except NetlinkError as error:
        if error.code != code:
            raise
