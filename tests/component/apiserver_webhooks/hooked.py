"""What tests of admission webhooks do: a marked namespace, configurations, plain webhooks, waiting until one counts."""

import asyncio
from collections.abc import Iterable
from typing import Any

from kube.api.meta import Tree
from kube.api.status import ApiError
from kube.api.types import ConfigMap, Namespace
from kube.client.rest import Client
from tests.component.apiserver_webhooks.hook_server import HookServer, Respond, review_answer
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


async def refused(client: Client) -> ApiError:
    """Until a config map is refused."""

    async def look() -> ApiError | None:
        try:
            await client.create(ConfigMap, {"metadata": {"generateName": "m-", "namespace": NAMESPACE}})
        except ApiError as error:
            return error
        return None

    return await eventually(look, PATIENCE_SECONDS)
