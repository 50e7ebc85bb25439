"""WATCH over HTTP: where it begins, what it tells, how it ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson
import pytest

from kube.api.meta import Key, Tree
from kube.api.resources import resource_for
from kube.api.status import Invalid
from kube.client.rest import Client, Stream
from tests.component.conftest import ADMIN_TOKEN, RunningApi

CONFIG_MAP = resource_for("", "v1", "configmaps")
PATH = "/api/v1/namespaces/team/configmaps"
TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}


def a_config_map(name: str, **labels: str) -> Tree:
    metadata = {"name": name, "namespace": "team", "labels": labels}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}


@asynccontextmanager
async def watching(client: Client, headers: dict[str, str] | None = None, **params: Any) -> AsyncIterator[AsyncIterator[Tree]]:
    async with client.stream("GET", PATH, params={"watch": True, **params}, headers=headers) as stream:
        yield events_of(stream)


async def events_of(stream: Stream) -> AsyncIterator[Tree]:
    async for line in stream.iter_lines():
        yield orjson.loads(line)


async def take(events: AsyncIterator[Tree], count: int) -> list[Tree]:
    async with asyncio.timeout(10):
        return [await anext(events) for _ in range(count)]


def told(events: list[Tree]) -> list[tuple[str, str]]:
    return [(event["type"], event["object"]["metadata"].get("name", "")) for event in events]


async def team(client: Client) -> None:
    await client.create(resource_for("", "v1", "namespaces"), {"metadata": {"name": "team"}})


def test_a_watch_without_version_begins_with_what_is_there(runner: asyncio.Runner, client: Client) -> None:
    """Rule: https://kubernetes.io/docs/reference/using-api/api-concepts/#semantics-for-watch"""

    async def scenario() -> None:
        await team(client)
        await client.create(CONFIG_MAP, a_config_map("a"))
        versions: list[dict[str, Any]] = [{}, {"resourceVersion": "0"}]
        for version in versions:
            async with watching(client, **version) as events:
                assert told(await take(events, 1)) == [("ADDED", "a")]
                await client.patch(CONFIG_MAP, Key("team", "a"), {"data": {f"k{len(version)}": "x"}})
                assert told(await take(events, 1)) == [("MODIFIED", "a")]

    runner.run(scenario())


def test_a_watch_from_a_version_tells_exactly_what_came_after(runner: asyncio.Runner, client: Client) -> None:
    async def scenario() -> None:
        await team(client)
        first = await client.create(CONFIG_MAP, a_config_map("a"))
        await client.create(CONFIG_MAP, a_config_map("b"))
        await client.delete(CONFIG_MAP, Key("team", "a"))
        async with watching(client, resourceVersion=first["metadata"]["resourceVersion"]) as events:
            found = await take(events, 2)
            assert told(found) == [("ADDED", "b"), ("DELETED", "a")]
            versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in found]
            assert versions[1] > versions[0] > int(first["metadata"]["resourceVersion"])

    runner.run(scenario())


def test_a_version_before_the_history_is_expired(runner: asyncio.Runner, client: Client) -> None:
    async def scenario() -> None:
        await team(client)
        async with watching(client, resourceVersion="1") as events:
            (error,) = await take(events, 1)
        assert error["type"] == "ERROR"
        assert error["object"]["reason"] == "Expired"
        assert error["object"]["code"] == 410
        assert error["object"]["message"].startswith("too old resource version: 1 (")

    runner.run(scenario())


def test_initial_events_end_with_a_marked_bookmark(runner: asyncio.Runner, client: Client) -> None:
    """Rule: KEP-3157"""

    async def scenario() -> None:
        await team(client)
        await client.create(CONFIG_MAP, a_config_map("a"))
        params: dict[str, Any] = {"sendInitialEvents": True, "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": True}
        async with watching(client, **params) as events:
            added, bookmark = await take(events, 2)
        assert added["type"] == "ADDED"
        assert bookmark["type"] == "BOOKMARK"
        assert bookmark["object"]["kind"] == "ConfigMap"
        assert bookmark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
        with pytest.raises(Invalid, match="sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"):
            async with watching(client, sendInitialEvents=True, allowWatchBookmarks=True):
                pass

    runner.run(scenario())


def test_a_watch_ends_at_its_deadline_with_a_bookmark(runner: asyncio.Runner, client: Client) -> None:
    async def scenario() -> None:
        await team(client)
        async with asyncio.timeout(10), watching(client, timeoutSeconds=3, allowWatchBookmarks=True) as events:
            found = [event async for event in events]
        assert [event["type"] for event in found] == ["BOOKMARK"]

    runner.run(scenario())


def test_a_selector_watch_adds_and_deletes_what_changes_sides(runner: asyncio.Runner, client: Client) -> None:
    async def scenario() -> None:
        await team(client)
        async with watching(client, labelSelector="color=red") as events:
            await client.create(CONFIG_MAP, a_config_map("a", color="blue"))
            await client.patch(CONFIG_MAP, Key("team", "a"), {"metadata": {"labels": {"color": "red"}}})
            await client.patch(CONFIG_MAP, Key("team", "a"), {"metadata": {"labels": {"color": "green"}}})
            added, deleted = await take(events, 2)
        assert told([added, deleted]) == [("ADDED", "a"), ("DELETED", "a")]
        assert deleted["object"]["metadata"]["labels"] == {"color": "red"}

    runner.run(scenario())


def test_only_the_first_event_of_a_table_watch_names_the_columns(runner: asyncio.Runner, client: Client) -> None:
    async def scenario() -> None:
        await team(client)
        async with watching(client, headers=TABLE) as events:
            await client.create(CONFIG_MAP, a_config_map("a"))
            await client.create(CONFIG_MAP, a_config_map("b"))
            first, second = await take(events, 2)
        assert first["object"]["kind"] == "Table"
        assert first["object"]["columnDefinitions"]
        assert second["object"]["columnDefinitions"] is None
        assert second["object"]["rows"][0]["cells"][0] == "b"

    runner.run(scenario())


def test_a_websocket_carries_the_same_events(runner: asyncio.Runner, client: Client, apiserver: RunningApi) -> None:
    async def scenario() -> None:
        await team(client)
        headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{apiserver.url}{PATH}?watch=1", headers=headers) as socket,
        ):
            await client.create(CONFIG_MAP, a_config_map("a"))
            event = await socket.receive_json(timeout=10)
        assert told([event]) == [("ADDED", "a")]

    runner.run(scenario())


def test_a_client_that_leaves_is_forgotten(runner: asyncio.Runner, client: Client, apiserver: RunningApi) -> None:
    async def scenario() -> None:
        await team(client)
        cache = apiserver.server.stores.store_for(CONFIG_MAP).cache
        before = len(cache._watchers)
        async with watching(client) as events:
            await client.create(CONFIG_MAP, a_config_map("a"))
            await take(events, 1)
            assert len(cache._watchers) == before + 1
        async with asyncio.timeout(5):
            while len(cache._watchers) > before:
                await client.get_tree(CONFIG_MAP, "team", "a")

    runner.run(scenario())
