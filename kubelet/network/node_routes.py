"""Node routes: keeps the routes to other nodes' pods as Node objects say.

A change of a node is looked at within the same turn of the loop, and only what is different is changed in the kernel. Now and then
everything is compared, since network managers like to tidy up routes. Until the first list of nodes nothing is touched: a kubelet
that starts again, or that cannot reach the API server, leaves the routes as they are. What decides is in `routes`, pure; what
acts, in `node_links`.
"""

import asyncio
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network

from pyroute2.netlink.exceptions import NetlinkError

from kube.api.types import Node
from kube.client.informer import Informer
from kube.client.rest import Client
from kube.component.logging import get_logger
from kubelet.network import node_links
from kubelet.network.routes import Peer, wanted_peers

log = get_logger(__name__)

LOOK_SECONDS = 30.0  # between two comparisons with the kernel


class NodeRoutes:
    """`own_range` tells the range of this node's pods, once it is known."""

    def __init__(
        self, client: Client, address: str, cluster_cidr: str, backend: str, own_range: Callable[[], IPv4Network | None]
    ) -> None:
        self.nodes = Informer(client, Node)
        self._address = IPv4Address(address)
        self._cluster = IPv4Network(cluster_cidr)
        self._backend = backend
        self._own_range = own_range
        self._applied: frozenset[Peer] | None = None
        self._changed = asyncio.Event()
        self.nodes.on_change(lambda old, new: self.wake())

    async def run(self) -> None:
        """Follow the nodes until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.nodes.run(), name="nodes")
            await self.nodes.synced.wait()
            while True:
                await self.look()
                try:
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._changed.wait()
                except TimeoutError:
                    self._applied = None  # compare with the kernel, not with what was done last

    def wake(self) -> None:
        """Something else that decides, such as the own range, has changed."""
        self._changed.set()

    async def look(self) -> None:
        """Bring the kernel to what the nodes say now."""
        self._changed.clear()
        own = self._own_range()
        if own is None:
            return
        try:
            await asyncio.to_thread(self._apply, list(self.nodes.cache.list()), own)
        except (NetlinkError, OSError) as error:
            self._applied = None
            log.warning("cannot set the routes to other nodes, trying again later", reason=error, seconds=LOOK_SECONDS)

    def _apply(self, nodes: list[Node], own: IPv4Network) -> None:
        links = node_links.own_interfaces(self._address)
        wanted = wanted_peers(nodes, own, self._cluster, links, self._backend)
        if wanted == self._applied:
            return
        if links and any(peer.wrapped for peer in wanted):
            node_links.ensure_vxlan(links[0], own)
        known = node_links.known_peers()
        node_links.remove_peers(known - wanted)
        node_links.add_peers(wanted - known)
        for peer in sorted(wanted - known):
            log.info("route to a node's pods", range=str(peer.pods), node=str(peer.node), vxlan=peer.wrapped)
        for peer in sorted(known - wanted):
            log.info("route to a node's pods removed", range=str(peer.pods), node=str(peer.node))
        if not any(peer.wrapped for peer in wanted):
            node_links.remove_vxlan()
        self._applied = wanted
