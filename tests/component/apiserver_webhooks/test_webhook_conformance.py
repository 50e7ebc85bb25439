"""What the official conformance suite asks of admission webhooks, but for custom resources (test_webhook_custom_resources.py)."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from kube.api.meta import Key, Tree
from kube.api.resource import Resource
from kube.api.status import ApiError
from kube.api.types import ConfigMap, MutatingWebhookConfiguration, Pod, ServiceAccount, ValidatingWebhookConfiguration
from kube.client.rest import Client
from tests.component.apiserver_webhooks.hook_server import hook_server, review_answer
from tests.component.apiserver_webhooks.hooked import (
    CONFIG_MAPS,
    NAMESPACE,
    PATIENCE_SECONDS,
    adding,
    config_map,
    configure,
    deny,
    hang,
    namespace,
    webhook,
)  # fmt: skip
from tests.component.conftest import RunningApi
from tests.wait import eventually

CRDS = Resource("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", namespaced=False)
UNWANTED = {"webhook-e2e-test": "webhook-disallow"}
ACCEPTED = {"webhook-e2e-test": "webhook-accept"}
ADMISSION_GROUP = "admissionregistration.k8s.io"
SLOW_SECONDS = 1.5


async def judge(review: Tree) -> Tree:
    """Refuses config maps with an unwanted value, and pods with an unwanted label or container; never answers about others."""
    tree = review["request"]["object"]
    if tree["kind"] == "ConfigMap":
        bad = (tree.get("data") or {}) | UNWANTED == (tree.get("data") or {})
        return _answer(review, "the configmap contains unwanted key and value" if bad else "")
    if tree["metadata"].get("labels") == UNWANTED:
        return _answer(review, "the pod contains unwanted label")
    container = tree["spec"]["containers"][0]["name"]
    return await hang(review) if container == "hang" else _answer(review, "")


def _answer(review: Tree, why: str) -> Tree:
    return review_answer(review, allowed=False, status={"message": why}) if why else review_answer(review)


@contextmanager
def denied(text: str) -> Iterator[None]:
    with pytest.raises(ApiError) as error:
        yield
    assert text in error.value.message


def pod(name: str, container: str = "c", **labels: str) -> Tree:
    metadata: Tree = {"name": name, "namespace": NAMESPACE, "labels": labels}
    return {"metadata": metadata, "spec": {"containers": [{"name": container, "image": "i"}]}}


async def counts(client: Client, look: Callable[[Tree | ApiError], bool]) -> None:
    """Wait until what becomes of a new config map is as `look` wants it."""

    async def once() -> bool:
        try:
            tree = await client.create(ConfigMap, {"metadata": {"generateName": "m-", "namespace": NAMESPACE}, "data": UNWANTED})
        except ApiError as error:
            return look(error)
        return look(tree)

    await eventually(once, PATIENCE_SECONDS)


def is_denied(what: Tree | ApiError) -> bool:
    return isinstance(what, ApiError) and "denied the request" in what.message


def is_plain(what: Tree | ApiError) -> bool:
    return not isinstance(what, ApiError) and what["data"] == UNWANTED


def is_changed(what: Tree | ApiError) -> bool:
    return not isinstance(what, ApiError) and what["data"] != UNWANTED


def test_pods_and_config_maps_are_denied_on_create_update_and_patch(runner: asyncio.Runner, client: Client, tmp_path: Path) -> None:
    """Rule: behaviour E.7.72

    Conformance: [sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should be able to deny pod and configmap creation [Conformance]
    """  # noqa: E501
    where = Key(NAMESPACE, "fine")

    async def scenario() -> None:
        async with hook_server(tmp_path, {"/judge": judge}) as hook:
            await namespace(client)
            await namespace(client, "exempted", webhooks="no")
            await client.create(ServiceAccount, {"metadata": {"name": "default", "namespace": NAMESPACE}})
            rules = [{**CONFIG_MAPS[0], "operations": ["CREATE", "UPDATE"], "resources": ["pods", "configmaps"]}]
            await configure(client, ValidatingWebhookConfiguration, "judge", webhook(hook, "/judge", rules, timeoutSeconds=1))
            await counts(client, is_denied)
            with denied('admission webhook "w.example.com" denied the request: the pod contains unwanted label'):
                await client.create(Pod, pod("disallowed", **UNWANTED))
            with denied('failed calling webhook "w.example.com": failed to call webhook: Post "https://127.0.0.1:'):
                await client.create(Pod, pod("hanging", "hang"))
            with denied("context deadline exceeded"):
                await client.create(Pod, pod("hanging", "hang"))
            tree = await config_map(client, "fine", ACCEPTED)
            with denied("the configmap contains unwanted key and value"):
                await client.update(ConfigMap, {**tree, "data": UNWANTED})
            with denied("the configmap contains unwanted key and value"):
                await client.patch(ConfigMap, where, {"data": UNWANTED})
            await config_map(client, "allowed", UNWANTED, where="exempted")

    runner.run(scenario())


def test_attaching_to_a_pod_can_be_denied(runner: asyncio.Runner, apiserver: RunningApi, client: Client, tmp_path: Path) -> None:
    """Rule: behaviour E.7.72 (pods/attach)

    Conformance: [sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should be able to deny attaching pod [Conformance]
    """

    async def scenario() -> None:
        async with hook_server(tmp_path, {"/deny": deny}) as hook:
            await namespace(client)
            await client.create(ServiceAccount, {"metadata": {"name": "default", "namespace": NAMESPACE}})
            await client.create(Pod, pod("attached"))
            rules = [{**CONFIG_MAPS[0], "operations": ["CONNECT"], "resources": ["pods/attach"]}]
            await configure(client, ValidatingWebhookConfiguration, "attach", webhook(hook, "/deny", rules))

            async def attach() -> ApiError:
                headers = {"Connection": "Upgrade", "Upgrade": "SPDY/3.1"}
                path = f"/api/v1/namespaces/{NAMESPACE}/pods/attached/attach"
                with pytest.raises(ApiError) as error:
                    await client.request("POST", path, params={"stdout": True, "container": "c"}, headers=headers)
                return error.value

            async def look() -> bool:
                return "denied the request: this is forbidden" in (await attach()).message

            await eventually(look, PATIENCE_SECONDS)
            (asked, *_) = hook.requests("/deny")
            assert (asked["operation"], asked["subResource"], asked["name"]) == ("CONNECT", "attach", "attached")
            assert asked["kind"] == {"group": "", "version": "v1", "kind": "PodAttachOptions"}
            assert asked["object"] == {"kind": "PodAttachOptions", "apiVersion": "v1", "stdout": True, "container": "c"}
            assert (asked["options"], asked["oldObject"]) == (None, None)

    runner.run(scenario())


def test_a_custom_resource_definition_can_be_denied(runner: asyncio.Runner, client: Client, tmp_path: Path) -> None:
    """Rule: behaviour E.7.72

    Conformance: [sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should deny crd creation [Conformance]
    """
    schema = {"openAPIV3Schema": {"type": "object"}}
    spec = {
        "group": "example.com",
        "scope": "Cluster",
        "names": {"plural": "things", "kind": "Thing", "singular": "thing", "listKind": "ThingList"},
        "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
    }
    crd = {"metadata": {"name": "things.example.com", "labels": {"unwanted": "yes"}}, "spec": spec}

    async def scenario() -> None:
        async with hook_server(tmp_path, {"/deny": deny}) as hook:
            rule = {"operations": ["CREATE"], "apiGroups": [CRDS.group], "apiVersions": ["*"], "resources": [CRDS.plural]}
            more: Tree = {"namespaceSelector": {}, "objectSelector": {"matchLabels": {"unwanted": "yes"}}}
            await configure(client, ValidatingWebhookConfiguration, "crds", webhook(hook, "/deny", [rule], **more))

            async def look() -> bool:
                try:
                    await client.create(CRDS, crd, params={"dryRun": "All"})
                except ApiError as error:
                    return "denied the request: this is forbidden" in error.message
                return False

            await eventually(look, PATIENCE_SECONDS)
            with denied("denied the request: this is forbidden"):
                await client.create(CRDS, crd)

    runner.run(scenario())


def test_timeouts_are_honoured(runner: asyncio.Runner, client: Client, tmp_path: Path) -> None:
    """Rule: behaviour E.7.72 (timeout, failurePolicy)

    Conformance: [sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should honor timeout [Conformance]
    """

    async def slow(review: Tree) -> Tree:
        waiting = asyncio.Event()
        asyncio.get_running_loop().call_later(SLOW_SECONDS, waiting.set)
        await waiting.wait()
        return review_answer(review)

    async def scenario() -> None:
        async with hook_server(tmp_path, {"/slow": slow}) as hook:
            await namespace(client)
            for number, (seconds, policy) in enumerate(((1, "Fail"), (1, "Ignore"), (10, "Fail"))):
                name, chosen = f"slow-{number}", {"matchLabels": {"case": str(number)}}
                more: Tree = {"timeoutSeconds": seconds, "failurePolicy": policy, "objectSelector": chosen}
                await configure(client, ValidatingWebhookConfiguration, name, webhook(hook, "/slow", **more))

            async def made(number: int) -> Tree:
                metadata = {"generateName": "m-", "namespace": NAMESPACE, "labels": {"case": str(number)}}
                return await client.create(ConfigMap, {"metadata": metadata})

            async def look() -> bool:
                try:
                    await made(0)
                except ApiError as error:
                    return "context deadline exceeded" in error.message and "?timeout=1s" in error.message
                return False

            await eventually(look, PATIENCE_SECONDS)
            await made(1)
            await made(2)

    runner.run(scenario())


def test_webhook_resources_are_discovered(runner: asyncio.Runner, client: Client) -> None:
    """Rule: behaviour E.7.77

    Conformance: [sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should include webhook resources in discovery documents [Conformance]
    """  # noqa: E501

    async def scenario() -> None:
        async def got(path: str) -> Tree:
            return (await client.request("GET", path)).tree()

        groups = {one["name"]: one for one in (await got("/apis"))["groups"]}
        version = {"groupVersion": f"{ADMISSION_GROUP}/v1", "version": "v1"}
        assert version in groups[ADMISSION_GROUP]["versions"]
        assert version in (await got(f"/apis/{ADMISSION_GROUP}"))["versions"]
        names = {one["name"] for one in (await got(f"/apis/{ADMISSION_GROUP}/v1"))["resources"]}
        assert {"mutatingwebhookconfigurations", "validatingwebhookconfigurations"} <= names

    runner.run(scenario())


def test_a_webhook_that_cannot_be_called_and_fails_closed_refuses_everything(
    runner: asyncio.Runner, client: Client, tmp_path: Path
) -> None:
    """Rule: behaviour E.7.72 (failurePolicy Fail)

    Conformance: [sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should unconditionally reject operations on fail closed webhook [Conformance]
    """  # noqa: E501

    async def scenario() -> None:
        async with hook_server(tmp_path, {"/deny": deny}) as hook:
            await namespace(client)
            config = {"url": hook.config("/deny")["url"]}  # its authority is nobody's
            await configure(client, ValidatingWebhookConfiguration, "closed", webhook(hook, "/deny", clientConfig=config))
            text = 'Internal error occurred: failed calling webhook "w.example.com": failed to call webhook: Post "https://127'
            await counts(client, lambda what: isinstance(what, ApiError) and what.message.startswith(text))
            with pytest.raises(ApiError) as error:
                await config_map(client, "any")
            assert (error.value.code, error.value.reason) == (500, "InternalError")
            assert error.value.message.endswith("x509: certificate signed by unknown authority")
            assert hook.asked == []

    runner.run(scenario())


def test_webhook_configurations_are_no_webhooks_business(runner: asyncio.Runner, client: Client, tmp_path: Path) -> None:
    """Rule: behaviour E.7.72

    Conformance: [sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should not be able to mutate or prevent deletion of webhook configuration objects [Conformance]
    """  # noqa: E501
    everything = [{"operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"]}]

    async def scenario() -> None:
        async with hook_server(tmp_path, {"/deny": deny, "/label": adding("changed")}) as hook:
            await namespace(client)
            more: Tree = {"namespaceSelector": {}, "objectSelector": {"matchLabels": {"touched": "yes"}}}
            await configure(client, ValidatingWebhookConfiguration, "deny", webhook(hook, "/deny", everything, **more))
            await configure(client, MutatingWebhookConfiguration, "label", webhook(hook, "/label", everything, **more))

            async def look() -> bool:
                metadata = {"generateName": "m-", "namespace": NAMESPACE, "labels": {"touched": "yes"}}
                try:
                    await client.create(ConfigMap, {"metadata": metadata})
                except ApiError as error:
                    return "denied" in error.message
                return False

            await eventually(look, PATIENCE_SECONDS)
            before = len(hook.asked)
            for kind in (ValidatingWebhookConfiguration, MutatingWebhookConfiguration):
                tree = {"metadata": {"name": "removable", "labels": {"touched": "yes"}}}
                made = await client.create(kind, tree)
                assert "data" not in made
                await client.delete(kind, Key("", "removable"))
            assert len(hook.asked) == before

    runner.run(scenario())


@pytest.mark.parametrize(
    ("kind", "path", "applies"),
    [(ValidatingWebhookConfiguration, "/deny", is_denied), (MutatingWebhookConfiguration, "/add", is_changed)],
)
def test_listed_webhooks_are_all_there_and_go_together(
    runner: asyncio.Runner, client: Client, tmp_path: Path, kind: type[Any], path: str, applies: Callable[[Tree | ApiError], bool]
) -> None:
    """Rule: behaviour E.7.72

    Conformance: [sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] listing mutating webhooks should work [Conformance]
    Conformance: [sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] listing validating webhooks should work [Conformance]
    """  # noqa: E501

    async def scenario() -> None:
        async with hook_server(tmp_path, {"/deny": deny, "/add": adding("added")}) as hook:
            await namespace(client)
            for number in range(10):
                await configure(client, kind, f"w-{number}", webhook(hook, path), listed="yes")
            group = f"/apis/{ADMISSION_GROUP}/v1"
            where = f"{group}/{kind.__name__.lower()}s"
            listed = (await client.request("GET", where, params={"labelSelector": "listed=yes"})).tree()
            assert len(listed["items"]) == 10
            await counts(client, applies)
            await client.request("DELETE", where, params={"labelSelector": "listed=yes"})
            await counts(client, is_plain)

    runner.run(scenario())


@pytest.mark.parametrize(
    ("kind", "path", "applies"),
    [(ValidatingWebhookConfiguration, "/deny", is_denied), (MutatingWebhookConfiguration, "/add", is_changed)],
)
def test_updates_and_patches_of_webhooks_count(
    runner: asyncio.Runner, client: Client, tmp_path: Path, kind: type[Any], path: str, applies: Callable[[Tree | ApiError], bool]
) -> None:
    """Rule: behaviour E.7.72 (config changes effective in about a second)

    Conformance: [sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] patching/updating a mutating webhook should work [Conformance]
    Conformance: [sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] patching/updating a validating webhook should work [Conformance]
    """  # noqa: E501

    async def scenario() -> None:
        async with hook_server(tmp_path, {"/deny": deny, "/add": adding("added")}) as hook:
            await namespace(client)
            await configure(client, kind, "w", webhook(hook, path))
            await counts(client, applies)
            tree = await client.get_tree(kind, "", "w")
            tree["webhooks"][0]["rules"][0]["operations"] = ["UPDATE"]
            await client.update(kind, tree)
            await counts(client, is_plain)
            operations = [{"op": "replace", "path": "/webhooks/0/rules/0/operations", "value": ["CREATE"]}]
            await client.patch(kind, Key("", "w"), operations, type="json")
            await counts(client, applies)

    runner.run(scenario())


@pytest.mark.parametrize("kind", [ValidatingWebhookConfiguration, MutatingWebhookConfiguration])
def test_match_conditions_are_kept(runner: asyncio.Runner, client: Client, tmp_path: Path, kind: type[Any]) -> None:
    """Rule: KEP-3716

    Conformance: [sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should be able to create and update mutating webhook configurations with match conditions [Conformance]
    Conformance: [sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should be able to create and update validating webhook configurations with match conditions [Conformance]
    """  # noqa: E501
    first = [{"name": "expression-1", "expression": "true"}]
    second = [{"name": "expression-1", "expression": "object.metadata.namespace == 'production'"}]

    async def scenario() -> None:
        async with hook_server(tmp_path, {}) as hook:
            await configure(client, kind, "w", webhook(hook, "/", matchConditions=first))
            tree = await client.get_tree(kind, "", "w")
            assert tree["webhooks"][0]["matchConditions"] == first
            tree["webhooks"][0]["matchConditions"] = second
            await client.update(kind, tree)
            assert (await client.get_tree(kind, "", "w"))["webhooks"][0]["matchConditions"] == second

    runner.run(scenario())
