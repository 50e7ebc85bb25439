"""The documents: discovery in both forms, OpenAPI in both versions."""

from collections.abc import AsyncIterator
from typing import Any

from kube.api.status import ApiError
from kube.client.rest import Client
from tests.interop.upstream_surface.difference import NOTHING, Difference, compare
from tests.interop.upstream_surface.upstream import Folder

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
BOOKLETS = ("description",)  # of parameters: ours are in our own words
LISTS_OF_TYPES = ("consumes", "produces")


async def discovery(folder: Folder, client: Client) -> AsyncIterator[Difference]:
    for path, theirs in folder.legacy_discovery():
        for one in compare("discovery", path, theirs, await fetched(client, path)):
            yield one
    ours = await fetched(client, "/apis", AGGREGATED)
    for one in compare("discovery", "aggregated", folder.aggregated, ours):
        yield one


async def openapi(folder: Folder, client: Client) -> AsyncIterator[Difference]:
    for path, theirs in folder.openapi_3():
        ours = await fetched(client, f"/openapi/v3/{path}")
        for one in compare("openapi", f"v3/{path}", plain(theirs), plain(ours)):
            yield one
    ours = await fetched(client, "/openapi/v2")
    for one in compare("openapi", "v2", plain(folder.openapi_2), plain(ours)):
        yield one


async def fetched(client: Client, path: str, accept: str = "application/json") -> Any:
    try:
        return (await client.request("GET", path, headers={"Accept": accept})).tree()
    except ApiError:
        return NOTHING


def plain(node: Any) -> Any:
    """Without what is not compared: the words about parameters; media types as a set."""
    if isinstance(node, list):
        return [plain(one) for one in node]
    if not isinstance(node, dict):
        return node
    if "in" in node and "name" in node:
        node = {name: one for name, one in node.items() if name not in BOOKLETS}
    return {name: dict.fromkeys(one, True) if name in LISTS_OF_TYPES else plain(one) for name, one in node.items()}
