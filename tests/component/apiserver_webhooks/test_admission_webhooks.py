"""Admission webhooks, as the official conformance suite asks about them: a real webhook server over TLS in the test process."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kube.api.meta import Key, Tree
from kube.api.status import ApiError, UnknownError
from kube.api.types import ConfigMap, MutatingWebhookConfiguration, Namespace, Pod, ServiceAccount, ValidatingWebhookConfiguration
from kube.client.rest import Client
from tests.component.apiserver_webhooks.hook_server import HookServer, Respond, hook_server, review_answer
from tests.wait import eventually

PATIENCE_SECONDS = 5.0
CONFIG_MAPS = [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"]}]
MARKED = {"matchLabels": {"webhooks": "yes"}}  # on the test's namespaces
NAMESPACE = "hooked"


async def namespace(client: Client, name: str = NAMESPACE, **labels: str) -> None:
    await client.create(Namespace, {"metadata": {"name": name, "labels": labels or {"webhooks": "yes"}}})


def webhook(hook: HookServer, path: str, rules: Iterable[Tree] = CONFIG_MAPS, name: str = "w.example.com", **more: Any) -> Tree:
    """One webhook of a configuration."""
    return {
        "name": name,
        "clientConfig": hook.config(path),
        "rules": list(rules),
        "sideEffects": "None",
        "admissionReviewVersions": ["v1", "v1beta1"],
        "namespaceSelector": MARKED,
        **more,
    }


async def configure(client: Client, kind: type[Any], name: str, *webhooks: Tree, **labels: str) -> None:
    await client.create(kind, {"metadata": {"name": name, "labels": labels}, "webhooks": list(webhooks)})


async def config_map(client: Client, name: str, data: dict[str, str] | None = None, where: str = NAMESPACE) -> Tree:
    return await client.create(ConfigMap, {"metadata": {"name": name, "namespace": where}, "data": data or {}})


async def effective(client: Client, change: Any) -> Tree:
    """Until a new config map looks as `change` wants it: configurations count within a second."""
    numbers = iter(range(1000))

    async def look() -> Tree | None:
        tree = await config_map(client, f"marker-{next(numbers)}", {"marker": "yes"})
        return tree if change(tree) else None

    return await eventually(look, PATIENCE_SECONDS)


async def allow(review: Tree) -> Tree:
    return review_answer(review)


async def deny(review: Tree) -> Tree:
    return review_answer(review, allowed=False, status={"message": "this is forbidden", "reason": "Forbidden", "code": 403})


async def hang(review: Tree) -> Tree:
    await asyncio.Event().wait()
    return {}


def adding(key: str, value: str = "yes", where: str = "") -> Respond:
    """A webhook that puts a key into a config map's data (if it has the key `where`)."""

    async def respond(review: Tree) -> Tree:
        data = review["request"]["object"].get("data") or {}
        if where and where not in data:
            return review_answer(review)
        patch = [] if "data" in review["request"]["object"] else [{"op": "add", "path": "/data", "value": {}}]
        return review_answer(review, patch=[*patch, {"op": "add", "path": f"/data/{key}", "value": value}])

    return respond


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
            refused = await _refused(client)
            assert refused.message == 'admission webhook "w.example.com" denied the request: this is forbidden'
            assert (refused.code, refused.reason) == (403, "Forbidden")
            await client.delete(ValidatingWebhookConfiguration, Key("", "deny"))
            await configure(client, ValidatingWebhookConfiguration, "plain", webhook(hook, "/plain"))

            async def look() -> bool:
                refused = await _refused(client)
                return refused.message == 'admission webhook "w.example.com" denied the request without explanation'

            await eventually(look, PATIENCE_SECONDS)
            refused = await _refused(client)
            assert isinstance(refused, UnknownError) or refused.code == 400

    runner.run(scenario())


async def _refused(client: Client) -> ApiError:
    """Until a config map is refused."""

    async def look() -> ApiError | None:
        try:
            await client.create(ConfigMap, {"metadata": {"generateName": "m-", "namespace": NAMESPACE}})
        except ApiError as error:
            return error
        return None

    return await eventually(look, PATIENCE_SECONDS)


def test_defaults_are_set_again_after_a_mutation(runner: asyncio.Runner, client: Client, tmp_path: Path) -> None:
    """Rule: behaviour E.7.72

    Conformance: [sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should mutate pod and apply defaults after
    mutation [Conformance]
    """

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
