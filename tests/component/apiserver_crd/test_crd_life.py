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
)
from tests.wait import eventually

GROUP = "stable.example.com"
WIDGETS = f"/apis/{GROUP}/v1/namespaces/default/widgets"
SIZES = schema(size={"type": "integer", "default": 3}, colour={"type": "string"})


def widget(name: str, **spec: Any) -> Tree:
    return {"apiVersion": f"{GROUP}/v1", "kind": "Widget", "metadata": {"name": name}, "spec": spec}


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
