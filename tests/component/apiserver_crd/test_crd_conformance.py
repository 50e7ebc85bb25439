"""What the conformance suite asks of definitions and custom resources as objects: watches, status, lists, selectors."""

import asyncio
from pathlib import Path
from typing import Any

from kube.api.meta import Tree
from kube.api.status import NotFound
from kube.client.rest import Client
from tests.component.apiserver_crd.crds import (
    CRDS,
    create,
    definition,
    delete,
    established,
    get,
    patch,
    schema,
    update,
    watching,
)
from tests.component.apiserver_webhooks.hook_server import hook_server
from tests.wait import eventually

GROUP = "conformance.example.com"
WITHIN_SECONDS = 5.0
SHIRTS = {"v1": schema(color={"type": "string"}), "v2": schema(hue={"type": "string"})}
FIELD = {"v1": "color", "v2": "hue"}


def test_definitions_are_watched_like_any_object(runner: asyncio.Runner, client: Client) -> None:
    """Create, modify and delete events, of definitions and of their objects.

    Rule: behaviour E.1.5
    Conformance: [sig-api-machinery] CustomResourceDefinition Watch [Privileged:ClusterAdmin] CustomResourceDefinition Watch watch on custom resource definition objects [Conformance]
    """  # noqa: E501

    async def scenario() -> None:
        async with watching(client, CRDS, fieldSelector=f"metadata.name=foos.{GROUP}") as definitions:
            await established(client, definition("foos", GROUP, schema(a={"type": "string"})))
            assert (await anext(definitions))["type"] == "ADDED"
            foos = f"/apis/{GROUP}/v1/namespaces/default/foos"
            async with watching(client, foos) as events:
                await create(client, foos, {"apiVersion": f"{GROUP}/v1", "kind": "Foo", "metadata": {"name": "a"}})
                await patch(client, f"{foos}/a", {"spec": {"a": "b"}})
                await delete(client, f"{foos}/a")
                seen = [await anext(events) for _ in range(3)]
                assert [one["type"] for one in seen] == ["ADDED", "MODIFIED", "DELETED"]
            await delete(client, f"{CRDS}/foos.{GROUP}")
            async for event in definitions:
                if event["type"] == "DELETED":
                    break
                assert event["type"] == "MODIFIED"

    runner.run(scenario())


def test_the_status_of_a_definition_is_read_updated_and_patched(runner: asyncio.Runner, client: Client) -> None:
    """A condition of somebody else's stays beside those of the server.

    Rule: behaviour E.2.16
    Conformance: [sig-api-machinery] CustomResourceDefinition resources [Privileged:ClusterAdmin] Simple CustomResourceDefinition getting/updating/patching custom resource definition status sub-resource works [Conformance]
    """  # noqa: E501
    mine = {"message": "updated", "reason": "Test", "status": "True", "type": "StatusUpdate"}

    async def scenario() -> None:
        await established(client, definition("foos", GROUP, schema(a={"type": "string"})))
        path = f"{CRDS}/foos.{GROUP}/status"
        crd = await get(client, path)
        assert {"NamesAccepted", "Established"} <= {one["type"] for one in crd["status"]["conditions"]}
        crd["status"]["conditions"].append(mine)
        crd = await update(client, path, crd)
        assert mine["type"] in [one["type"] for one in crd["status"]["conditions"]]
        conditions = [*crd["status"]["conditions"], {**mine, "type": "StatusPatched"}]
        crd = await patch(client, path, {"status": {"conditions": conditions}})
        told = {one["type"]: one["status"] for one in (await get(client, path))["status"]["conditions"]}
        assert told.items() >= {"StatusUpdate": "True", "StatusPatched": "True", "Established": "True"}.items()

    runner.run(scenario())


def test_definitions_are_listed_and_deleted_by_label(runner: asyncio.Runner, client: Client) -> None:
    """Ten with a label, one without.

    Rule: behaviour E.1.10
    Conformance: [sig-api-machinery] CustomResourceDefinition resources [Privileged:ClusterAdmin] Simple CustomResourceDefinition listing custom resource definition objects works [Conformance]
    """  # noqa: E501

    async def scenario() -> None:
        wanted = []
        for index in range(11):
            tree = definition(f"foo{'abcdefghijk'[index]}s", GROUP, schema(a={"type": "string"}))
            if index < 10:
                tree["metadata"]["labels"] = {"e2e-list-test-uuid": "x"}
                wanted.append(tree["metadata"]["name"])
            await create(client, CRDS, tree)
        listed = await get(client, CRDS, labelSelector="e2e-list-test-uuid=x")
        assert sorted(one["metadata"]["name"] for one in listed["items"]) == sorted(wanted)
        await client.request("DELETE", CRDS, params={"labelSelector": "e2e-list-test-uuid=x"})

        async def one_left() -> bool:
            return [one["metadata"]["name"] for one in (await get(client, CRDS))["items"]] == [f"fooks.{GROUP}"]

        await eventually(one_left, WITHIN_SECONDS)

    runner.run(scenario())


