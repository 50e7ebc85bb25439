"""Reinvocation, failure policies, dry runs, warnings, subresources and metrics of admission webhooks."""

import asyncio
from pathlib import Path

import pytest

from kube.api.meta import Key, Tree
from kube.api.status import ApiError
from kube.api.types import (
    ConfigMap,
    Deployment,
    MutatingWebhookConfiguration,
    Node,
    Pod,
    ServiceAccount,
    ValidatingWebhookConfiguration,
)
from kube.client.rest import Client
from tests.component.apiserver_webhooks.hook_server import HookServer, hook_server, review_answer
from tests.component.apiserver_webhooks.hooked import (
    CONFIG_MAPS,
    NAMESPACE,
    PATIENCE_SECONDS,
    adding,
    allow,
    config_map,
    configure,
    hang,
    namespace,
    webhook,
)
from tests.wait import eventually


async def counting(client: Client, hook: HookServer) -> None:
    """Until the webhooks are asked about config maps."""

    async def look() -> bool:
        before = len(hook.asked)
        await client.create(ConfigMap, {"metadata": {"generateName": "m-", "namespace": NAMESPACE}})
        return len(hook.asked) > before

    await eventually(look, PATIENCE_SECONDS)


def test_a_webhook_is_asked_again_where_a_later_one_changed_the_object(
    runner: asyncio.Runner, client: Client, tmp_path: Path
) -> None:
    """Rule: behaviour E.7.72 (re-invoked at most once if IfNeeded)"""

    async def scenario() -> None:
        routes = {"/never": allow, "/early": adding("early", where="late"), "/late": adding("late")}
        async with hook_server(tmp_path, routes) as hook:
            await namespace(client)
            again: Tree = {"reinvocationPolicy": "IfNeeded"}
            never = webhook(hook, "/never", name="never.example.com")
            early = webhook(hook, "/early", name="early.example.com", **again)
            late = webhook(hook, "/late", name="late.example.com", **again)
            await configure(client, MutatingWebhookConfiguration, "w", never, early, late)
            await counting(client, hook)
            hook.asked.clear()
            tree = await config_map(client, "seen")
            assert tree["data"] == {"late": "yes", "early": "yes"}
            assert [where for where, _ in hook.asked] == ["/never", "/early", "/late", "/early", "/late"]

    runner.run(scenario())


def test_a_failure_may_be_ignored(runner: asyncio.Runner, client: Client, tmp_path: Path) -> None:
    """Rule: failurePolicy Ignore"""

    async def unsure(review: Tree) -> Tree:
        return {**review_answer(review), "response": {"uid": "another", "allowed": False}}

    async def scenario() -> None:
        async with hook_server(tmp_path, {"/hang": hang, "/unsure": unsure}) as hook:
            await namespace(client)
            more: Tree = {"timeoutSeconds": 1, "failurePolicy": "Ignore"}
            await configure(client, MutatingWebhookConfiguration, "hanging", webhook(hook, "/hang", **more))
            await configure(client, ValidatingWebhookConfiguration, "unsure", webhook(hook, "/unsure", **more))
            await counting(client, hook)
            metrics = (await client.request("GET", "/metrics")).body.decode()
            assert 'apiserver_admission_webhook_fail_open_count{name="w.example.com",type="validating"}' in metrics
            await client.patch(
                ValidatingWebhookConfiguration,
                Key("", "unsure"),
                [{"op": "replace", "path": "/webhooks/0/failurePolicy", "value": "Fail"}],
                type="json",
            )

            async def refused() -> str:
                with pytest.raises(ApiError) as error:
                    await client.create(ConfigMap, {"metadata": {"generateName": "m-", "namespace": NAMESPACE}})
                return error.value.message

            why = 'received invalid webhook response: expected response.uid="'
            text = await eventually(refused, PATIENCE_SECONDS)
            assert text.startswith(f'Internal error occurred: failed calling webhook "w.example.com": {why}')

    runner.run(scenario())


