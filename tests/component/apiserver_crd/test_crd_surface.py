"""How custom resources are seen and found: subresources, columns, selectors, discovery."""

import asyncio
from typing import Any

import pytest

from kube.api.meta import Tree
from kube.api.status import BadRequest, InternalError, Invalid
from kube.client.rest import Client
from tests.component.apiserver_crd.crds import CRDS, create, definition, delete, established, get, patch, schema, update, watching
from tests.wait import eventually

GROUP = "stable.example.com"
WIDGETS = f"/apis/{GROUP}/v1/namespaces/default/widgets"
WITHIN_SECONDS = 5.0
TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
SCALED = {
    "type": "object",
    "properties": {
        "spec": {"type": "object", "properties": {"replicas": {"type": "integer"}, "color": {"type": "string"}}},
        "status": {"type": "object", "properties": {"replicas": {"type": "integer"}, "selector": {"type": "string"}}},
    },
}
SCALE = {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas", "labelSelectorPath": ".status.selector"}


def widget(name: str, **spec: Any) -> Tree:
    return {"apiVersion": f"{GROUP}/v1", "kind": "Widget", "metadata": {"name": name}, "spec": spec}


def test_status_and_scale_are_apart_from_the_rest(runner: asyncio.Runner, client: Client) -> None:
    """The main endpoint leaves the status alone, /status everything else; a Scale shows and sets the replicas.

    Rule: custom-resource-definitions/#subresources
    """

    async def scenario() -> None:
        await established(client, definition("widgets", GROUP, SCALED, subresources={"status": {}, "scale": SCALE}))
        made = await create(client, WIDGETS, {**widget("a", replicas=1), "status": {"replicas": 9}})
        assert "status" not in made
        made["status"] = {"replicas": 1, "selector": "app=a"}
        made["spec"]["replicas"] = 7
        told = await update(client, f"{WIDGETS}/a/status", made)
        assert (told["spec"]["replicas"], told["status"]["replicas"], told["metadata"]["generation"]) == (1, 1, 1)
        scale = await get(client, f"{WIDGETS}/a/scale")
        assert (scale["kind"], scale["spec"], scale["status"]) == ("Scale", {"replicas": 1}, {"replicas": 1, "selector": "app=a"})
        scale["spec"]["replicas"] = 4
        scale = await update(client, f"{WIDGETS}/a/scale", scale)
        assert scale["spec"] == {"replicas": 4}
        await patch(client, f"{WIDGETS}/a/scale", {"spec": {"replicas": 5}})
        tree = await get(client, f"{WIDGETS}/a")
        assert (tree["spec"]["replicas"], tree["metadata"]["generation"]) == (5, 3)
        await create(client, WIDGETS, widget("none"))
        with pytest.raises(InternalError, match=r'the spec replicas field "\.spec\.replicas" does not exist'):
            await get(client, f"{WIDGETS}/none/scale")

    runner.run(scenario())


def test_without_the_subresource_status_is_a_field_like_any(runner: asyncio.Runner, client: Client) -> None:
    """Rule: custom-resource-definitions/#status-subresource"""

    async def scenario() -> None:
        await established(client, definition("widgets", GROUP, SCALED))
        made = await create(client, WIDGETS, {**widget("a"), "status": {"replicas": 9}})
        assert made["status"] == {"replicas": 9}
        made["status"]["replicas"] = 8
        assert (await update(client, f"{WIDGETS}/a", made))["metadata"]["generation"] == 2

    runner.run(scenario())


def test_columns_come_from_json_paths(runner: asyncio.Runner, client: Client) -> None:
    """Rule: custom-resource-definitions/#additional-printer-columns"""
    columns = [
        {"name": "Color", "type": "string", "jsonPath": ".spec.color"},
        {"name": "Replicas", "type": "integer", "jsonPath": ".spec.replicas", "priority": 1},
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
    ]

    async def scenario() -> None:
        await established(client, definition("widgets", GROUP, SCALED, additionalPrinterColumns=columns))
        await create(client, WIDGETS, widget("a", color="red"))
        table = (await client.request("GET", WIDGETS, headers={"Accept": TABLE})).tree()
        assert [one["name"] for one in table["columnDefinitions"]] == ["Name", "Color", "Replicas", "Age"]
        name, color, replicas, age = table["rows"][0]["cells"]
        assert (name, color, replicas) == ("a", "red", None)
        assert age.endswith("s")
        await established(client, definition("gadgets", GROUP, SCALED))
        table = (await client.request("GET", WIDGETS.replace("widgets", "gadgets"), headers={"Accept": TABLE})).tree()
        assert [one["name"] for one in table["columnDefinitions"]] == ["Name", "Age"]

    runner.run(scenario())


def test_selectable_fields_select_in_lists_and_watches(runner: asyncio.Runner, client: Client) -> None:
    """Rule: KEP-4358; what begins to match is ADDED, what ceases to is DELETED."""

    async def scenario() -> None:
        fields = [{"jsonPath": ".spec.color"}, {"jsonPath": ".spec.replicas"}]
        await established(client, definition("widgets", GROUP, SCALED, selectableFields=fields))
        for name, color in (("a", "red"), ("b", "blue"), ("c", "red")):
            await create(client, WIDGETS, widget(name, color=color, replicas=2))
        listed = await get(client, WIDGETS, fieldSelector="spec.color=red,spec.replicas=2")
        assert [one["metadata"]["name"] for one in listed["items"]] == ["a", "c"]
        paged = await get(client, WIDGETS, fieldSelector="spec.color=red", limit="1")
        rest = await get(client, WIDGETS, fieldSelector="spec.color=red", limit="1", **{"continue": paged["metadata"]["continue"]})
        assert [one["metadata"]["name"] for one in paged["items"] + rest["items"]] == ["a", "c"]
        with pytest.raises(BadRequest, match=r"field label not supported: spec.shape"):
            await get(client, WIDGETS, fieldSelector="spec.shape=round")
        params = {"watch": "true", "fieldSelector": "spec.color=blue", "resourceVersion": listed["metadata"]["resourceVersion"]}
        async with watching(client, WIDGETS, **params) as lines:
            await patch(client, f"{WIDGETS}/a", {"spec": {"color": "blue"}})
            await patch(client, f"{WIDGETS}/c", {"spec": {"replicas": 3}})
            await patch(client, f"{WIDGETS}/b", {"spec": {"color": "green"}})
            seen = [await anext(lines) for _ in range(2)]
            assert [(one["type"], one["object"]["metadata"]["name"]) for one in seen] == [("ADDED", "a"), ("DELETED", "b")]

    runner.run(scenario())


def test_discovery_tells_of_a_definition_and_forgets_it(runner: asyncio.Runner, client: Client) -> None:
    """In all three forms, with short names, categories and subresources, as soon as it is established.

    Rule: behaviour E.7.70
    Conformance: [sig-api-machinery] AggregatedDiscovery should support raw aggregated discovery request for CRDs [Conformance]
    Conformance: [sig-api-machinery] AggregatedDiscovery should support aggregated discovery interface for CRDs [Conformance]
    """

    async def groups() -> list[Tree]:
        found: list[Tree] = (await client.request("GET", "/apis", headers={"Accept": AGGREGATED})).tree()["items"]
        return [one for one in found if one["metadata"]["name"] == GROUP]

    async def scenario() -> None:
        told = definition("widgets", GROUP, SCALED, subresources={"status": {}, "scale": SCALE})
        told["spec"]["names"] |= {"shortNames": ["wd"], "categories": ["all"], "singular": "widget"}
        await established(client, told)
        [group] = await groups()
        [resource] = group["versions"][0]["resources"]
        assert (resource["resource"], resource["shortNames"], resource["categories"]) == ("widgets", ["wd"], ["all"])
        assert resource["responseKind"] == {"group": GROUP, "version": "v1", "kind": "Widget"}
        assert sorted(one["subresource"] for one in resource["subresources"]) == ["scale", "status"]
        listed = await get(client, f"/apis/{GROUP}/v1")
        assert [one["name"] for one in listed["resources"]] == ["widgets", "widgets/scale", "widgets/status"]
        assert listed["resources"][0]["singularName"] == "widget"
        assert (await get(client, f"/apis/{GROUP}"))["preferredVersion"]["version"] == "v1"
        await delete(client, f"{CRDS}/widgets.{GROUP}")

        async def withdrawn() -> bool:
            return not await groups()

        await eventually(withdrawn, WITHIN_SECONDS)

    runner.run(scenario())


def test_discovery_has_the_definitions_themselves(runner: asyncio.Runner, client: Client) -> None:
    """Rule: api-concepts
    Conformance: [sig-api-machinery] CustomResourceDefinition resources [Privileged:ClusterAdmin] should include custom resource definition resources in discovery documents [Conformance]
    """  # noqa: E501

    async def scenario() -> None:
        found = (await get(client, "/apis"))["groups"]
        [group] = [one for one in found if one["name"] == "apiextensions.k8s.io"]
        assert group["versions"] == [{"groupVersion": "apiextensions.k8s.io/v1", "version": "v1"}]
        assert (await get(client, "/apis/apiextensions.k8s.io"))["name"] == "apiextensions.k8s.io"
        names = [one["name"] for one in (await get(client, "/apis/apiextensions.k8s.io/v1"))["resources"]]
        assert "customresourcedefinitions" in names

    runner.run(scenario())


def test_names_that_are_taken_are_not_accepted(runner: asyncio.Runner, client: Client) -> None:
    """The second definition waits for its names, and gets them when the first one goes.

    Rule: apiextensions-apiserver pkg/controller/status/naming_controller.go
    """

    async def scenario() -> None:
        first = definition("widgets", GROUP, SCALED)
        first["spec"]["names"]["shortNames"] = ["wd"]
        await established(client, first)
        second = definition("gadgets", GROUP, SCALED)
        second["spec"]["names"] |= {"kind": "Widget", "shortNames": ["wd"]}
        await create(client, CRDS, second)
        path = f"{CRDS}/gadgets.{GROUP}"

        async def refused() -> Tree | None:
            told = {one["type"]: one for one in (await get(client, path))["status"]["conditions"] or ()}
            return told if told.get("NamesAccepted", {}).get("status") == "False" else None

        told = await eventually(refused, WITHIN_SECONDS)
        assert told["NamesAccepted"]["reason"] == "ListKindConflict"
        assert told["NamesAccepted"]["message"] == '"WidgetList" is already in use'
        assert (told["Established"]["status"], told["Established"]["reason"]) == ("False", "NotAccepted")
        await delete(client, f"{CRDS}/widgets.{GROUP}")

        async def accepted() -> bool:
            conditions = (await get(client, path))["status"]["conditions"]
            return all(one["status"] == "True" for one in conditions)

        await eventually(accepted, WITHIN_SECONDS)

    runner.run(scenario())


def test_a_definition_that_breaks_the_rules_is_refused(runner: asyncio.Runner, client: Client) -> None:
    """Rule: apiextensions-apiserver pkg/apis/apiextensions/validation"""

    async def scenario() -> None:
        with pytest.raises(
            Invalid, match=r"openAPIV3Schema.properties\[spec\].type: Required value: must not be empty for specified"
        ):
            await create(client, CRDS, definition("widgets", GROUP, {"type": "object", "properties": {"spec": {}}}))
        rule = {"type": "object", "x-kubernetes-validations": [{"rule": " self.b > 1"}]}
        with pytest.raises(Invalid, match="compilation failed: ERROR: <input>:1:6: undefined field 'b'"):
            await create(client, CRDS, definition("widgets", GROUP, schema(a=rule)))

    runner.run(scenario())
