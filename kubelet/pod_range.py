"""Pod range: the range of this node's pods, from a flag, an earlier run, or its Node object; the pod network starts with it.

It is kept in a file, so that a kubelet which starts while the API server is away can go on. Another range than before is taken
as soon as no pod holds an address of the old one: pods that run keep what they have. Upstream: updatePodCIDR
"""

import asyncio
from collections.abc import Callable
from ipaddress import IPv4Network
from pathlib import Path

from kube.api.types import Node
from kube.component.logging import get_logger
from kube.component.private_file import write_private
from kubelet.network.bridge import BridgeNetwork
from kubelet.network.cni_network import CniNetwork

log = get_logger("kubelet.pod_range")

FILE = "pod-cidr"  # below --root-dir


class PodRange:
    def __init__(self, network: BridgeNetwork | CniNetwork, root: Path, started: Callable[[], None]) -> None:
        """`started` is called when the network has a range that it had not."""
        self._network = network
        self._file = root / FILE
        self._started = started
        self._taken = self._wanted = ""
        self._told = asyncio.Event()

    async def restore(self, stated: str) -> None:
        """What a flag states, or an earlier run knew."""
        known = stated or (self._file.read_text().strip() if self._file.exists() else "")
        if known:
            await self._network.start(known)
            self._taken = known

    def node_is(self, node: Node | None) -> None:
        """The Node object, as it is now."""
        wanted = node.spec.podCIDR if node is not None and node.spec is not None else ""
        if wanted and wanted != self._taken:
            self._wanted = wanted
            self._told.set()

    async def run(self) -> None:
        """Take what the Node object says, one after another, until cancelled."""
        while True:
            await self._told.wait()
            self._told.clear()
            if self._wanted != self._taken:
                await self._take(self._wanted)

    async def _take(self, wanted: str) -> None:
        if self._taken and self._network.addresses:
            log.warning("the node's pod range changed, and pods still use the old one", old=self._taken, new=wanted)
            return
        await self._network.start(str(IPv4Network(wanted)))
        write_private(self._file, f"{wanted}\n".encode())  # half of it would keep the next kubelet from starting its network
        self._taken = wanted
        self._started()
