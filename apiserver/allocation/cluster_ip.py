"""Cluster IPs: one IPAddress object an address, named as the address.

An address that is asked for may be any of the range; one that is chosen comes from the upper band, so that asking for a low one
seldom finds it taken (the lower band is min(max(16, size/16), 256) addresses), and from the lower one when the upper is full.
The ranges are the one of --service-cluster-ip-range and then those of the ServiceCIDR objects that are Ready and not being deleted.
https://kubernetes.io/docs/concepts/services-networking/cluster-ip-allocation/#avoid-ClusterIP-conflict
https://kubernetes.io/docs/tasks/network/extend-service-ip-ranges/ (KEP-1880)
"""

import ipaddress
import random
from collections.abc import Iterable, Iterator

from apiserver.context import Server
from apiserver.storage.deletion import utc_now
from apiserver.storage.metadata import fill_new
from kube.api.meta import Key, Tree
from kube.api.resources import resource_of
from kube.api.status import AlreadyExists, NotFound
from kube.api.types import IPAddress, ServiceCIDR

_random = random.SystemRandom()


class Taken(Exception):
    """The address belongs to another Service."""


class Full(Exception):
    """No address is left."""


def network(server: Server) -> ipaddress.IPv4Network:
    """The default Service range (the first one: dual stack comes later)."""
    return ipaddress.IPv4Network(server.config.service_cluster_ip_range[0])


def networks(server: Server) -> list[ipaddress.IPv4Network]:
    """Every range that addresses may come from, the default one first."""
    default = network(server)
    trees = server.stores.store_for(resource_of(ServiceCIDR)).cached_list()
    return [default, *(one for one in ready_ranges(trees) if one != default)]


def ready_ranges(trees: Iterable[Tree]) -> list[ipaddress.IPv4Network]:
    """The IPv4 ranges of ServiceCIDRs that may be allocated from, by the objects' names. Pure."""
    found = []
    for tree in sorted(trees, key=lambda tree: str(tree["metadata"]["name"])):
        conditions = (tree.get("status") or {}).get("conditions") or ()
        ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
        if ready and not tree["metadata"].get("deletionTimestamp"):
            found += [ipaddress.IPv4Network(block) for block in tree["spec"]["cidrs"] if ":" not in block]
    return found


async def take(server: Server, address: str, service: Key, *, dry_run: bool) -> None:
    """This address for this Service. Raises Taken, or ValueError for one that is in none of the ranges."""
    try:
        parsed = ipaddress.IPv4Address(address)
    except ValueError:
        raise ValueError("must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)") from None
    ranges = networks(server)
    if not any(parsed in one and parsed not in (one.network_address, one.broadcast_address) for one in ranges):
        valid = ",".join(map(str, ranges))
        raise ValueError(f"the provided IP ({address}) is not in the valid range. The range of valid IPs is {valid}")
    await _create(server, address, service, dry_run=dry_run)


async def take_any(server: Server, service: Key, *, dry_run: bool) -> str:
    """A free address, of the first range that has one. Raises Full."""
    store = server.stores.store_for(resource_of(IPAddress))
    ranges = networks(server)
    for address in (one for inside in ranges for one in candidates(inside, _random.random())):
        if store.cached(Key("", address)) is not None:
            continue
        try:
            await _create(server, address, service, dry_run=dry_run)
        except Taken:
            continue
        return address
    raise Full(f"failed to allocate a serviceIP: range {','.join(map(str, ranges))} is full")


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