async def repainted(review: Tree) -> Tree:
    """`color` in v1 is `hue` in v2."""
    request = review["request"]
    wanted = request["desiredAPIVersion"].rpartition("/")[2]
    for tree in request["objects"]:
        was = FIELD[tree["apiVersion"].rpartition("/")[2]]
        tree["apiVersion"] = request["desiredAPIVersion"]
        tree["spec"] = {FIELD[wanted]: tree["spec"][was]}
    response = {"uid": request["uid"], "convertedObjects": request["objects"], "result": {"status": "Success"}}
    return {"kind": "ConversionReview", "apiVersion": "apiextensions.k8s.io/v1", "response": response}


def shirts(version: str) -> str:
    return f"/apis/{GROUP}/{version}/namespaces/default/shirts"


def shirt(version: str, name: str, colour: str) -> Tree:
    spec = {FIELD[version]: colour}
    return {"apiVersion": f"{GROUP}/{version}", "kind": "Shirt", "metadata": {"name": name}, "spec": spec}


def test_selectable_fields_are_those_of_each_version(runner: asyncio.Runner, client: Client, tmp_path: Path) -> None:
    """Lists and watches in both versions, each by its own field; objects that are changed or deleted leave the selection.

    Rule: KEP-4358
    Conformance: [sig-api-machinery] CustomResourceFieldSelectors [Privileged:ClusterAdmin] CustomResourceFieldSelectors MUST list and watch custom resources matching the field selector [Conformance]
    """  # noqa: E501

    async def scenario() -> None:
        async with hook_server(tmp_path, {"/convert": repainted}) as hook:
            tree = definition("shirts", GROUP, {})
            webhook = {"clientConfig": hook.config("/convert"), "conversionReviewVersions": ["v1"]}
            tree["spec"]["conversion"] = {"strategy": "Webhook", "webhook": webhook}
            tree["spec"]["versions"] = [
                {
                    "name": version, "served": True, "storage": version == "v1", "schema": {"openAPIV3Schema": SHIRTS[version]},
                    "selectableFields": [{"jsonPath": f".spec.{FIELD[version]}"}],
                }
                for version in ("v1", "v2")
            ]  # fmt: skip
            await established(client, tree)
            for version in ("v1", "v2"):
                await create(client, shirts(version), shirt(version, f"blue-{version}", "blue"))
                await create(client, shirts(version), shirt(version, f"green-{version}", "green"))
            assert await names(client, "v1", "spec.color=blue") == ["blue-v1", "blue-v2"]
            assert await names(client, "v2", "spec.hue=blue") == ["blue-v1", "blue-v2"]
            assert await names(client, "v2", "spec.hue!=blue") == ["green-v1", "green-v2"]
            async with (
                watching(client, shirts("v1"), fieldSelector="spec.color=blue") as by_colour,
                watching(client, shirts("v2"), fieldSelector="spec.hue=blue") as by_hue,
            ):
                first = [[await anext(one) for _ in range(2)] for one in (by_colour, by_hue)]
                assert {event["type"] for events in first for event in events} == {"ADDED"}
                await patch(client, f"{shirts('v2')}/blue-v1", {"spec": {"hue": "green"}})
                await delete(client, f"{shirts('v1')}/blue-v2")
                await patch(client, f"{shirts('v1')}/green-v1", {"spec": {"color": "blue"}})
                for one, version in ((by_colour, "v1"), (by_hue, "v2")):
                    seen = [await anext(one) for _ in range(3)]
                    told = [(event["type"], event["object"]["metadata"]["name"]) for event in seen]
                    assert told == [("DELETED", "blue-v1"), ("DELETED", "blue-v2"), ("ADDED", "green-v1")]
                    assert {event["object"]["apiVersion"] for event in seen} == {f"{GROUP}/{version}"}
            assert await names(client, "v1", "spec.color=blue") == ["green-v1"]
            assert await names(client, "v2", "spec.hue=blue") == ["green-v1"]

    runner.run(scenario())


async def names(client: Client, version: str, selector: str) -> list[Any]:
    return [one["metadata"]["name"] for one in (await get(client, shirts(version), fieldSelector=selector))["items"]]


def test_a_definition_that_is_gone_leaves_nothing(runner: asyncio.Runner, client: Client) -> None:
    """Defined anew under the same name, its objects are not there again.

    Rule: behaviour E.7.70
    """

    async def scenario() -> None:
        told = definition("foos", GROUP, schema(a={"type": "string"}))
        foos = f"/apis/{GROUP}/v1/namespaces/default/foos"
        for _ in range(2):
            await established(client, told)
            assert (await get(client, foos))["items"] == []
            await create(client, foos, {"apiVersion": f"{GROUP}/v1", "kind": "Foo", "metadata": {"name": "a"}})
            await delete(client, f"{CRDS}/foos.{GROUP}")

            async def gone() -> bool:
                try:
                    await get(client, f"{CRDS}/foos.{GROUP}")
                except NotFound:
                    return True
                return False

            await eventually(gone, WITHIN_SECONDS)

    runner.run(scenario())
