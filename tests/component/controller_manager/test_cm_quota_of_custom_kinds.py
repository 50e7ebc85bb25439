"""Quotas that count objects of a definition's kind, which may change or go under the controller."""

import asyncio
from dataclasses import replace

from controller_manager.counted_kinds import CountedKinds, Handler
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.types import ResourceQuota
from kube.client.discovery import Discovered
from kube.client.rest import Client
from tests.component.apiserver_crd.crds import CRDS, definition, established, patch, schema
from tests.component.controller_manager.conftest import Cluster, at

GROUP = "counted.example.com"
GEARS = Resource(GROUP, "v1", "Gear", "gears")
COUNT = f"count/gears.{GROUP}"


def test_custom_objects_are_counted_also_after_their_kind_has_moved_to_another_version(
    runner: asyncio.Runner, cluster: Cluster
) -> None:
    """Rule: pkg/controller/resourcequota/resource_quota_controller.go (Sync follows discovery)"""
    client = cluster.client

    def version(name: str, *, served: bool) -> Tree:
        return {"name": name, "served": served, "storage": served, "schema": {"openAPIV3Schema": schema()}}

    async def used(amount: str) -> None:
        async def look() -> bool:
            found = (await client.get(ResourceQuota, "default", "q")).status
            return found is not None and (found.used or {}).get(COUNT) == amount

        await cluster.until(look, f"{amount} counted")

    async def create(row: Resource, name: str) -> None:
        tree = {"apiVersion": row.api_version, "kind": row.kind, "metadata": {"name": name, "namespace": "default"}}
        await client.create(row, tree)

    async def scenario() -> None:
        await cluster.start_and_settle()
        await client.create(ResourceQuota, {"metadata": {"name": "q", "namespace": "default"}, "spec": {"hard": {COUNT: "9"}}})
        await established(client, definition("gears", GROUP, schema()))
        await used("0")
        await create(GEARS, "one")
        await used("1")
        versions = [version("v1", served=False), version("v2", served=True)]
        await patch(client, f"{CRDS}/gears.{GROUP}", {"spec": {"versions": versions}})
        moved = replace(GEARS, version="v2")

        async def served() -> bool:
            return bool((await client.list_tree(moved, "default"))["items"])

        await cluster.until(served, "v2")
        await create(moved, "two")
        await used("2")
        for name in ("one", "two"):
            await client.delete(moved, at(name))
        await used("0")

    runner.run(scenario())


def test_a_kind_is_followed_once_whoever_asks_and_let_go_when_it_is_served_no_more(runner: asyncio.Runner, client: Client) -> None:
    """Rule: pkg/controller/resourcequota/resource_quota_monitor.go (SyncMonitors); a stale group keeps its monitors"""
    told: list[Resource] = []

    def handler(row: Resource) -> Handler:
        told.append(row)
        return lambda old, new: None

    async def scenario() -> None:
        kinds = CountedKinds(client, handler)
        secrets = Resource("", "v1", "Secret", "secrets")
        async with asyncio.TaskGroup() as tasks:
            assert await asyncio.gather(*(kinds.follow(secrets, tasks) for _ in range(3))) == [True] * 3
            assert told == [secrets]
            kinds.keep(Discovered((), frozenset({"v1"})))
            assert kinds.rows == [secrets]
            kinds.keep(Discovered(()))
            assert kinds.rows == []
            assert kinds.cache(secrets) is None

    runner.run(scenario())
