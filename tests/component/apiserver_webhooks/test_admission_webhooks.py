"""Admission webhooks, as the official conformance suite asks about them: a real webhook server over TLS in the test process."""

import asyncio
from pathlib import Path

from kube.api.meta import Key, Tree
from kube.api.types import ConfigMap, MutatingWebhookConfiguration, Pod, ServiceAccount, ValidatingWebhookConfiguration
from kube.client.rest import Client
from tests.component.apiserver_webhooks.hook_server import HookServer, hook_server, review_answer
from tests.component.apiserver_webhooks.hooked import (
    CONFIG_MAPS,
    NAMESPACE,
    PATIENCE_SECONDS,
    adding,
    allow,
    configure,
    deny,
    namespace,
    refused,
    webhook,
)  # fmt: skip
from tests.wait import eventually


def test_webhooks_mutate_in_order_and_each_sees_what_those_before_it_did(
    runner: asyncio.Runner, client: Client, tmp_path: Path
) -> None:
    """Rule: behaviour E.7.72

    Conformance: [sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should mutate configmap [Conformance]
    """

    async def scenario() -> None:
        routes = {"/one": adding("stage-1", where="start"), "/two": adding("stage-2", where="stage-1")}
        async with hook_server(tmp_path, routes) as hook:
            await namespace(client)
            one, two = webhook(hook, "/one"), webhook(hook, "/two", name="second.example.com")
            await configure(client, MutatingWebhookConfiguration, "ordered", one, two)

            async def look() -> Tree | None:
                tree = await client.create(
                    ConfigMap, {"metadata": {"generateName": "m-", "namespace": NAMESPACE}, "data": {"start": "yes"}}
                )
                return tree if len(tree["data"]) > 1 else None

            tree = await eventually(look, PATIENCE_SECONDS)
            assert tree["data"] == {"start": "yes", "stage-1": "yes", "stage-2": "yes"}

    runner.run(scenario())


def test_the_review_says_all_about_the_request(runner: asyncio.Runner, client: Client, tmp_path: Path) -> None:
    """Rule: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#request"""

    async def scenario() -> None:
        async with hook_server(tmp_path, {"/allow": allow}) as hook:
            await namespace(client)
            rules = [{**CONFIG_MAPS[0], "operations": ["*"]}]
            await configure(client, ValidatingWebhookConfiguration, "all", webhook(hook, "/allow", rules))
            await eventually(lambda: _asked(client, hook), PATIENCE_SECONDS)
            before = len(hook.asked)
            await client.create(
                ConfigMap, {"metadata": {"name": "a", "namespace": NAMESPACE}}, params={"fieldManager": "me", "dryRun": "All"}
            )
            await client.create(ConfigMap, {"metadata": {"name": "a", "namespace": NAMESPACE}})
            await client.patch(ConfigMap, Key(NAMESPACE, "a"), {"data": {"b": "c"}})
            await client.delete(ConfigMap, Key(NAMESPACE, "a"))
            dry, create, update, delete = (body["request"] for _, body in hook.asked[before:])
            assert hook.asked[-1][1]["apiVersion"] == "admission.k8s.io/v1"
            assert (dry["dryRun"], create["dryRun"]) == (True, False)
            expected = {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1", "dryRun": ["All"], "fieldManager": "me"}
            assert dry["options"] == expected
            kind = {"group": "", "version": "v1", "kind": "ConfigMap"}
            resource = {"group": "", "version": "v1", "resource": "configmaps"}
            for one, operation in ((create, "CREATE"), (update, "UPDATE"), (delete, "DELETE")):
                assert (one["kind"], one["requestKind"], one["resource"], one["requestResource"]) == (
                    kind,
                    kind,
                    resource,
                    resource,
                )
                assert (one["operation"], one["name"], one["namespace"]) == (operation, "a", NAMESPACE)
                assert one["userInfo"]["username"] == "admin"
                assert "system:masters" in one["userInfo"]["groups"]
                assert one["options"]["kind"] == operation.title() + "Options"
            assert create["oldObject"] is None
            assert create["object"]["metadata"]["uid"]
            assert (update["oldObject"].get("data"), update["object"]["data"]) == (None, {"b": "c"})
            assert delete["object"] is None
            assert delete["oldObject"]["data"] == {"b": "c"}
            assert len({dry["uid"], create["uid"], update["uid"], delete["uid"]}) == 4

    async def _asked(client: Client, hook: HookServer) -> bool:
        await client.create(ConfigMap, {"metadata": {"generateName": "m-", "namespace": NAMESPACE}})
        return bool(hook.asked)

    runner.run(scenario())


def test_a_refusal_is_the_webhooks_own_status_with_its_name(runner: asyncio.Runner, client: Client, tmp_path: Path) -> None:
    """Rule: apiserver pkg/admission/plugin/webhook/errors/statuserror.go"""

    async def plain(review: Tree) -> Tree:
        return review_answer(review, allowed=False)

    async def scenario() -> None:
        async with hook_server(tmp_path, {"/deny": deny, "/plain": plain}) as hook:
            await namespace(client)
            await configure(client, ValidatingWebhookConfiguration, "deny", webhook(hook, "/deny"))
            error = await refused(client)
            assert error.message == 'admission webhook "w.example.com" denied the request: this is forbidden'
            assert (error.code, error.reason) == (403, "Forbidden")
            await client.delete(ValidatingWebhookConfiguration, Key("", "deny"))
            await configure(client, ValidatingWebhookConfiguration, "plain", webhook(hook, "/plain"))

            async def look() -> bool:
                error = await refused(client)
                return error.message == 'admission webhook "w.example.com" denied the request without explanation'

            await eventually(look, PATIENCE_SECONDS)
            assert (await refused(client)).code == 400

    runner.run(scenario())


def test_defaults_are_set_again_after_a_mutation(runner: asyncio.Runner, client: Client, tmp_path: Path) -> None:
    """Rule: behaviour E.7.72

    Conformance: [sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should mutate pod and apply defaults after mutation [Conformance]
    """  # noqa: E501

    async def respond(review: Tree) -> Tree:
        added = {"name": "webhook-added-init-container", "image": "webhook-added-image", "resources": {}}
        return review_answer(review, patch=[{"op": "add", "path": "/spec/initContainers", "value": [added]}])

    async def scenario() -> None:
        async with hook_server(tmp_path, {"/mutate": respond}) as hook:
            await namespace(client)
            rules = [{**CONFIG_MAPS[0], "resources": ["pods"]}]
            await configure(client, MutatingWebhookConfiguration, "pods", webhook(hook, "/mutate", rules))
            spec = {"containers": [{"name": "c", "image": "i"}], "serviceAccountName": "default"}
            await client.create(ServiceAccount, {"metadata": {"name": "default", "namespace": NAMESPACE}})

            async def look() -> Tree | None:
                pod = await client.create(Pod, {"metadata": {"generateName": "p-", "namespace": NAMESPACE}, "spec": spec})
                return pod if pod["spec"].get("initContainers") else None

            pod = await eventually(look, PATIENCE_SECONDS)
            (init,) = pod["spec"]["initContainers"]
            assert init["name"] == "webhook-added-init-container"
            assert init["terminationMessagePolicy"] == "File"

    runner.run(scenario())