def test_warnings_reach_the_client(runner: asyncio.Runner, client: Client, tmp_path: Path) -> None:
    """Rule: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#response (warnings)"""

    async def warn(review: Tree) -> Tree:
        return review_answer(review, warnings=["this is old"])

    async def scenario() -> None:
        async with hook_server(tmp_path, {"/warn": warn}) as hook:
            await namespace(client)
            await configure(client, ValidatingWebhookConfiguration, "w", webhook(hook, "/warn"))
            await counting(client, hook)
            body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "warned"}}
            answer = await client.request("POST", f"/api/v1/namespaces/{NAMESPACE}/configmaps", body=body)
            assert answer.headers["Warning"] == '299 - "this is old"'

    runner.run(scenario())


def test_subresources_are_asked_about_with_their_own_kinds(runner: asyncio.Runner, client: Client, tmp_path: Path) -> None:
    """Rule: behaviour E.7.72 (rules by subresource)"""
    everything = [{**CONFIG_MAPS[0], "apiGroups": ["*"], "operations": ["*"], "apiVersions": ["*"], "resources": ["*/*"]}]

    async def halve(review: Tree) -> Tree:
        request = review["request"]
        if request.get("subResource") != "scale":
            return review_answer(review)
        replicas = request["object"]["spec"]["replicas"]
        return review_answer(review, patch=[{"op": "replace", "path": "/spec/replicas", "value": replicas // 2}])

    async def scenario() -> None:
        async with hook_server(tmp_path, {"/see": halve}) as hook:
            await namespace(client)
            await configure(client, MutatingWebhookConfiguration, "w", webhook(hook, "/see", everything))
            await counting(client, hook)
            hook.asked.clear()
            account = {"metadata": {"name": "default", "namespace": NAMESPACE}}
            await client.create(ServiceAccount, account)
            template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
            spec = {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": template}
            where = {"name": "d", "namespace": NAMESPACE}
            await client.create(Deployment, {"metadata": where, "spec": spec})
            scaled = await client.patch(Deployment, Key(NAMESPACE, "d"), {"spec": {"replicas": 8}}, subresource="scale")
            assert scaled["spec"]["replicas"] == 4
            assert (await client.get_tree(Deployment, NAMESPACE, "d"))["spec"]["replicas"] == 4
            await client.patch_status(Deployment, Key(NAMESPACE, "d"), {"replicas": 3})
            with pytest.raises(ApiError, match="no key to sign service account tokens with"):  # after admission
                await client.create_subresource(ServiceAccount, Key(NAMESPACE, "default"), "token", {"spec": {}})
            await client.create(Node, {"metadata": {"name": "n"}})
            await client.create(Pod, {"metadata": {"name": "p", "namespace": NAMESPACE}, "spec": template["spec"]})
            binding = {"metadata": {"name": "p"}, "target": {"kind": "Node", "name": "n"}}
            await client.create_subresource(Pod, Key(NAMESPACE, "p"), "binding", binding)
            await client.create_subresource(Pod, Key(NAMESPACE, "p"), "eviction", {"metadata": {"name": "p"}})
            asked = {
                f"{one['resource']['resource']}/{one['subResource']}": (one["operation"], one["kind"]["kind"])
                for one in hook.requests("/see")
                if one.get("subResource")
            }
            assert asked == {
                "deployments/scale": ("UPDATE", "Scale"),
                "deployments/status": ("UPDATE", "Deployment"),
                "serviceaccounts/token": ("CREATE", "TokenRequest"),
                "pods/binding": ("CREATE", "Binding"),
                "pods/eviction": ("CREATE", "Eviction"),
            }

    runner.run(scenario())


def test_every_object_of_a_collection_is_asked_about(runner: asyncio.Runner, client: Client, tmp_path: Path) -> None:
    """Without a name: the request names none.

    Rule: deletecollection asks for each object
    """

    async def scenario() -> None:
        async with hook_server(tmp_path, {"/seen": allow}) as hook:
            await namespace(client)
            rules = [{**CONFIG_MAPS[0], "operations": ["CREATE", "DELETE"]}]
            await configure(client, ValidatingWebhookConfiguration, "w", webhook(hook, "/seen", rules))
            await counting(client, hook)
            hook.asked.clear()
            path = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
            await client.request("DELETE", path)
            asked = hook.requests("/seen")
            assert asked
            assert all(one["operation"] == "DELETE" and "name" not in one for one in asked)

    runner.run(scenario())
