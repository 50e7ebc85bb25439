"""Cluster IPs: one IPAddress object an address, named as the address.

An address that is asked for may be any of the range; one that is chosen comes from the upper band, so that asking for a low one
seldom finds it taken (the lower band is min(max(16, size/16), 256) addresses), and from the lower one when the upper is full.
https://kubernetes.io/docs/concepts/services-networking/cluster-ip-allocation/#avoid-ClusterIP-conflict
"""

import ipaddress
import random
from collections.abc import Iterator

from apiserver.context import Server
from apiserver.storage.deletion import utc_now
from apiserver.storage.metadata import fill_new
from kube.api.meta import Key, Tree
from kube.api.resources import resource_of
from kube.api.status import AlreadyExists, NotFound
from kube.api.types import IPAddress

_random = random.SystemRandom()


class Taken(Exception):
    """The address belongs to another Service."""


class Full(Exception):
    """No address is left."""


def network(server: Server) -> ipaddress.IPv4Network:
    """The Service range (the first one: dual stack comes later)."""
    return ipaddress.IPv4Network(server.config.service_cluster_ip_range[0])


async def take(server: Server, address: str, service: Key, *, dry_run: bool) -> None:
    """This address for this Service. Raises Taken, or ValueError for one that is not in the range."""
    try:
        parsed = ipaddress.IPv4Address(address)
    except ValueError:
        raise ValueError("must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)") from None
    inside = network(server)
    if parsed not in inside or parsed in (inside.network_address, inside.broadcast_address):
        raise ValueError(f"the provided IP ({address}) is not in the valid range. The range of valid IPs is {inside}")
    await _create(server, address, service, dry_run=dry_run)


async def take_any(server: Server, service: Key, *, dry_run: bool) -> str:
    """A free address. Raises Full."""
    store = server.stores.store_for(resource_of(IPAddress))
    for address in candidates(network(server), _random.random()):
        if store.cached(Key("", address)) is not None:
            continue
        try:
            await _create(server, address, service, dry_run=dry_run)
        except Taken:
            continue
        return address
    raise Full(f"failed to allocate a serviceIP: range {network(server)} is full")


async def give_back(server: Server, address: str, service: Key) -> None:
    """Free an address that this Service holds; another's stays."""
    store = server.stores.store_for(resource_of(IPAddress))
    try:
        tree = await store.get(Key("", address))
        if holder(tree) == service:
            await store.delete(Key("", address), {"preconditions": {"uid": tree["metadata"]["uid"]}})
    except NotFound:
        return


def candidates(inside: ipaddress.IPv4Network, start: float) -> Iterator[str]:
    """The addresses to try: the upper band from a random place round, then the lower band. `start` is 0 to 1. Pure."""
    size = inside.num_addresses
    low = min(max(16, size // 16), 256) if size > 32 else 0
    first, last = max(low, 1), size - 2
    count = last - first + 1
    for step in range(count):
        yield str(inside[first + (int(start * count) + step) % count])
    for offset in range(1, first):
        yield str(inside[offset])


def holder(tree: Tree) -> Key:
    """The Service that an IPAddress belongs to."""
    parent = tree["spec"]["parentRef"]
    return Key(parent.get("namespace", ""), parent["name"])


async def _create(server: Server, address: str, service: Key, *, dry_run: bool) -> None:
    row = resource_of(IPAddress)
    tree: Tree = {
        "metadata": {
            "name": address,
            "labels": {"ipaddress.kubernetes.io/ip-family": "IPv4", "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io"},
        },
        "spec": {"parentRef": {"resource": "services", "namespace": service.namespace, "name": service.name}},
    }
    fill_new(tree, row, "", utc_now())
    try:
        await server.stores.store_for(row).create(tree, dry_run)
    except AlreadyExists:
        raise Taken(address) from None
