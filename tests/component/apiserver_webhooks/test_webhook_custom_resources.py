"""What the official conformance suite asks of admission webhooks for custom resources; and match conditions."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from kube.api.meta import Key, Tree
from kube.api.resource import Resource
from kube.api.status import ApiError
from kube.api.types import ConfigMap, CustomResourceDefinition, MutatingWebhookConfiguration, ValidatingWebhookConfiguration
from kube.client.rest import Client
from tests.component.apiserver_webhooks.hook_server import HookServer, hook_server, review_answer
from tests.component.apiserver_webhooks.hooked import (
    CONFIG_MAPS,
    NAMESPACE,
    PATIENCE_SECONDS,
    adding,
    configure,
    namespace,
    webhook,
)
from tests.wait import eventually

GROUP = "stable.example.com"
DATA = {"type": "object", "properties": {"data": {"type": "object", "additionalProperties": {"type": "string"}}}}
OPEN: Tree = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
RULES = [{"operations": ["*"], "apiGroups": [GROUP], "apiVersions": ["*"], "resources": ["widgets"]}]


def widgets(version: str = "v1") -> Resource:
    return Resource(GROUP, version, "Widget", "widgets")


async def define(client: Client, schema: Tree, *versions: str) -> None:
    """The first of the versions is the stored one."""
    listed = [
        {"name": version, "served": True, "storage": version == versions[0], "schema": {"openAPIV3Schema": schema}}
        for version in versions
    ]
    names = {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"}
    spec = {"group": GROUP, "scope": "Namespaced", "names": names, "versions": listed}
    await client.create(CustomResourceDefinition, {"metadata": {"name": f"widgets.{GROUP}"}, "spec": spec})

    async def established() -> bool:
        tree = await client.get_tree(CustomResourceDefinition, "", f"widgets.{GROUP}")
        conditions = (tree.get("status") or {}).get("conditions") or ()
        return any(one["type"] == "Established" and one["status"] == "True" for one in conditions)

    await eventually(established, PATIENCE_SECONDS)


async def make(client: Client, data: dict[str, str], version: str = "v1", **metadata: Any) -> Tree:
    where = {"namespace": NAMESPACE, **(metadata or {"generateName": "w-"})}
    return await client.create(widgets(version), {"metadata": where, "data": data})


async def judge(review: Tree) -> Tree:
    """Refuses what has, or in case of a deletion had, an unwanted key."""
    tree = review["request"]["object"] or review["request"]["oldObject"]
    bad = (tree.get("data") or {}).get("unwanted") == "yes"
    status = {"message": "the custom resource contains unwanted data"}
    return review_answer(review, allowed=False, status=status) if bad else review_answer(review)


def test_custom_resources_are_denied_on_create_update_and_delete(runner: asyncio.Runner, client: Client, tmp_path: Path) -> None:
    """Rule: behaviour E.7.72

    Conformance: [sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should be able to deny custom resource creation, update and deletion [Conformance]
    """  # noqa: E501

    async def scenario() -> None:
        async with hook_server(tmp_path, {"/judge": judge}) as hook:
            await namespace(client)
            await define(client, DATA, "v1")
            await make(client, {"unwanted": "yes"}, name="old")
            await make(client, {"a": "b"}, name="fine")
            await configure(client, ValidatingWebhookConfiguration, "judge", webhook(hook, "/judge", RULES))

            async def refused() -> str:
                with pytest.raises(ApiError) as error:
                    await make(client, {"unwanted": "yes"})
                return error.value.message

            text = 'admission webhook "w.example.com" denied the request: the custom resource contains unwanted data'
            assert await eventually(refused, PATIENCE_SECONDS) == text
            with pytest.raises(ApiError, match="unwanted data"):
                await client.patch(widgets(), Key(NAMESPACE, "fine"), {"data": {"unwanted": "yes"}})
            with pytest.raises(ApiError, match="unwanted data"):
                await client.delete(widgets(), Key(NAMESPACE, "old"))

            async def mended() -> Tree | None:
                try:
                    return await client.patch(widgets(), Key(NAMESPACE, "old"), {"data": {"unwanted": "no"}})
                except ApiError:
                    return None

            await eventually(mended, PATIENCE_SECONDS)
            await client.delete(widgets(), Key(NAMESPACE, "old"))

    runner.run(scenario())


async def changed(client: Client, hook: HookServer, key: str, version: str = "v1") -> Tree:
    """Until a new custom resource gets a key by the webhooks."""

    async def look() -> Tree | None:
        tree = await make(client, {"start": "yes"}, version)
        return tree if key in tree["data"] else None

    return await eventually(look, PATIENCE_SECONDS)


def test_custom_resources_are_mutated(runner: asyncio.Runner, client: Client, tmp_path: Path) -> None:
    """Rule: behaviour E.7.72

    Conformance: [sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should mutate custom resource [Conformance]
    """

    async def scenario() -> None:
        routes = {"/one": adding("stage-1", where="start"), "/two": adding("stage-2", where="stage-1")}
        async with hook_server(tmp_path, routes) as hook:
            await namespace(client)
            await define(client, DATA, "v1")
            one, two = webhook(hook, "/one", RULES), webhook(hook, "/two", RULES, name="second.example.com")
            await configure(client, MutatingWebhookConfiguration, "ordered", one, two)
            tree = await changed(client, hook, "stage-2")
            assert tree["data"] == {"start": "yes", "stage-1": "yes", "stage-2": "yes"}

    runner.run(scenario())


def test_what_webhooks_add_beyond_the_schema_is_pruned(runner: asyncio.Runner, client: Client, tmp_path: Path) -> None:
    """Rule: behaviour E.7.72, E.7.70

    Conformance: [sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should mutate custom resource with pruning [Conformance]
    """  # noqa: E501
    known = {"start": {"type": "string"}, "stage-1": {"type": "string"}}
    schema = {"type": "object", "properties": {"data": {"type": "object", "properties": known}}}

    async def scenario() -> None:
        routes = {"/one": adding("stage-1", where="start"), "/two": adding("stage-2", where="stage-1")}
        async with hook_server(tmp_path, routes) as hook:
            await namespace(client)
            await define(client, schema, "v1")
            one, two = webhook(hook, "/one", RULES), webhook(hook, "/two", RULES, name="second.example.com")
            await configure(client, MutatingWebhookConfiguration, "ordered", one, two)
            tree = await changed(client, hook, "stage-1")
            assert tree["data"] == {"start": "yes", "stage-1": "yes"}

    runner.run(scenario())


def test_custom_resources_are_mutated_while_their_stored_version_changes(
    runner: asyncio.Runner, client: Client, tmp_path: Path
) -> None:
    """Rule: behaviour E.7.72, E.7.70

    Conformance: [sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should mutate custom resource with different stored version [Conformance]
    """  # noqa: E501

    async def scenario() -> None:
        async with hook_server(tmp_path, {"/one": adding("stage-1", where="start")}) as hook:
            await namespace(client)
            await define(client, OPEN, "v1", "v2")
            await configure(client, MutatingWebhookConfiguration, "one", webhook(hook, "/one", RULES))
            name = (await changed(client, hook, "stage-1"))["metadata"]["name"]
            storage = [{"op": "replace", "path": f"/spec/versions/{i}/storage", "value": i == 1} for i in (0, 1)]
            await client.patch(CustomResourceDefinition, Key("", f"widgets.{GROUP}"), storage, type="json")

            async def stored_anew() -> Tree | None:
                definition = await client.get_tree(CustomResourceDefinition, "", f"widgets.{GROUP}")
                return definition if "v2" in definition["status"]["storedVersions"] else None

            await eventually(stored_anew, PATIENCE_SECONDS)
            tree = await client.patch(widgets(), Key(NAMESPACE, name), {"data": {"other": "value"}})
            assert tree["apiVersion"] == f"{GROUP}/v1"
            assert tree["data"] == {"start": "yes", "stage-1": "yes", "other": "value"}

    runner.run(scenario())


def test_a_webhook_sees_the_version_that_its_rules_name(runner: asyncio.Runner, client: Client, tmp_path: Path) -> None:
    """Rule: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#matching-requests-matchpolicy"""

    async def scenario() -> None:
        async with hook_server(tmp_path, {"/one": adding("stage-1")}) as hook:
            await namespace(client)
            await define(client, OPEN, "v1", "v2")
            rules = [{**RULES[0], "apiVersions": ["v1"]}]
            await configure(client, MutatingWebhookConfiguration, "one", webhook(hook, "/one", rules, matchPolicy="Equivalent"))
            tree = await changed(client, hook, "stage-1", "v2")
            assert (tree["apiVersion"], tree["data"]) == (f"{GROUP}/v2", {"start": "yes", "stage-1": "yes"})
            asked = hook.requests("/one")[-1]
            assert asked["kind"] == {"group": GROUP, "version": "v1", "kind": "Widget"}
            assert asked["requestKind"] == {"group": GROUP, "version": "v2", "kind": "Widget"}
            assert asked["object"]["apiVersion"] == f"{GROUP}/v1"

    runner.run(scenario())


def test_match_conditions_say_what_a_webhook_is_asked_about(runner: asyncio.Runner, client: Client, tmp_path: Path) -> None:
    """Rule: KEP-3716

    Conformance: [sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should mutate everything except 'skip-me' configmaps [Conformance]
    """  # noqa: E501
    condition = {"name": "skip-me", "expression": "object.metadata.name != 'skip-me'"}

    async def scenario() -> None:
        async with hook_server(tmp_path, {"/add": adding("added")}) as hook:
            await namespace(client)
            await configure(
                client, MutatingWebhookConfiguration, "skipping", webhook(hook, "/add", CONFIG_MAPS, matchConditions=[condition])
            )
            numbers = iter(range(1000))

            async def look() -> Tree | None:
                metadata = {"name": f"m-{next(numbers)}", "namespace": NAMESPACE}
                tree = await client.create(ConfigMap, {"metadata": metadata})
                return tree if "data" in tree else None

            assert (await eventually(look, PATIENCE_SECONDS))["data"] == {"added": "yes"}
            tree = await client.create(ConfigMap, {"metadata": {"name": "skip-me", "namespace": NAMESPACE}})
            assert "data" not in tree

    runner.run(scenario())
