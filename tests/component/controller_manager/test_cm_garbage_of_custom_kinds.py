"""Garbage whose kind is a definition's, which may change under the collector."""

import asyncio
from dataclasses import replace
from typing import Any

from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.types import ConfigMap
from tests.component.apiserver_crd.crds import CRDS, definition, established, patch, schema
from tests.component.controller_manager.conftest import Cluster, at

GROUP = "garbage.example.com"
WIDGETS = Resource(GROUP, "v1", "Widget", "widgets")
COLOR = schema(color={"type": "string"})


def test_garbage_is_collected_also_after_its_kind_has_moved_to_another_version(runner: asyncio.Runner, cluster: Cluster) -> None:
    """Rule: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/"""

    def version(name: str, *, served: bool) -> Tree:
        return {"name": name, "served": served, "storage": served, "schema": {"openAPIV3Schema": COLOR}}

    async def collected(row: Resource) -> None:
        client = cluster.client
        owner = await client.create(ConfigMap, {"metadata": {"name": "owner", "namespace": "default"}})
        reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"]}
        metadata: Tree = {"name": "owned", "namespace": "default", "ownerReferences": [reference]}
        await client.create(row, {"apiVersion": row.api_version, "kind": row.kind, "metadata": metadata})
        await client.delete(ConfigMap, at("owner"))

        async def gone() -> Any:
            return not (await client.list_tree(row, "default")).get("items")

        await cluster.until(gone, f"the {row.version} object to be collected")

    async def scenario() -> None:
        await cluster.start_and_settle()
        await established(cluster.client, definition("widgets", GROUP, COLOR))
        await collected(WIDGETS)
        versions = [version("v1", served=False), version("v2", served=True)]
        await patch(cluster.client, f"{CRDS}/widgets.{GROUP}", {"spec": {"versions": versions}})
        await collected(replace(WIDGETS, version="v2"))

    runner.run(scenario())
