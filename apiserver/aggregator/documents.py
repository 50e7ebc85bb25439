"""Documents: what the remote servers say of themselves — APIResourceLists and OpenAPI — for this server's merged documents.

Fetched whenever a server was found to be available (work.py); what was known stays while it is not.
kube-aggregator pkg/apiserver/handler_discovery.go, pkg/controllers/openapiv3
"""

import asyncio

import orjson

from apiserver.aggregator.availability import ask
from apiserver.aggregator.registry import Aggregator, Remote, Told
from apiserver.context import Server
from apiserver.webhooks.connections import CallFailed
from kube.api.meta import Tree

FETCH_SECONDS = 5.0


async def fetch(server: Server, aggregator: Aggregator, remote: Remote) -> None:
    """Bring what is known of one remote group version up to date."""
    listed = await _tree(server, aggregator, remote, remote.path)
    if listed is None or listed.get("kind") != "APIResourceList":
        return
    version_3 = await _bytes(server, aggregator, remote, f"/openapi/v3{remote.path}")
    aggregator.learn(remote, Told(listed, version_3, await _tree(server, aggregator, remote, "/openapi/v2")))


async def _tree(server: Server, aggregator: Aggregator, remote: Remote, path: str) -> Tree | None:
    """A JSON document; None where there is none."""
    data = await _bytes(server, aggregator, remote, path)
    try:
        tree = orjson.loads(data or b"")
    except orjson.JSONDecodeError:
        return None
    return tree if isinstance(tree, dict) else None


async def _bytes(server: Server, aggregator: Aggregator, remote: Remote, path: str) -> bytes | None:
    try:
        async with asyncio.timeout(FETCH_SECONDS):
            _, status, data = await ask(server, aggregator, remote, path)
    except (CallFailed, TimeoutError):
        return None
    return data if status == 200 else None
