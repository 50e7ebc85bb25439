"""Several API servers on one etcd: a definition that one of them has established is served by all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from apiserver.app import running
from apiserver.config import Config
from kube.api.meta import Tree
from kube.api.status import NotFound
from kube.client import kubeconfig
from kube.client.rest import Client
from kube.component import http_server
from tests.component.apiserver_crd.crds import CRDS, create, definition, delete, established, get, schema, update
from tests.component.conftest import ADMIN_TOKEN
from tests.wait import eventually

GROUP = "shared.example.com"
WITHIN_SECONDS = 5.0
PLURALS = [f"{letter}oos" for letter in "bcdfghjklm"]


def objects(plural: str) -> str:
    return f"/apis/{GROUP}/v1/namespaces/default/{plural}"


def one(plural: str, name: str) -> Tree:
    return {"apiVersion": f"{GROUP}/v1", "kind": plural[:-1].capitalize(), "metadata": {"name": name}}


@asynccontextmanager
async def another(config: Config) -> AsyncIterator[Client]:
    """A client of a second API server."""
    async with running(config) as (_, app):
        listener = await http_server.serve(app, "127.0.0.1", 0, on_upgrade=app.on_upgrade)
        try:
            where = kubeconfig.Config(server=f"http://127.0.0.1:{listener.port}", token=ADMIN_TOKEN)
            async with Client(where, "second") as client:
                yield client
        finally:
            await listener.close(within=0.5)


def test_what_is_established_at_one_is_served_by_the_other_at_once(
    runner: asyncio.Runner, client: Client, api_config: Config
) -> None:
    """Create at the second what the first has just established; both discover it.

    Rule: behaviour E.7.70; docs/concepts/custom-resources.md (Promise)
    """

    async def scenario() -> None:
        async with another(api_config) as second:
            for plural in PLURALS:
                await established(client, definition(plural, GROUP, schema(a={"type": "string"})))
                await create(second, objects(plural), one(plural, "x"))
                assert [tree["metadata"]["name"] for tree in (await get(client, objects(plural)))["items"]] == ["x"]
            for each in (client, second):
                listed = await get(each, f"/apis/{GROUP}/v1")
                assert [resource["name"] for resource in listed["resources"]] == PLURALS

    runner.run(scenario())


def test_a_changed_and_a_deleted_definition_are_so_for_all(runner: asyncio.Runner, client: Client, api_config: Config) -> None:
    """A new default reaches reads at the other; once it is gone it is nowhere served.

    Rule: behaviour E.7.70
    """

    async def scenario() -> None:
        async with another(api_config) as second:
            plural = PLURALS[0]
            path = f"{CRDS}/{plural}.{GROUP}"
            crd = await established(client, definition(plural, GROUP, schema(a={"type": "string"})))
            await create(second, objects(plural), one(plural, "x") | {"spec": {}})
            crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"] = schema(a={"type": "string", "default": "b"})
            await update(client, path, crd)

            async def defaulted() -> bool:
                return bool((await get(second, f"{objects(plural)}/x"))["spec"].get("a") == "b")

            await eventually(defaulted, WITHIN_SECONDS)
            await delete(second, path)

            async def withdrawn() -> bool:
                for each in (client, second):
                    try:
                        await get(each, objects(plural))
                    except NotFound:
                        continue
                    return False
                return True

            await eventually(withdrawn, WITHIN_SECONDS)
            with pytest.raises(NotFound):
                await get(client, path)

    runner.run(scenario())
