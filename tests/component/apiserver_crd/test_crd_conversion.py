"""Several versions: by name alone, and by a conversion webhook."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from kube.api.meta import Tree
from kube.api.status import ApiError
from kube.client.rest import Client
from tests.component.apiserver_crd.crds import CRDS, create, definition, established, get, patch, schema, update, watching
from tests.component.apiserver_webhooks.hook_server import HookServer, hook_server
from tests.wait import eventually

GROUP = "stable.example.com"
WITHIN_SECONDS = 5.0


def objects(version: str) -> str:
    return f"/apis/{GROUP}/{version}/namespaces/default/hosts"


def versioned(stored: str = "v1", **spec: Any) -> Tree:
    """v1 has hostPort ("a:1"), v2 has host and port."""
    tree = definition("hosts", GROUP, schema(hostPort={"type": "string"}))
    second = {"openAPIV3Schema": schema(host={"type": "string"}, port={"type": "string"})}
    tree["spec"]["versions"].append({"name": "v2", "served": True, "storage": False, "schema": second})
    for one in tree["spec"]["versions"]:
        one["storage"] = one["name"] == stored
    tree["spec"] |= spec
    return tree


async def converted(review: Tree) -> Tree:
    """Split and join, as the sample webhook of the conformance suite does."""
    request = review["request"]
    done = []
    for tree in request["objects"]:
        spec = tree.get("spec", {})
        if request["desiredAPIVersion"].endswith("/v2"):
            host, _, port = spec.get("hostPort", "").partition(":")
            tree["spec"] = {"host": host, "port": port}
        else:
            tree["spec"] = {"hostPort": f"{spec.get('host', '')}:{spec.get('port', '')}"}
        tree["apiVersion"] = request["desiredAPIVersion"]
        tree["metadata"].setdefault("labels", {})["converted"] = "yes"
        done.append(tree)
    return answered(review, done)


async def without_metadata(review: Tree) -> Tree:
    for tree in review["request"]["objects"]:
        tree["apiVersion"] = review["request"]["desiredAPIVersion"]
        tree["metadata"]["name"] = "other"
    return answered(review, review["request"]["objects"])


async def refused(review: Tree) -> Tree:
    failure = {"status": "Failure", "message": "no such port"}
    return answered(review, []) | {"response": {"uid": review["request"]["uid"], "result": failure}}


def answered(review: Tree, done: list[Tree]) -> Tree:
    response = {"uid": review["request"]["uid"], "convertedObjects": done, "result": {"status": "Success"}}
    return {"kind": "ConversionReview", "apiVersion": "apiextensions.k8s.io/v1", "response": response}


@asynccontextmanager
async def webhook(directory: Path) -> AsyncIterator[HookServer]:
    async with hook_server(directory, {"/convert": converted, "/renames": without_metadata, "/refuses": refused}) as hook:
        yield hook


def by_webhook(hook: HookServer, path: str = "/convert") -> Tree:
    told = {"clientConfig": hook.config(path), "conversionReviewVersions": ["v1"]}
    return {"conversion": {"strategy": "Webhook", "webhook": told}}


def host(version: str, name: str, **spec: str) -> Tree:
    return {"apiVersion": f"{GROUP}/{version}", "kind": "Host", "metadata": {"name": name}, "spec": spec}


def test_without_a_webhook_only_the_version_changes(runner: asyncio.Runner, client: Client) -> None:
    """Each version prunes by its own schema; managed fields say which version was used.

    Rule: custom-resource-definition-versioning/#specify-multiple-versions
    """

    async def scenario() -> None:
        await established(client, versioned())
        tree = await create(client, objects("v1"), host("v1", "a", hostPort="h:1"))
        assert tree["metadata"]["managedFields"][0]["apiVersion"] == f"{GROUP}/v1"
        tree = await get(client, f"{objects('v2')}/a")
        assert (tree["apiVersion"], tree["spec"]) == (f"{GROUP}/v2", {})
        assert (await get(client, f"{objects('v1')}/a"))["spec"] == {"hostPort": "h:1"}
        tree = await create(client, objects("v2"), host("v2", "b", host="h"))
        assert tree["spec"] == {}, "stored as v1, which does not know it"

    runner.run(scenario())


def test_an_object_is_converted_by_the_webhook(runner: asyncio.Runner, client: Client, tmp_path: Path) -> None:
    """Written in one version, read, updated, patched and watched in the other; the webhook is asked once for what is read often.

    Rule: custom-resource-definition-versioning/#webhook-conversion
    Conformance: [sig-api-machinery] CustomResourceConversionWebhook [Privileged:ClusterAdmin] should be able to convert from CR v1 to CR v2 [Conformance]
    """  # noqa: E501

    async def scenario() -> None:
        async with webhook(tmp_path) as hook:
            await established(client, versioned(**by_webhook(hook)))
            made = await create(client, objects("v1"), host("v1", "a", hostPort="h:1"))
            tree = await get(client, f"{objects('v2')}/a")
            assert tree["spec"] == {"host": "h", "port": "1"}
            assert tree["metadata"]["labels"] == {"converted": "yes"}
            assert tree["metadata"]["uid"] == made["metadata"]["uid"]
            asked = len(hook.asked)
            await get(client, f"{objects('v2')}/a")
            assert len(hook.asked) == asked

            tree["spec"]["port"] = "2"
            tree = await update(client, f"{objects('v2')}/a", tree)
            assert (tree["spec"], tree["metadata"]["generation"]) == ({"host": "h", "port": "2"}, 2)
            tree = await patch(client, f"{objects('v2')}/a", {"spec": {"port": "3"}})
            assert (await get(client, f"{objects('v1')}/a"))["spec"] == {"hostPort": "h:3"}
            wanted = host("v2", "a", port="4")
            tree = await patch(client, f"{objects('v2')}/a", wanted, "apply-patch+yaml", fieldManager="m", force="true")
            assert tree["spec"]["port"] == "4"

            async with watching(client, objects("v2"), resourceVersion="0") as lines:
                first = await anext(lines)
                assert (first["type"], first["object"]["spec"]) == ("ADDED", {"host": "h", "port": "4"})
                await patch(client, f"{objects('v1')}/a", {"spec": {"hostPort": "h:5"}})
                second = await anext(lines)
                assert (second["type"], second["object"]["spec"]["port"]) == ("MODIFIED", "5")

    runner.run(scenario())


def test_a_list_holds_objects_that_were_stored_in_different_versions(
    runner: asyncio.Runner, client: Client, tmp_path: Path
) -> None:
    """The storage version changes between two objects; lists in either version have both.

    Rule: custom-resource-definition-versioning/#webhook-conversion
    Conformance: [sig-api-machinery] CustomResourceConversionWebhook [Privileged:ClusterAdmin] should be able to convert a non homogeneous list of CRs [Conformance]
    """  # noqa: E501

    async def scenario() -> None:
        async with webhook(tmp_path) as hook:
            crd = await established(client, versioned(**by_webhook(hook)))
            await create(client, objects("v1"), host("v1", "a", hostPort="h:1"))
            before = (await get(client, f"/apis/{GROUP}/v1"))["resources"][0]["storageVersionHash"]
            crd["spec"]["versions"] = versioned("v2")["spec"]["versions"]
            crd = await update(client, f"{CRDS}/hosts.{GROUP}", crd)
            assert crd["status"]["storedVersions"] == ["v1", "v2"]

            async def stored_as_v2() -> bool:
                served = (await get(client, f"/apis/{GROUP}/v1"))["resources"]
                return bool(served[0]["storageVersionHash"] != before)

            await eventually(stored_as_v2, WITHIN_SECONDS)
            await create(client, objects("v1"), host("v1", "b", hostPort="h:2"))
            listed = await get(client, objects("v2"))
            assert [(one["metadata"]["name"], one["apiVersion"], one["spec"]["port"]) for one in listed["items"]] == [
                ("a", f"{GROUP}/v2", "1"),
                ("b", f"{GROUP}/v2", "2"),
            ]
            listed = await get(client, objects("v1"))
            assert [one["spec"]["hostPort"] for one in listed["items"]] == ["h:1", "h:2"]

    runner.run(scenario())


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/refuses", "failed: no such port"),
        ("/renames", "returned invalid converted object at index 0: must have the same name: a != other"),
        ("/nowhere", "failed: the server could not find the requested resource"),
    ],
)
def test_a_conversion_that_fails_is_told(runner: asyncio.Runner, client: Client, tmp_path: Path, path: str, why: str) -> None:
    """The version that objects are stored in goes on without the webhook.

    Rule: custom-resource-definition-versioning/#response
    """

    async def scenario() -> None:
        async with webhook(tmp_path) as hook:
            await established(client, versioned(**by_webhook(hook, path)))
            await create(client, objects("v1"), host("v1", "a", hostPort="h:1"))
            with pytest.raises(ApiError, match=f"conversion webhook for {GROUP}/v1, Kind=Host {why}") as caught:
                await get(client, f"{objects('v2')}/a")
            assert caught.value.code == 500
            with pytest.raises(ApiError, match=why):
                await get(client, objects("v2"))
            assert (await get(client, f"{objects('v1')}/a"))["spec"] == {"hostPort": "h:1"}

    runner.run(scenario())
