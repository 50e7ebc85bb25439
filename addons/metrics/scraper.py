"""Scraper: every kubelet asked for its /metrics/resource, all at once, again and again.

A node that does not answer within a look is left out until it does. One connection is kept to each kubelet; its certificate is
verified by the cluster's authority, and the question carries the pod's token.
"""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import replace

from addons.metrics.config import Config
from addons.metrics.readings import read
from addons.metrics.usage import Nodes
from kube.api.duration import parse_go
from kube.api.status import ApiError
from kube.api.types import Node
from kube.client.cache import Cache
from kube.client.kubeconfig import Config as Way
from kube.client.rest import Client, Unreachable
from kube.component.logging import get_logger

FIRST_SECONDS = 3.0  # between the two first looks: usage is known soon
LONGEST_SECONDS = 10.0  # for one answer

log = get_logger(__name__)


class Scraper:
    def __init__(self, config: Config, way: Way, cache: Cache[Node], nodes: Nodes) -> None:
        """`way`: how the API server is reached; a kubelet is asked with the same credentials."""
        self._config = config
        self._way = way
        self._cache = cache
        self._nodes = nodes
        self._clients: dict[str, tuple[str, Client]] = {}  # by node: its URL, and the connection

    async def run(self) -> None:
        """Until cancelled."""
        seconds = parse_go(self._config.metric_resolution)
        pause = min(FIRST_SECONDS, seconds)
        try:
            while True:
                await self.look()
                await asyncio.sleep(pause)
                pause = seconds if self._nodes.known else min(FIRST_SECONDS, seconds)
        finally:
            await self._close(set(self._clients))

    async def look(self) -> None:
        """Ask every node once."""
        found = {node.metadata.name: node for node in self._cache}
        self._nodes.keep(set(found))
        await self._close(set(self._clients) - set(found))
        await asyncio.gather(*(self._ask(name, node) for name, node in found.items()))

    async def _ask(self, name: str, node: Node) -> None:
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                client = await self._client(name, url_of(node, self._config))
                page = await client.request("GET", "/metrics/resource")
        except (ApiError, Unreachable, TimeoutError, LookupError) as error:
            log.warning("Failed to scrape node", node=name, reason=error or type(error).__name__)
            self._nodes.drop(name)
            return
        self._nodes.take(name, read(page.body.decode("utf-8", "replace"), time.time()))

    async def _client(self, name: str, url: str) -> Client:
        known = self._clients.get(name)
        if known is not None and known[0] == url:
            return known[1]
        await self._close({name} & set(self._clients))
        authority = self._config.kubelet_certificate_authority
        way = replace(
            self._way,
            server=url,
            server_name="",
            insecure=self._config.kubelet_insecure_tls,
            authority=authority.read_bytes() if authority is not None else self._way.authority,
        )
        client = await Client(way, "metrics-server").__aenter__()
        self._clients[name] = (url, client)
        return client

    async def _close(self, names: Iterable[str]) -> None:
        for name in list(names):
            await self._clients.pop(name)[1].__aexit__()


def url_of(node: Node, config: Config) -> str:
    """Where a node's kubelet is. Raises LookupError. Pure."""
    status = node.status
    addresses = {one.type: one.address for one in (status.addresses if status is not None else None) or ()}
    address = next((addresses[kind] for kind in config.kubelet_preferred_address_types if kind in addresses), "")
    if not address:
        raise LookupError(f"node {node.metadata.name} has no address of the kinds {config.kubelet_preferred_address_types}")
    endpoints = status.daemonEndpoints
    told = endpoints.kubeletEndpoint.Port if endpoints is not None and endpoints.kubeletEndpoint is not None else 0
    port = told if config.kubelet_use_node_status_port and told else config.kubelet_port
    return f"https://[{address}]:{port}" if ":" in address else f"https://{address}:{port}"
