"""A definition's life: its names are accepted, its kind is served, and with it its objects go."""

import asyncio
from typing import Any

import pytest

from kube.api.meta import Tree
from kube.api.status import ApiError, Invalid, NotFound, UnsupportedMediaType
from kube.client.rest import Client
from tests.component.apiserver_crd.crds import (
    CRDS,
    condition,
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
from tests.wait import eventually

GROUP = "stable.example.com"
WIDGETS = f"/apis/{GROUP}/v1/namespaces/default/widgets"
SIZES = schema(size={"type": "integer", "default": 3}, colour={"type": "string"})


def widget(name: str, **spec: Any) -> Tree:
    return {"apiVersion": f"{GROUP}/v1", "kind": "Widget", "metadata": {"name": name}, "spec": spec}


def test_an_empty_condition_is_stored_whole_and_the_definition_is_served_on(runner: asyncio.Runner, client: Client) -> None:
    """A client may replace the status by a condition of which it says no more than a message; servers start with it, too.

    Rule: encoding/json, fields without `omitempty`; nothing that is stored ends a server
    Conformance: [sig-api-machinery] CustomResourceDefinition resources [Privileged:ClusterAdmin] Simple CustomResourceDefinition getting/updating/patching custom resource definition status sub-resource works [Conformance]
    """  # noqa: E501

    async def scenario() -> None:
        made = await established(client, definition("oddities", "odd.example.com", SIZES))
        made["status"]["conditions"].append({"message": "updated"})
        told = await update(client, f"{CRDS}/oddities.odd.example.com/status", made)
        assert told["status"]["conditions"][-1] == {"type": "", "status": "", "message": "updated"}
        wanted = {"status": {"conditions": [{"message": "patched"}]}}
        told = await patch(client, f"{CRDS}/oddities.odd.example.com/status", wanted)
        assert told["status"]["conditions"][0]["message"] == "patched"
        await delete(client, f"{CRDS}/oddities.odd.example.com")

    runner.run(scenario())


def test_a_definition_is_established_and_its_objects_live_as_any(runner: asyncio.Runner, client: Client) -> None:
    """Create, get, list, update, patch in three ways, delete.

    Rule: behaviour E.7.70
    Conformance: [sig-api-machinery] CustomResourceDefinition resources [Privileged:ClusterAdmin] Simple CustomResourceDefinition creating/deleting custom resource definition objects works [Conformance]
    """  # noqa: E501

    async def scenario() -> None:
        made = await established(client, definition("widgets", GROUP, SIZES))
        assert made["spec"]["names"]["listKind"] == "WidgetList"
        assert made["spec"]["conversion"] == {"strategy": "None"}
        assert made["status"]["storedVersions"] == ["v1"]
        assert condition(made, "NamesAccepted") == "True"

        tree = await create(client, WIDGETS, widget("a", colour="red", unknown=1))
        assert tree["spec"] == {"colour": "red", "size": 3}
        assert tree["metadata"]["generation"] == 1
        listed = await get(client, WIDGETS)
        assert (listed["kind"], [one["metadata"]["name"] for one in listed["items"]]) == ("WidgetList", ["a"])

        tree["spec"]["colour"] = "blue"
        tree = await update(client, f"{WIDGETS}/a", tree)
        assert tree["metadata"]["generation"] == 2
        tree = await patch(client, f"{WIDGETS}/a", {"spec": {"size": 5}})
        tree = await patch(client, f"{WIDGETS}/a", [{"op": "replace", "path": "/spec/colour", "value": "green"}], "json-patch+json")
        assert tree["spec"] == {"colour": "green", "size": 5}
        with pytest.raises(UnsupportedMediaType):
            await patch(client, f"{WIDGETS}/a", {"spec": {}}, "strategic-merge-patch+json")
        wanted = widget("a", size=7)
        tree = await patch(client, f"{WIDGETS}/a", wanted, "apply-patch+yaml", fieldManager="m", force="true")
        assert tree["spec"]["size"] == 7
        assert [one["manager"] for one in tree["metadata"]["managedFields"]] == ["m", "test"]
        with pytest.raises(
            Invalid, match=r'spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"'
        ):
            await patch(client, f"{WIDGETS}/a", {"spec": {"size": "big"}})
        await delete(client, f"{WIDGETS}/a")
        with pytest.raises(NotFound):
            await get(client, f"{WIDGETS}/a")

    runner.run(scenario())


def test_a_deleted_definition_goes_after_its_objects(runner: asyncio.Runner, client: Client) -> None:
    """An object that a finalizer holds, holds the definition; no new ones are taken meanwhile.

    Rule: behaviour E.7.70 (delete CRD deletes CRs first)
    """

    async def scenario() -> None:
        await established(client, definition("widgets", GROUP, SIZES))
        held = widget("held")
        held["metadata"]["finalizers"] = ["example.com/wait"]
        await create(client, WIDGETS, held)
        await create(client, WIDGETS, widget("free"))
        name = f"widgets.{GROUP}"
        marked = await delete(client, f"{CRDS}/{name}")
        assert marked["metadata"]["finalizers"] == ["customresourcecleanup.apiextensions.k8s.io"]

        async def only_held() -> bool:
            items = (await get(client, WIDGETS))["items"]
            return [one["metadata"]["name"] for one in items] == ["held"] and "deletionTimestamp" in items[0]["metadata"]

        await eventually(only_held, 5)
        assert condition(await get(client, f"{CRDS}/{name}"), "Terminating") == "True"
        with pytest.raises(ApiError, match="create not allowed while custom resource definition is terminating"):
            await create(client, WIDGETS, widget("late"))
        await patch(client, f"{WIDGETS}/held", {"metadata": {"finalizers": None}})

        async def gone() -> bool:
            try:
                await get(client, f"{CRDS}/{name}")
            except NotFound:
                return True
            return False

        await eventually(gone, 5)
        with pytest.raises(NotFound, match="the server could not find the requested resource"):
            await get(client, WIDGETS)

    runner.run(scenario())


def test_watchers_see_the_objects_go_with_their_definition(runner: asyncio.Runner, client: Client) -> None:
    """The watch goes on while the definition is being deleted and ends when it is gone; a changed label ends none.

    Rule: behaviour E.7.70; apiextensions-apiserver pkg/controller/finalizer/crd_finalizer.go
    """

    async def scenario() -> None:
        await established(client, definition("widgets", GROUP, SIZES))
        for name in ("a", "b"):
            await create(client, WIDGETS, widget(name))
        async with asyncio.timeout(10), watching(client, WIDGETS) as events:
            seen = [await anext(events), await anext(events)]
            await patch(client, f"{CRDS}/widgets.{GROUP}", {"metadata": {"labels": {"x": "y"}}})
            await delete(client, f"{CRDS}/widgets.{GROUP}")
            seen += [event async for event in events]
        told = [(event["type"], event["object"]["metadata"]["name"]) for event in seen]
        assert told == [("ADDED", "a"), ("ADDED", "b"), ("DELETED", "a"), ("DELETED", "b")]

    runner.run(scenario())


def test_a_changed_schema_ends_watches_which_go_on_from_where_they_were(runner: asyncio.Runner, client: Client) -> None:
    """Nothing is lost between the two, and what is told is as the new schema has it.

    Rule: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
    """

    async def scenario() -> None:
        made = await established(client, definition("widgets", GROUP, SIZES))
        first = await create(client, WIDGETS, widget("a"))
        version = first["metadata"]["resourceVersion"]
        async with asyncio.timeout(10), watching(client, WIDGETS, resourceVersion=version) as events:
            await create(client, WIDGETS, widget("b"))
            assert (await anext(events))["object"]["spec"] == {"size": 3}
            fields = made["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
            fields["weight"] = {"type": "integer", "default": 7}
            await patch(client, f"{CRDS}/widgets.{GROUP}", {"spec": made["spec"]})
            assert [event async for event in events] == []
        await create(client, WIDGETS, widget("c"))
        async with asyncio.timeout(10), watching(client, WIDGETS, resourceVersion=version) as events:
            told = [(await anext(events))["object"] for _ in range(2)]
        assert [(one["metadata"]["name"], one["spec"]) for one in told] == [
            ("b", {"size": 3, "weight": 7}),
            ("c", {"size": 3, "weight": 7}),
        ]

    runner.run(scenario())
