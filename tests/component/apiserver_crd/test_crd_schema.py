"""What a schema does to requests: defaults on write and on read, field validation, rules, ratcheting."""

import asyncio
from typing import Any

import pytest

from kube.api.meta import Tree
from kube.api.status import ApiError, BadRequest, Invalid
from kube.client.rest import Client
from tests.component.apiserver_crd.crds import CRDS, create, definition, established, get, patch, schema, update
from tests.wait import eventually

GROUP = "stable.example.com"
WIDGETS = f"/apis/{GROUP}/v1/namespaces/default/widgets"
NAME = f"widgets.{GROUP}"
WITHIN_SECONDS = 5.0
APPLY = "apply-patch+yaml"
SIZE = schema(size={"type": "integer", "minimum": 1})


def widget(name: str, /, **spec: Any) -> Tree:
    return {"apiVersion": f"{GROUP}/v1", "kind": "Widget", "metadata": {"name": name}, "spec": spec}


async def with_schema(client: Client, wanted: Tree) -> None:
    """Give the definition another schema."""
    path = f"{CRDS}/{NAME}"
    crd = await get(client, path)
    crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"] = wanted
    await update(client, path, crd)


def test_defaults_reach_requests_and_what_is_stored(runner: asyncio.Runner, client: Client) -> None:
    """A default that is added shows on what was stored before; one that goes stays where it was written.

    Rule: behaviour E.7.70
    Conformance: [sig-api-machinery] CustomResourceDefinition resources [Privileged:ClusterAdmin] custom resource defaulting for requests and from storage works [Conformance]
    """  # noqa: E501
    text = {"type": "string"}
    properties: Tree = {"a": {**text, "default": "A"}, "b": {**text, "default": "B"}}

    async def scenario() -> None:
        await established(client, definition("widgets", GROUP, {"type": "object", "properties": {"a": text, "b": text}}))
        bare = {"apiVersion": f"{GROUP}/v1", "kind": "Widget"}
        await create(client, WIDGETS, {**bare, "metadata": {"name": "first"}})
        await with_schema(client, {"type": "object", "properties": {**properties, "b": text}})

        async def read_with_default() -> bool:
            return bool((await get(client, f"{WIDGETS}/first")).get("a") == "A")

        await eventually(read_with_default, WITHIN_SECONDS)
        listed = await get(client, WIDGETS)
        assert [one.get("a") for one in listed["items"]] == ["A"]
        second = await create(client, WIDGETS, {**bare, "metadata": {"name": "second"}})
        assert (second["a"], "b" in second) == ("A", False)
        await with_schema(client, {"type": "object", "properties": {"a": text, "b": properties["b"]}})

        async def old_stays_new_comes() -> bool:
            tree = await get(client, f"{WIDGETS}/second")
            return (tree.get("a"), tree.get("b")) == ("A", "B")

        await eventually(old_stays_new_comes, WITHIN_SECONDS)
        first = await get(client, f"{WIDGETS}/first")
        assert ("a" in first, first["b"]) == (False, "B")

    runner.run(scenario())


def test_a_write_of_what_was_read_stores_its_defaults(runner: asyncio.Runner, client: Client) -> None:
    """Read and written back: a change for etcd, where the default was not yet; the second time it is none.

    Rule: custom-resource-definitions/#defaulting
    """

    async def scenario() -> None:
        await established(client, definition("widgets", GROUP, schema(size={"type": "integer"})))
        await create(client, WIDGETS, widget("a"))
        await with_schema(client, schema(size={"type": "integer", "default": 3}))

        async def defaulted() -> bool:
            return bool((await get(client, f"{WIDGETS}/a"))["spec"].get("size") == 3)

        await eventually(defaulted, WITHIN_SECONDS)
        read = await get(client, f"{WIDGETS}/a")
        written = await update(client, f"{WIDGETS}/a", read)
        assert written["metadata"]["resourceVersion"] != read["metadata"]["resourceVersion"]
        again = await update(client, f"{WIDGETS}/a", written)
        assert again["metadata"]["resourceVersion"] == written["metadata"]["resourceVersion"]

    runner.run(scenario())


def test_unknown_fields_are_refused_warned_of_or_ignored(runner: asyncio.Runner, client: Client) -> None:
    """Rule: field-validation
    Conformance: [sig-api-machinery] FieldValidation should create/apply a valid CR for CRD with validation schema [Conformance]
    Conformance: [sig-api-machinery] FieldValidation should create/apply an invalid CR with extra properties for CRD with validation schema [Conformance]
    """  # noqa: E501

    async def scenario() -> None:
        await established(client, definition("widgets", GROUP, SIZE))
        await create(client, WIDGETS, widget("good", size=1), fieldValidation="Strict")
        good = widget("good", size=2)
        await patch(client, f"{WIDGETS}/good", good, APPLY, fieldManager="m", force="true", fieldValidation="Strict")
        bad = widget("bad", size=1, extra=1)
        bad["status"] = {}
        with pytest.raises(BadRequest, match=r'strict decoding error: unknown field "spec.extra", unknown field "status"'):
            await create(client, WIDGETS, bad, fieldValidation="Strict")
        with pytest.raises(ApiError, match=r"\.spec\.extra: field not declared in schema"):
            await patch(client, f"{WIDGETS}/bad", bad, APPLY, fieldManager="m", fieldValidation="Strict")
        answer = await client.request("POST", WIDGETS, body=bad)
        assert answer.headers["Warning"] == '299 - "unknown field \\"spec.extra\\""', "the first of them"
        answer = await client.request("POST", WIDGETS, body=widget("quiet", extra=1), params={"fieldValidation": "Ignore"})
        assert "Warning" not in answer.headers

    runner.run(scenario())


