"""What OpenAPI says of custom resources, and when it ceases to."""

import asyncio
from typing import Any

import pytest

from kube.api.meta import Tree
from kube.client.rest import Client
from tests.component.apiserver_crd.crds import CRDS, definition, delete, established, get, patch, schema
from tests.wait import eventually

WITHIN_SECONDS = 10.0  # the whole of version 2 is a second's work
GROUP = "openapi.example.com"
ADDED = ("apiVersion", "kind", "metadata")  # to every kind's own properties
FOO = {
    "type": "object",
    "description": "Foo CRD for Testing",
    "properties": {
        "spec": {
            "type": "object",
            "description": "Specification of Foo",
            "properties": {
                "bars": {
                    "type": "array",
                    "description": "List of Bars and their specs.",
                    "items": {
                        "type": "object",
                        "required": ["name"],
                        "properties": {
                            "name": {"description": "Name of Bar.", "type": "string"},
                            "age": {"description": "Age of Bar.", "type": "string"},
                            "feeling": {
                                "description": "Whether Bar is feeling great.",
                                "type": "string",
                                "enum": ["Great", "Down"],
                            },
                            "bazs": {"description": "List of Bazs.", "items": {"type": "string"}, "type": "array"},
                        },
                    },
                },
            },
        },
    },
}


def named(group: str, version: str, kind: str) -> str:
    return ".".join([*reversed(group.split(".")), version, kind])


async def definitions(client: Client) -> Tree:
    found: Tree = (await get(client, "/openapi/v2"))["definitions"]
    return found


async def published(client: Client, *names: str) -> Tree:
    """All of these are defined."""

    async def look() -> Tree | None:
        found = await definitions(client)
        return found if set(names) <= set(found) else None

    return await eventually(look, WITHIN_SECONDS, f"{names} are published")


async def withdrawn(client: Client, name: str) -> None:
    async def look() -> bool:
        return name not in await definitions(client)

    await eventually(look, WITHIN_SECONDS, f"{name} is withdrawn")


def several(plural: str, group: str, *versions: str) -> Tree:
    tree = definition(plural, group, FOO)
    [first] = tree["spec"]["versions"]
    tree["spec"]["versions"] = [{**first, "name": name, "storage": i == 0} for i, name in enumerate(versions)]
    return tree


def own(one: Tree) -> Tree:
    """A published schema without what is added to every kind."""
    properties = {name: inner for name, inner in one["properties"].items() if name not in ADDED}
    return {**{name: value for name, value in one.items() if not name.startswith("x-kubernetes-group")}, "properties": properties}


def test_a_schema_is_published_as_it_is_and_goes_with_its_definition(runner: asyncio.Runner, client: Client) -> None:
    """In version 2 and 3, with the paths.

    Rule: behaviour E.7.70 (OpenAPI published and withdrawn)
    """

    async def scenario() -> None:
        await established(client, definition("foos", GROUP, FOO))
        name = named(GROUP, "v1", "Foo")
        found = await published(client, name, named(GROUP, "v1", "FooList"))
        assert own(found[name]) == FOO
        assert found[name]["x-kubernetes-group-version-kind"] == [{"group": GROUP, "version": "v1", "kind": "Foo"}]
        index = (await get(client, "/openapi/v3"))["paths"]
        path, _, digest = index[f"apis/{GROUP}/v1"]["serverRelativeURL"].partition("?hash=")
        document = await get(client, path, hash=digest)
        assert own(document["components"]["schemas"][name]) == FOO
        assert f"/apis/{GROUP}/v1/namespaces/{{namespace}}/foos/{{name}}" in document["paths"]
        await delete(client, f"{CRDS}/foos.{GROUP}")
        await withdrawn(client, name)
        assert f"apis/{GROUP}/v1" not in (await get(client, "/openapi/v3"))["paths"]

    runner.run(scenario())


@pytest.mark.parametrize(
    "told",
    [
        pytest.param((("foos", "a.example.com", "v1"), ("bars", "b.example.com", "v1")), id="groups"),
        pytest.param((("foos", GROUP, "v2"), ("foos", GROUP, "v3")), id="versions"),
        pytest.param((("foos", GROUP, "v1"), ("bars", GROUP, "v1")), id="kinds"),
    ],
)
def test_several_are_published_beside_each_other(runner: asyncio.Runner, client: Client, told: Any) -> None:
    """Of different groups; of one group in different versions; of one group and version.

    Rule: behaviour E.7.70
    Conformance: [sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] works for multiple CRDs of different groups [Conformance]
    Conformance: [sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] works for multiple CRDs of same group but different versions [Conformance]
    Conformance: [sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] works for multiple CRDs of same group and version but different kinds [Conformance]
    """  # noqa: E501

    async def scenario() -> None:
        by_name: dict[tuple[str, str], list[str]] = {}
        for plural, group, version in told:
            by_name.setdefault((plural, group), []).append(version)
        for (plural, group), versions in by_name.items():
            await established(client, several(plural, group, *versions))
        await published(client, *(named(group, version, plural[:-1].capitalize()) for plural, group, version in told))

    runner.run(scenario())


def test_a_version_that_is_renamed_or_no_longer_served_is_withdrawn(runner: asyncio.Runner, client: Client) -> None:
    """The other versions stay.

    Rule: behaviour E.7.70
    Conformance: [sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] updates the published spec when one version gets renamed [Conformance]
    Conformance: [sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] removes definition from spec when one version gets changed to not be served [Conformance]
    """  # noqa: E501

    async def scenario() -> None:
        await established(client, several("foos", GROUP, "v2", "v3"))
        v2, v3, v4 = (named(GROUP, version, "Foo") for version in ("v2", "v3", "v4"))
        await published(client, v2, v3)
        path = f"{CRDS}/foos.{GROUP}"
        rename = [
            {"op": "test", "path": "/spec/versions/1/name", "value": "v3"},
            {"op": "replace", "path": "/spec/versions/1/name", "value": "v4"},
        ]
        await patch(client, path, rename, "json-patch+json")
        await withdrawn(client, v3)
        await published(client, v2, v4)
        unserve = [{"op": "replace", "path": "/spec/versions/1/served", "value": False}]
        await patch(client, path, unserve, "json-patch+json")
        await withdrawn(client, v4)
        assert own((await published(client, v2))[v2]) == FOO

    runner.run(scenario())


def test_version_2_says_nothing_of_what_takes_anything(runner: asyncio.Runner, client: Client) -> None:
    """At the root a mere object; within, no properties, so that client-side validation accepts whatever comes.

    Rule: apiextensions-apiserver pkg/controller/openapi/v2/conversion.go
    """

    async def scenario() -> None:
        free = {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "properties": {"dummy": {"type": "object"}}}
        await established(client, definition("roots", GROUP, {**free, "properties": {}}))
        await established(client, definition("nesteds", GROUP, schema(inner=free, may={"type": "string", "nullable": True})))
        root, nested = named(GROUP, "v1", "Root"), named(GROUP, "v1", "Nested")
        found = await published(client, root, nested)
        assert set(found[root]) == {"type", "x-kubernetes-group-version-kind"}
        spec = found[nested]["properties"]["spec"]["properties"]
        assert "properties" not in spec["inner"]
        assert "nullable" not in spec["may"]
        assert "type" not in spec["may"]

    runner.run(scenario())
