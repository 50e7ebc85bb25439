"""Peers: which API servers of this cluster are alive.

Each writes a key of its own, <prefix>/masterleases/<address>, every ten seconds. One whose key nobody saw change for LEASE_SECONDS
is gone, and whoever notices it removes the key. Time is each server's own, since it saw a change: no clocks are compared.
Our choice: upstream lets an etcd lease do this; a lease a server would end with the etcd member that keeps its clock.
upstream pkg/controlplane/reconcilers/lease.go
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import NamedTuple

from apiserver.context import Server
from kube.api.status import ApiError

LEASE_SECONDS = 15.0
RESIGN_SECONDS = 1.0


class Seen(NamedTuple):
    revision: int  # of the key
    at: float  # when this server first saw it, on its own clock


def living(seen: Mapping[str, Seen], found: Mapping[str, int], now: float) -> tuple[dict[str, Seen], set[str]]:
    """What is remembered from now on, and which addresses are gone; `found` is the revision of each address' key. Pure."""
    remembered = {
        address: seen[address] if address in seen and seen[address].revision == revision else Seen(revision, now)
        for address, revision in found.items()
    }
    return remembered, {address for address, one in remembered.items() if now - one.at > LEASE_SECONDS}


async def renew(server: Server, address: str) -> list[str]:
    """Say that the server at `address` is alive; the addresses of all that are."""
    found = await _found(server)
    await server.etcd.put(_path(server, address), address.encode(), found.get(address, 0))
    seen: dict[str, Seen] = server.state.get("peers", {})
    found.pop(address, None)
    server.state["peers"], gone = living(seen, found, time.monotonic())
    for one in gone:
        await server.etcd.delete(_path(server, one), found[one])
    return sorted({address, *found} - gone)


async def resign(server: Server, address: str, told: Callable[[list[str]], Awaitable[None]]) -> None:
    """Say that it is no longer, and who is left; nobody is told of nobody, so that a lone server that restarts stays known."""
    with suppress(ApiError, TimeoutError):
        async with asyncio.timeout(RESIGN_SECONDS):
            found = await _found(server)
            await server.etcd.delete(_path(server, address), found.get(address, 0))
            left = sorted(found.keys() - {address})
            if left:
                await told(left)


async def _found(server: Server) -> dict[str, int]:
    start = _path(server, "")
    listed = await server.etcd.range(start, start[:-1] + "0")  # "0" comes after "/"
    return {item.key.removeprefix(start): item.revision for item in listed.items}


def _path(server: Server, address: str) -> str:
    return f"{server.stores.root}masterleases/{address}"
