"""Definitions to test with, and how to wait until one is served."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson

from kube.api.meta import Tree
from kube.client.rest import Client, Stream
from tests.wait import eventually

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
WITHIN_SECONDS = 5.0


def definition(plural: str, group: str, schema: Tree, **version: Any) -> Tree:
    """A definition with one version, v1."""
    kind = plural.removesuffix("s").capitalize()
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": plural, "kind": kind},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}, **version}],
        },
    }


def schema(**properties: Tree) -> Tree:
    """An object with a spec of these properties."""
    return {"type": "object", "properties": {"spec": {"type": "object", "properties": properties}}}


async def established(client: Client, tree: Tree) -> Tree:
    """Create a definition and wait until it is served, as clients do: by a watch on its conditions."""
    created: Tree = (await client.request("POST", CRDS, body=tree)).tree()
    name = created["metadata"]["name"]

    async def look() -> Tree | None:
        current: Tree = (await client.request("GET", f"{CRDS}/{name}")).tree()
        return current if condition(current, "Established") == "True" else None

    return await eventually(look, WITHIN_SECONDS, f"{name} is established")


async def get(client: Client, path: str, **params: str) -> Tree:
    return (await client.request("GET", path, params=params)).tree()


async def create(client: Client, path: str, tree: Tree, **params: str) -> Tree:
    return (await client.request("POST", path, body=tree, params=params)).tree()


async def update(client: Client, path: str, tree: Tree, **params: str) -> Tree:
    return (await client.request("PUT", path, body=tree, params=params)).tree()


async def patch(client: Client, path: str, body: Tree | list[Tree], kind: str = "merge-patch+json", **params: str) -> Tree:
    headers = {"Content-Type": f"application/{kind}"}
    return (await client.request("PATCH", path, body=orjson.dumps(body), headers=headers, params=params)).tree()


async def delete(client: Client, path: str) -> Tree:
    return (await client.request("DELETE", path)).tree()


@asynccontextmanager
async def watching(client: Client, path: str, **params: str) -> AsyncIterator[AsyncIterator[Tree]]:
    """The events of a watch."""

    async def events(stream: Stream) -> AsyncIterator[Tree]:
        async for line in stream.iter_lines():
            yield orjson.loads(line)

    async with client.stream("GET", path, params={"watch": "true", **params}) as stream:
        yield events(stream)


def condition(tree: Tree, name: str) -> str:
    conditions = (tree.get("status") or {}).get("conditions") or ()
    return next((str(one["status"]) for one in conditions if one["type"] == name), "")
