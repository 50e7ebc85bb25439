"""Node ports: one key in etcd a port, below <prefix>/ranges/servicenodeports/, whose value names the Service.

A Service may use one number for several protocols. Our choice: upstream keeps one bitmap object; a key a port needs no
compare-and-swap over all of them. https://kubernetes.io/docs/concepts/services-networking/service/#nodeport-custom-port
"""

import random
from collections.abc import Iterator

from apiserver.context import Server
from kube.api.meta import Key, parse_key

_random = random.SystemRandom()


class Taken(Exception):
    """The port belongs to another Service."""


class Full(Exception):
    """No port is left."""


def valid_range(server: Server) -> range:
    first, _, last = server.config.service_node_port_range.partition("-")
    return range(int(first), int(last) + 1)


async def take(server: Server, port: int, service: Key, *, dry_run: bool) -> bool:
    """This port for this Service; False if it has it already. Raises Taken, or ValueError outside of the range."""
    if port not in valid_range(server):
        raise ValueError(
            "the provided port is not in the valid range. The range of valid ports is " + server.config.service_node_port_range
        )
    if dry_run:
        current = await server.etcd.get(path(server, port))
        if current is not None and current.value.decode() != str(service):
            raise Taken(str(port))
        return current is None
    outcome = await server.etcd.put(path(server, port), str(service).encode(), 0)
    if outcome.done:
        return True
    if outcome.current is not None and outcome.current.value.decode() == str(service):
        return False
    raise Taken(str(port))


async def take_any(server: Server, service: Key, *, dry_run: bool) -> int:
    """A free port. Raises Full."""
    for port in candidates(valid_range(server), _random.random()):
        try:
            if await take(server, port, service, dry_run=dry_run):
                return port
        except Taken:
            continue
    raise Full(f"failed to allocate a nodePort: range {server.config.service_node_port_range} is full")


async def give_back(server: Server, port: int, service: Key) -> None:
    """Free a port that this Service holds."""
    current = await server.etcd.get(path(server, port))
    if current is not None and current.value.decode() == str(service):
        await server.etcd.delete(path(server, port), current.revision)


async def held(server: Server) -> dict[int, Key]:
    """Every port that is taken, and by whom."""
    start = path(server, None)
    found = await server.etcd.range(start, start[:-1] + "0")  # "0" comes after "/"
    return {int(item.key.rpartition("/")[2]): parse_key(item.value.decode()) for item in found.items}


def candidates(ports: range, start: float) -> Iterator[int]:
    """Every port once, from a random place round. Pure."""
    count = len(ports)
    for step in range(count):
        yield ports[(int(start * count) + step) % count]


def path(server: Server, port: int | None) -> str:
    return f"{server.stores.root}ranges/servicenodeports/{'' if port is None else port}"
