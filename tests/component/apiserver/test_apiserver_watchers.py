"""Watches as the official suite checks them: who sees what, from where, and that all see the same in the same order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import orjson

from kube.api.meta import Key, Tree
from kube.api.resources import resource_for
from kube.client.rest import Client, Stream

CONFIG_MAP = resource_for("", "v1", "configmaps")
PATH = "/api/v1/namespaces/default/configmaps"
LABEL = "watch-this-configmap"
TAKE_SECONDS = 10.0
WRITES = 40  # while the concurrent watches are opened
NAMES = 4  # of the objects they are about


@asynccontextmanager
async def watching(client: Client, **params: Any) -> AsyncIterator[AsyncIterator[Tree]]:
    async with client.stream("GET", PATH, params={"watch": True, **params}) as stream:
        yield events_of(stream)


async def events_of(stream: Stream) -> AsyncIterator[Tree]:
    async for line in stream.iter_lines():
        yield orjson.loads(line)


async def take(events: AsyncIterator[Tree], count: int) -> list[tuple[str, str, str]]:
    """Of the next events: type, name, and what the object's data say of how often it was changed."""
    async with asyncio.timeout(TAKE_SECONDS):
        found = [await anext(events) for _ in range(count)]
    return [
        (one["type"], one["object"]["metadata"]["name"], (one["object"].get("data") or {}).get("mutation", "")) for one in found
    ]


async def created(client: Client, name: str, label: str = "") -> Tree:
    return await client.create(
        CONFIG_MAP,
        {"metadata": {"name": name, "namespace": "default", "labels": {LABEL: label or name}}, "data": {}},
    )


async def mutated(client: Client, name: str, mutation: int, label: str | None = None) -> Tree:
    change: Tree = {"data": {"mutation": str(mutation)}}
    if label is not None:
        change["metadata"] = {"labels": {LABEL: label}}
    return await client.patch(CONFIG_MAP, Key("default", name), change)


async def deleted(client: Client, name: str) -> Tree:
    return await client.delete(CONFIG_MAP, Key("default", name))


def test_each_watcher_sees_what_its_selector_matches(runner: asyncio.Runner, client: Client) -> None:
    """Three watchers — of one label, of another, of either — see additions, changes and deletions of theirs alone.

    Rule: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
    Conformance: [sig-api-machinery] Watchers should observe add, update, and delete watch notifications on configmaps [Conformance]
    """

    async def scenario() -> None:
        async with AsyncExitStack() as stack:
            selectors = (f"{LABEL}=a", f"{LABEL}=b", f"{LABEL} in (a,b)")
            a, b, either = [await stack.enter_async_context(watching(client, labelSelector=one)) for one in selectors]
            await created(client, "a")
            await mutated(client, "a", 1)
            await mutated(client, "a", 2)
            await deleted(client, "a")
            await created(client, "b")
            await deleted(client, "b")
            of_a = [("ADDED", "a", ""), ("MODIFIED", "a", "1"), ("MODIFIED", "a", "2"), ("DELETED", "a", "2")]
            of_b = [("ADDED", "b", ""), ("DELETED", "b", "")]
            assert await take(a, 4) == of_a
            assert await take(b, 2) == of_b
            assert await take(either, 6) == of_a + of_b

    runner.run(scenario())


def test_a_watch_begins_after_the_version_it_names(runner: asyncio.Runner, client: Client) -> None:
    """After the first of two changes, the watch from that version tells the second and the deletion.

    Conformance: [sig-api-machinery] Watchers should be able to start watching from a specific resource version [Conformance]
    """

    async def scenario() -> None:
        await created(client, "a")
        first = await mutated(client, "a", 1)
        await mutated(client, "a", 2)
        await deleted(client, "a")
        version = first["metadata"]["resourceVersion"]
        async with watching(client, labelSelector=f"{LABEL}=a", resourceVersion=version) as events:
            assert await take(events, 2) == [("MODIFIED", "a", "2"), ("DELETED", "a", "2")]

    runner.run(scenario())


def test_a_watch_goes_on_where_another_ended(runner: asyncio.Runner, client: Client) -> None:
    """What happened between the end of the one and the start of the other is told.

    Conformance: [sig-api-machinery] Watchers should be able to restart watching from the last resource version observed by the previous watch [Conformance]
    """  # noqa: E501

    async def scenario() -> None:
        async with watching(client, labelSelector=f"{LABEL}=a") as events:
            await created(client, "a")
            seen = await mutated(client, "a", 1)
            assert await take(events, 2) == [("ADDED", "a", ""), ("MODIFIED", "a", "1")]
        await mutated(client, "a", 2)
        version = seen["metadata"]["resourceVersion"]
        async with watching(client, labelSelector=f"{LABEL}=a", resourceVersion=version) as events:
            await deleted(client, "a")
            assert await take(events, 2) == [("MODIFIED", "a", "2"), ("DELETED", "a", "2")]

    runner.run(scenario())


def test_an_object_that_no_longer_matches_is_deleted_for_the_watcher(runner: asyncio.Runner, client: Client) -> None:
    """It is added when it matches again; between the two nothing is told of it.

    Conformance: [sig-api-machinery] Watchers should observe an object deletion if it stops meeting the requirements of the selector [Conformance]
    """  # noqa: E501

    async def scenario() -> None:
        async with watching(client, labelSelector=f"{LABEL}=mine") as events:
            await created(client, "a", "mine")
            await mutated(client, "a", 1)
            await mutated(client, "a", 2, "other")
            assert await take(events, 3) == [("ADDED", "a", ""), ("MODIFIED", "a", "1"), ("DELETED", "a", "1")]
            await mutated(client, "a", 3)
            await mutated(client, "a", 4, "mine")
            await mutated(client, "a", 5)
            await deleted(client, "a")
            assert await take(events, 3) == [("ADDED", "a", "4"), ("MODIFIED", "a", "5"), ("DELETED", "a", "5")]

    runner.run(scenario())


def test_concurrent_watches_tell_the_same_in_the_same_order(runner: asyncio.Runner, client: Client) -> None:
    """While objects are written, a watch is opened from each version that a first one tells; all agree with the first.

    Conformance: [sig-api-machinery] Watchers should receive events on concurrent watches in same order [Conformance]
    """

    async def scenario() -> None:
        async with AsyncExitStack() as stack:
            first = await stack.enter_async_context(watching(client, resourceVersion=await version_of_list(client)))
            writing = asyncio.create_task(writes(client))
            versions: list[str] = []
            others: list[AsyncIterator[Tree]] = []
            async with asyncio.timeout(TAKE_SECONDS * 3):
                for _ in range(WRITES):
                    versions.append((await anext(first))["object"]["metadata"]["resourceVersion"])
                    others.append(await stack.enter_async_context(watching(client, resourceVersion=versions[-1])))
                await writing
                for number, other in enumerate(others):
                    told = [(await anext(other))["object"]["metadata"]["resourceVersion"] for _ in versions[number + 1 :]]
                    assert told == versions[number + 1 :]
            assert versions == sorted(versions, key=int)

    async def version_of_list(client: Client) -> str:
        return str((await client.request("GET", PATH)).tree()["metadata"]["resourceVersion"])

    async def writes(client: Client) -> None:
        """Additions, changes and deletions in turn."""
        there: set[str] = set()
        for number in range(WRITES):
            name = f"c{number % NAMES}"
            if name not in there:
                await created(client, name)
                there.add(name)
            elif number % 3:
                await mutated(client, name, number)
            else:
                await deleted(client, name)
                there.discard(name)

    runner.run(scenario())
