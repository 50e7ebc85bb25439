"""Node IPAM controller: gives every node a piece of the cluster's pod addresses of its own.

Which pieces are taken is read from the nodes themselves, so that a restart gives nothing out twice; a piece given out and not yet
seen in the cache is remembered. Pieces that overlap the services' range are never given out.
https://kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager/ · pkg/controller/nodeipam/ipam
"""

import ipaddress
from collections.abc import Iterable

from controller_manager.controller import Context, Controller
from kube.api.meta import Key
from kube.api.types import Node

AGAIN_SECONDS = 30.0  # another node may have gone by then

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class NodeIpamController(Controller[Key]):
    name = "node-ipam-controller"
    component = "cidrAllocator"
    reconciles = Node

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._cluster = ipaddress.ip_network(self.config.cluster_cidr)
        services = self.config.service_cluster_ip_range
        self._services = [ipaddress.ip_network(one.strip()) for one in services.split(",")] if services else []
        self._given: dict[str, Network] = {}  # by node, until the cache shows it

    @property
    def workers(self) -> int:
        return 1  # one after the other: what is free depends on what was given before

    async def reconcile(self, key: Key) -> float | None:
        node = self.cache(Node).get(key)
        if node is None or (node.spec is not None and node.spec.podCIDR):
            self._given.pop(key.name, None)
            return None
        self._given = {name: network for name, network in self._given.items() if not self._shown(name)}
        taken = [*pod_networks(self.cache(Node)), *self._services]
        taken += [network for name, network in self._given.items() if name != key.name]
        network = self._given.get(key.name) or first_free(self._cluster, self.config.node_cidr_mask_size, taken)
        if network is None:
            self.recorder.event(node, "Normal", "CIDRNotAvailable", f"Node {key.name} status is now: CIDRNotAvailable")
            return AGAIN_SECONDS
        self._given[key.name] = network
        guard = {"uid": node.metadata.uid, "resourceVersion": node.metadata.resourceVersion}
        await self.client.patch(Node, key, {"metadata": guard, "spec": {"podCIDR": str(network), "podCIDRs": [str(network)]}})
        return None

    def _shown(self, name: str) -> bool:
        node = self.cache(Node).get(Key("", name))
        return node is None or (node.spec is not None and bool(node.spec.podCIDR))


def pod_networks(nodes: Iterable[Node]) -> list[Network]:
    """The pieces that nodes have."""
    found: list[Network] = []
    for node in nodes:
        spec = node.spec
        if spec is not None and (spec.podCIDRs or spec.podCIDR):
            found += [ipaddress.ip_network(text, strict=False) for text in spec.podCIDRs or [spec.podCIDR]]
    return found


def first_free(cluster: Network, mask_size: int, taken: Iterable[Network]) -> Network | None:
    """The lowest piece of that size which overlaps none that is taken."""
    same_family = [one for one in taken if one.version == cluster.version]
    exact = {one for one in same_family if one.prefixlen == mask_size}
    others = [one for one in same_family if one.prefixlen != mask_size]
    for piece in cluster.subnets(new_prefix=mask_size):
        if piece not in exact and not any(piece.overlaps(one) for one in others):
            return piece
    return None
