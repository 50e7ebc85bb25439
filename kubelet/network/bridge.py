"""Bridge network: connects the pods of a node to one bridge, and the bridge to the world.

Order at start, before the first packet of a pod: addresses without a pod are made unreachable, the rules stand, then comes the
bridge. What a killed kubelet left behind is taken over: links say whose they are. Host ports of pods that are gone are freed.
Firewalls like to flush all rules when they restart; `run` looks now and then, and puts ours back.
Addresses are handed out on the event loop; the kernel is asked in threads.
https://kubernetes.io/docs/concepts/cluster-administration/networking/ · https://www.cni.dev/plugins/current/main/bridge/
"""

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable, Mapping, Sequence
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path

from pyroute2.netlink.exceptions import NetlinkError

from kube.api.meta import Key
from kube.component.logging import get_logger
from kubelet.network import links, node_links, packet_filter, policy_text, rules
from kubelet.network.addresses import Addresses
from kubelet.pod_network import UNLIMITED, Bandwidth, HostPort, NetworkFailure

log = get_logger(__name__)

SYSCTL = Path("/proc/sys/net")
FORWARD = "ipv4/ip_forward"
LOOK_SECONDS = 30.0  # between two looks whether the rules are still there, as kube-proxy's --sync-period
BRIDGED_THROUGH_RULES = "bridge/bridge-nf-call-iptables"  # a reply on the same bridge must meet conntrack, too


