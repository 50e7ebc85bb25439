"""Rules of the pod network, as nft text: masquerading, host ports, and no way round to the node's loopback. Pure.

All in one table of its own, which nothing else writes to and which goes as a whole. A host port is an element of a map: of
`host-ports` where it stands for every address of the node, of `host-ip-ports` where the pod names one, so the same port may be
used with another protocol or address. Connections to a host port from a pod or from the node's loopback are marked and
masqueraded, so that the answers come back the same way (as the portmap plugin of CNI does).
https://kubernetes.io/docs/concepts/cluster-administration/networking/ · https://www.cni.dev/plugins/current/meta/portmap/
"""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network

from kubelet.pod_network import HostPort

TABLE = "skiff-pod-network"
MASQUERADE_MARK = "0x2000"  # portmap's own bit of the packet mark
EVERY_ADDRESS = ("", "0.0.0.0", "::")

_TABLE_TEXT = """\
add table ip {table}
add map ip {table} host-ports {{ type inet_proto . inet_service : ipv4_addr . inet_service ; }}
add map ip {table} host-ip-ports {{ type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service ; }}
add chain ip {table} raw {{ type filter hook prerouting priority raw ; }}
add chain ip {table} prerouting {{ type nat hook prerouting priority dstnat ; }}
add chain ip {table} output {{ type nat hook output priority -100 ; }}
add chain ip {table} to-host-port
add chain ip {table} postrouting {{ type nat hook postrouting priority srcnat ; }}
flush table ip {table}
add rule ip {table} raw iifname "{bridge}" ip daddr 127.0.0.0/8 drop
add rule ip {table} prerouting fib daddr type local jump to-host-port
add rule ip {table} output fib daddr type local jump to-host-port
add rule ip {table} to-host-port ip saddr {{ 127.0.0.0/8, {pods} }} meta mark set meta mark | {mark}
add rule ip {table} to-host-port dnat ip to ip daddr . meta l4proto . th dport map @host-ip-ports
add rule ip {table} to-host-port dnat ip to meta l4proto . th dport map @host-ports
add rule ip {table} postrouting meta mark & {mark} == {mark} ct status dnat masquerade
add rule ip {table} postrouting ip saddr {pods} ip daddr != {{ {cluster}, 224.0.0.0/4 }} masquerade
"""


def table(bridge: str, pod_cidr: IPv4Network, cluster_cidr: IPv4Network) -> str:
    """The table with its rules; the maps keep their elements, other rules of an older table go."""
    return _TABLE_TEXT.format(table=TABLE, bridge=bridge, pods=pod_cidr, cluster=cluster_cidr, mark=MASQUERADE_MARK)


def add_host_ports(address: IPv4Address, ports: Sequence[HostPort]) -> str:
    """Lead host ports to a pod. Exclusive: a port that another pod has makes nft fail with "File exists"."""
    return "".join(
        f"create element ip {TABLE} {_map(port)} {{ {_key(port)} : {address} . {port.container_port} }}\n" for port in ports
    )


def delete_host_ports(ports: Iterable[HostPort]) -> str:
    return "".join(f"delete element ip {TABLE} {_map(port)} {{ {_key(port)} }}\n" for port in ports)


def _map(port: HostPort) -> str:
    return "host-ports" if port.host_ip in EVERY_ADDRESS else "host-ip-ports"


def _key(port: HostPort) -> str:
    key = f"{port.protocol.lower()} . {port.host_port}"
    return key if port.host_ip in EVERY_ADDRESS else f"{port.host_ip} . {key}"
