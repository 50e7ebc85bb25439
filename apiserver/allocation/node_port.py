"""Node ports: one key in etcd a port, below <prefix>/ranges/servicenodeports/, whose value names the Service and its uid.

A Service may use one number for several protocols. The uid keeps a deleted Service's port from being taken for that of a new one
of its name. Our choice: upstream keeps one bitmap object; a key a port needs no compare-and-swap over all of them.
https://kubernetes.io/docs/concepts/services-networking/service/#nodeport-custom-port
"""

import random
from collections.abc import Iterator
from typing import NamedTuple

from apiserver.context import Server
from kube.api.meta import Tree, tree_key

_random = random.SystemRandom()


class Owner(NamedTuple):
    """A Service, and no other of its name."""

    key: str  # namespace/name
    uid: str

    @property
    def text(self) -> bytes:
        return f"{self.key} {self.uid}".encode()


class Taken(Exception):
    """The port belongs to another Service."""


class Full(Exception):
    """No port is left."""


def valid_range(server: Server) -> range:
    first, _, last = server.config.service_node_port_range.partition("-")
    return range(int(first), int(last) + 1)


def owner_of(service: Tree) -> Owner:
    return Owner(str(tree_key(service)), service["metadata"]["uid"])


async def take(server: Server, port: int, service: Owner, *, dry_run: bool) -> bool:
    """This port for this Service; False if it has it already. Raises Taken, or ValueError outside of the range."""
    if port not in valid_range(server):
        raise ValueError(
            "provided port is not in the valid range. The range of valid ports is " + server.config.service_node_port_range
        )
    if dry_run:
        current = await server.etcd.get(path(server, port))
        if current is not None and current.value != service.text:
            raise Taken(str(port))
        return current is None
    outcome = await server.etcd.put(path(server, port), service.text, 0)
    if outcome.done:
        return True
    if outcome.current is not None and outcome.current.value == service.text:
        return False
    raise Taken(str(port))


async def take_any(server: Server, service: Owner, *, dry_run: bool) -> int:
    """A free port. Raises Full."""
    for port in candidates(valid_range(server), _random.random()):
        try:
            if await take(server, port, service, dry_run=dry_run):
                return port
        except Taken:
            continue
    raise Full(f"failed to allocate a nodePort: range {server.config.service_node_port_range} is full")


async def give_back(server: Server, port: int, service: Owner) -> None:
    """Free a port that this Service holds."""
    current = await server.etcd.get(path(server, port))
    if current is not None and current.value == service.text:
        await server.etcd.delete(path(server, port), current.revision)


async def held(server: Server) -> dict[int, Owner]:
    """Every port that is taken, and by whom."""
    start = path(server, None)
    found = await server.etcd.range(start, start[:-1] + "0")  # "0" comes after "/"
    return {int(item.key.rpartition("/")[2]): _owner(item.value) for item in found.items}


def _owner(value: bytes) -> Owner:
    key, _, uid = value.decode().partition(" ")
    return Owner(key, uid)


def candidates(ports: range, start: float) -> Iterator[int]:
    """Every port once, from a random place round. Pure."""
    count = len(ports)
    for step in range(count):
        yield ports[(int(start * count) + step) % count]


def path(server: Server, port: int | None) -> str:
    return f"{server.stores.root}ranges/servicenodeports/{'' if port is None else port}"