class BridgeNetwork:
    """`kubelet.pod_network.Network`, on a bridge."""

    def __init__(self, cluster_cidr: str, *, bridge: str = "cni0", node_address: str = "", overhead: int = 0) -> None:
        """`overhead`: how many bytes of a packet between nodes are not the pod's."""
        self._node_address = node_address
        self._overhead = overhead
        self._cluster = ipaddress.IPv4Network(cluster_cidr)
        self._bridge = bridge
        self._addresses: Addresses | None = None
        self._range: IPv4Network | None = None
        self._mtu = links.DEFAULT_MTU
        self._host_ports: dict[str, list[HostPort]] = {}  # by pod uid
        self.before_connecting: Callable[[], Awaitable[None]] = _nothing  # is called when a pod has its address

    @property
    def range(self) -> IPv4Network | None:
        """The range of this node's pods, once it is known."""
        return self._range

    @property
    def addresses(self) -> Mapping[str, IPv4Address]:
        """The pods' addresses, by uid."""
        return self._addresses.held if self._addresses is not None else {}

    @property
    def ready(self) -> bool:
        return self._addresses is not None

    async def start(self, pod_cidr: str) -> None:
        """Set the node's side up, or take it over; again with the same range changes nothing."""
        wanted = IPv4Network(pod_cidr)
        if self._range == wanted:
            return
        found, host_ports = await asyncio.to_thread(self._set_up_node, wanted)
        held = {link.uid: link.address for link in found}
        self._addresses = Addresses(wanted, held, after=found[-1].address if found else None)
        self._host_ports = {uid: host_ports[address] for uid, address in held.items() if address in host_ports}
        self._range = wanted
        log.info("pod network ready", bridge=self._bridge, range=pod_cidr, mtu=self._mtu, adopted=len(found))

    async def run(self) -> None:
        """Put rules back that somebody flushed, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Put back what is missing of the rules, once; where that fails, the next look does it."""
        if self._range is None or self._addresses is None:
            return
        ports = [(self._addresses.held[uid], ports) for uid, ports in self._host_ports.items() if uid in self._addresses.held]
        text = rules.table(self._bridge, self._range, self._cluster)
        text += "".join(rules.add_host_ports(address, some) for address, some in ports)
        try:
            await asyncio.to_thread(self._restore, text)
        except NetworkFailure as error:
            log.warning("cannot put the rules of the pod network back, trying again later", reason=error, seconds=LOOK_SECONDS)

    async def setup(
        self, pod_key: Key, uid: str, pid: int, *, host_ports: Sequence[HostPort] = (), bandwidth: Bandwidth = UNLIMITED
    ) -> str:
        """See `Network.setup`. A pod that could not be connected holds nothing afterwards."""
        addresses, pod_cidr = self._addresses, self._range
        if addresses is None or pod_cidr is None:
            raise NetworkFailure("the node has no pod range yet")
        address = addresses.take(uid)
        try:
            await self.before_connecting()
            await asyncio.to_thread(self._connect, pod_cidr, pod_key, uid, pid, address)
            if bandwidth != UNLIMITED:
                await asyncio.to_thread(links.limit, uid, pid, bandwidth)
            await self._lead_host_ports(uid, address, host_ports)
        except NetlinkError as error:
            await self.teardown(uid)
            raise NetworkFailure(f"failed to set up the network of pod {pod_key}: {error}") from error
        except NetworkFailure:
            await self.teardown(uid)
            raise
        return str(address)

    async def teardown(self, uid: str) -> None:
        """See `Network.teardown`."""
        ports = self._host_ports.pop(uid, [])
        if ports:
            await asyncio.to_thread(packet_filter.delete_host_ports, ports)
        await asyncio.to_thread(links.disconnect, uid)
        if self._addresses is not None:
            self._addresses.release(uid)

    async def cleanup(self) -> None:
        """Leave nothing behind: links, routes, rules. Needs no `start`."""
        await asyncio.to_thread(self._remove)
        self._addresses = self._range = None
        self._host_ports.clear()

    def _set_up_node(self, pod_cidr: IPv4Network) -> tuple[list[links.PodLink], dict[IPv4Address, list[HostPort]]]:
        """Returns the pods that are connected already, and the host ports that lead to them."""
        links.refuse_strays(self._cluster)
        _set(FORWARD, "1")
        _set(BRIDGED_THROUGH_RULES, "1")
        packet_filter.apply(rules.table(self._bridge, pod_cidr, self._cluster))
        self._mtu = links.egress_mtu(self._node_address) - self._overhead
        links.ensure_bridge(self._bridge, IPv4Interface((pod_cidr[1], pod_cidr.prefixlen)), self._mtu)
        _set(f"ipv4/conf/{self._bridge}/route_localnet", "1")  # host ports on 127.0.0.1; the rules keep pods out of it
        packet_filter.allow_forwarding(self._bridge)
        found = [link for link in links.pod_links() if link.address in pod_cidr]
        host_ports = packet_filter.host_ports_by_address()
        for address in host_ports.keys() - {link.address for link in found}:
            packet_filter.delete_host_ports(host_ports.pop(address))
        return found, host_ports

    def _restore(self, text: str) -> None:
        if not packet_filter.table_exists():
            log.warning("somebody removed the rules of the pod network, making them anew")
            packet_filter.apply(text)
        packet_filter.allow_forwarding(self._bridge)

    def _connect(self, pod_cidr: IPv4Network, pod_key: Key, uid: str, pid: int, address: IPv4Address) -> None:
        inside = IPv4Interface((address, pod_cidr.prefixlen))
        links.connect(self._bridge, uid, str(pod_key), pid, inside, pod_cidr[1], self._mtu)

    async def _lead_host_ports(self, uid: str, address: IPv4Address, wanted: Sequence[HostPort]) -> None:
        new = [port for port in wanted if port not in self._host_ports.get(uid, ())]
        if not new:
            return
        await asyncio.to_thread(packet_filter.apply, rules.add_host_ports(address, new))
        self._host_ports.setdefault(uid, []).extend(new)
        await asyncio.to_thread(packet_filter.forget_udp_flows, new)

    def _remove(self) -> None:
        packet_filter.withdraw_forwarding(self._bridge)
        packet_filter.delete_table()
        packet_filter.delete_table(policy_text.TABLE)
        links.delete_bridge(self._bridge)
        links.stop_refusing_strays(self._cluster)
        node_links.remove_all()


async def _nothing() -> None:
    """Nobody wants to know."""


def _set(name: str, value: str) -> None:
    """Set a kernel setting of this network namespace; one that this kernel does not have is left."""
    path = SYSCTL / name
    if path.exists() and path.read_text().strip() != value:
        path.write_text(value)