def test_without_a_schema_everything_is_taken(runner: asyncio.Runner, client: Client) -> None:
    """Rule: controlling-pruning
    Conformance: [sig-api-machinery] FieldValidation should create/apply a CR with unknown fields for CRD with no validation schema [Conformance]
    """  # noqa: E501

    async def scenario() -> None:
        open_schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        await established(client, definition("widgets", GROUP, open_schema))
        tree = await create(client, WIDGETS, widget("a", any={"deep": [1]}), fieldValidation="Strict")
        assert tree["spec"] == {"any": {"deep": [1]}}
        wanted = widget("a", other=1)
        tree = await patch(client, f"{WIDGETS}/a", wanted, APPLY, fieldManager="m", fieldValidation="Strict")
        assert tree["spec"] == {"any": {"deep": [1]}, "other": 1}

    runner.run(scenario())


def test_duplicates_are_found_also_where_everything_is_taken(runner: asyncio.Runner, client: Client) -> None:
    """Rule: field-validation
    Conformance: [sig-api-machinery] FieldValidation should detect duplicates in a CR when preserving unknown fields [Conformance]
    """
    text = f"""apiVersion: {GROUP}/v1
kind: Widget
metadata:
  name: mytest
  finalizers:
  - test-finalizer
spec:
  unknown: uk1
  cronSpec: "* * * * */5"
  unknown: uk2
"""
    body = b'{"apiVersion":"%s/v1","kind":"Widget","metadata":{"name":"x"},"spec":{"unknown":1,"unknown":2}}' % GROUP.encode()

    async def scenario() -> None:
        open_schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        await established(client, definition("widgets", GROUP, open_schema))
        headers = {"Content-Type": "application/apply-patch+yaml"}
        params = {"fieldManager": "m", "fieldValidation": "Strict"}
        with pytest.raises(BadRequest, match='line 10: key "unknown" already set in map'):
            await client.request("PATCH", f"{WIDGETS}/mytest", body=text.encode(), headers=headers, params=params)
        with pytest.raises(BadRequest, match=r'strict decoding error: duplicate field "spec.unknown"'):
            await client.request("POST", WIDGETS, body=body, params={"fieldValidation": "Strict"})
        answer = await client.request("POST", WIDGETS, body=body)
        assert answer.headers["Warning"] == '299 - "duplicate field \\"spec.unknown\\""'

    runner.run(scenario())


def test_unknown_metadata_is_found_at_the_root_and_in_embedded_objects(runner: asyncio.Runner, client: Client) -> None:
    """Rule: field-validation
    Conformance: [sig-api-machinery] FieldValidation should detect unknown metadata fields in both the root and embedded object of a CR [Conformance]
    """  # noqa: E501
    template = {
        "type": "object",
        "x-kubernetes-embedded-resource": True,
        "properties": {"metadata": {"type": "object"}, "spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
    }

    async def scenario() -> None:
        await established(client, definition("widgets", GROUP, schema(template=template)))
        inner = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "i", "unknownSubMeta": 1}, "spec": {"free": 1}}
        tree = widget("a", template=inner)
        tree["metadata"]["unknownMeta"] = 1
        expected = (
            r'strict decoding error: unknown field "metadata.unknownMeta", unknown field "spec.template.metadata.unknownSubMeta"'
        )
        with pytest.raises(BadRequest, match=expected):
            await create(client, WIDGETS, tree, fieldValidation="Strict")
        made = await create(client, WIDGETS, tree)
        assert made["spec"]["template"]["metadata"] == {"name": "i"}

    runner.run(scenario())


def test_rules_and_ratcheting(runner: asyncio.Runner, client: Client) -> None:
    """What was stored before a rule came is tolerated until it is touched; transition rules see what was.

    Rule: KEP-2876, KEP-4008
    """
    immutable = {"type": "string", "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": "is immutable"}]}
    even = {"type": "integer", "x-kubernetes-validations": [{"rule": "self % 2 == 0", "message": "must be even"}]}

    async def scenario() -> None:
        plain = schema(name={"type": "string"}, size={"type": "integer"}, note={"type": "string"})
        await established(client, definition("widgets", GROUP, plain))
        await create(client, WIDGETS, widget("a", name="x", size=3))
        await with_schema(client, schema(name=immutable, size=even, note={"type": "string"}))

        async def ruled() -> bool:
            try:
                await create(client, WIDGETS, widget("b", size=1), dryRun="All")
            except Invalid as error:
                return error.message == f'Widget.{GROUP} "b" is invalid: spec.size: Invalid value: 1: must be even'
            return False

        await eventually(ruled, WITHIN_SECONDS)
        tree = await patch(client, f"{WIDGETS}/a", {"spec": {"note": "touched"}})
        assert tree["spec"]["size"] == 3
        with pytest.raises(Invalid, match="must be even"):
            await patch(client, f"{WIDGETS}/a", {"spec": {"size": 5}})
        with pytest.raises(Invalid, match=r'spec.name: Invalid value: "y": is immutable'):
            await patch(client, f"{WIDGETS}/a", {"spec": {"name": "y"}})
        with pytest.raises(Invalid, match="some validation rules were not checked because the object was invalid"):
            await create(client, WIDGETS, widget("c", size="1"))

    runner.run(scenario())


def test_an_update_needs_a_resource_version(runner: asyncio.Runner, client: Client) -> None:
    """Rule: behaviour E.2.12"""

    async def scenario() -> None:
        await established(client, definition("widgets", GROUP, SIZE))
        await create(client, WIDGETS, widget("a", size=1))
        with pytest.raises(Invalid, match=r"metadata.resourceVersion: Invalid value: .*: must be specified for an update"):
            await update(client, f"{WIDGETS}/a", widget("a", size=2))

    runner.run(scenario())
