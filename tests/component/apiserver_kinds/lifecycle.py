"""Lifecycle: the steps that the official suite's tests of an API take with any kind, as calls.

Watched sees what happens to the objects with one label; Kind makes, reads and changes them.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from copy import deepcopy
from typing import Any

import orjson

from kube.api.meta import Key, Tree
from kube.api.resource import Resource
from kube.api.resources import resource_for
from kube.client.rest import Client

LABEL = "example.com/special"
MARK = "example.com/mark"
SELECT = {"labelSelector": f"{LABEL}=yes"}
WATCH_SECONDS = 20
NAMESPACE = "default"
ACCOUNT = resource_for("", "v1", "serviceaccounts")


class Watched:
    """The events of one watch, in their order."""

    def __init__(self, events: AsyncIterator[Tree]) -> None:
        self._events = events

    async def until(self, type: str, **marks: Any) -> Tree:
        """The next event of this type whose object has these annotations; those before it are passed over."""
        async for event in self._events:
            annotations = event["object"]["metadata"].get("annotations") or {}
            if event["type"] == type and all(annotations.get(MARK) == mark for mark in marks.values()):
                found: Tree = event["object"]
                return found
        raise AssertionError(f"the watch ended without {type} {marks}")


class Kind:
    """What can be done with the objects of one kind, in the default namespace where it has namespaces."""

    def __init__(self, client: Client, row: Resource) -> None:
        self.client, self.row = client, row
        self.namespace = NAMESPACE if row.namespaced else ""
        self.place = row.path(self.namespace)

    def key(self, name: str) -> Key:
        return Key(self.namespace, name)

    async def make(self, name: str, body: Tree) -> Tree:
        tree = deepcopy(body)
        metadata = tree.setdefault("metadata", {})
        metadata |= {"name": name, "labels": {LABEL: "yes", **metadata.get("labels", {})}}
        return await self.client.create(self.row, tree, namespace=self.namespace)

    async def get(self, name: str, subresource: str = "") -> Tree:
        return (await self.client.request("GET", self.row.path(self.namespace, name, subresource))).tree()

    async def names(self, *, everywhere: bool = False) -> list[str]:
        listed = await self.client.list_tree(self.row, "" if everywhere else self.namespace, params=SELECT)
        assert listed["kind"] == self.row.list_kind
        return sorted(item["metadata"]["name"] for item in listed["items"])

    async def marked(self, name: str, mark: str) -> Tree:
        """Patched with an annotation."""
        tree = await self.client.patch(self.row, self.key(name), {"metadata": {"annotations": {MARK: mark}}})
        assert tree["metadata"]["annotations"][MARK] == mark
        return tree

    async def updated(self, name: str, mark: str) -> Tree:
        """Read, annotated and put back."""
        tree = await self.get(name)
        tree["metadata"].setdefault("annotations", {})[MARK] = mark
        found = await self.client.update(self.row, tree)
        assert found["metadata"]["annotations"][MARK] == mark
        return found

    async def delete(self, name: str, **options: Any) -> Tree:
        return await self.client.delete(self.row, self.key(name), **options)

    async def delete_collection(self, **params: Any) -> None:
        await self.client.request("DELETE", self.place, params={**SELECT, **params})

    @asynccontextmanager
    async def watched(self, *, everywhere: bool = False) -> AsyncIterator[Watched]:
        place = self.row.path() if everywhere else self.place
        version = (await self.client.request("GET", place, params={"limit": 1})).tree()["metadata"]["resourceVersion"]
        params = {"watch": "1", "resourceVersion": version, "timeoutSeconds": WATCH_SECONDS, **SELECT}
        async with self.client.stream("GET", place, params=params) as stream:
            lines = stream.iter_lines()

            async def events() -> AsyncGenerator[Tree, None]:
                async for line in lines:
                    yield orjson.loads(line)

            one = events()
            try:
                yield Watched(one)
            finally:
                await one.aclose()
                await lines.aclose()


async def is_discovered(client: Client, row: Resource) -> None:
    """By the three documents that lead to a kind of a named group."""
    groups = (await client.request("GET", "/apis")).tree()["groups"]
    (group,) = [one for one in groups if one["name"] == row.group]
    assert {"groupVersion": row.api_version, "version": row.version} in group["versions"]
    alone = (await client.request("GET", f"/apis/{row.group}")).tree()
    assert row.version in [one["version"] for one in alone["versions"]]
    listed = (await client.request("GET", f"/apis/{row.api_version}")).tree()["resources"]
    assert row.plural in [one["name"] for one in listed]


async def account(client: Client) -> None:
    """Pods run as it."""
    await client.create(ACCOUNT, {"metadata": {"name": "default", "namespace": NAMESPACE}})
