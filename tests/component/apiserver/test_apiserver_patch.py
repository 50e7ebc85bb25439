"""PATCH: its four types, races, and server-side apply over HTTP."""

import asyncio
from typing import Any

import pytest

from kube.api.meta import Key, Tree
from kube.api.resources import resource_for
from kube.api.status import BadRequest, Conflict, Invalid, TooLarge, UnsupportedMediaType
from kube.client.rest import Client, PatchType

CONFIG_MAP = resource_for("", "v1", "configmaps")
DEPLOYMENT = resource_for("apps", "v1", "deployments")
CLUSTER_ROLE = resource_for("rbac.authorization.k8s.io", "v1", "clusterroles")
ADD_RULE = [{"op": "add", "path": "/rules", "value": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}]
KEY = Key("default", "a")
WEB = Key("default", "web")


def a_config_map(**data: str) -> Tree:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "default"}, "data": data}


def a_deployment() -> Tree:
    containers = [{"name": "web", "image": "web:1"}, {"name": "side", "image": "side:1"}]
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": containers}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "default"}, "spec": spec}


def test_each_patch_type_does_what_it_says(runner: asyncio.Runner, client: Client) -> None:
    """Rule: https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/"""

    async def scenario() -> None:
        await client.create(CONFIG_MAP, a_config_map(a="1", b="2"))
        merged = await client.patch(CONFIG_MAP, KEY, {"data": {"a": None, "c": "3"}}, type=PatchType.MERGE)
        assert merged["data"] == {"b": "2", "c": "3"}
        operations = [{"op": "test", "path": "/data/b", "value": "2"}, {"op": "replace", "path": "/data/b", "value": "9"}]
        assert (await client.patch(CONFIG_MAP, KEY, operations, type=PatchType.JSON))["data"]["b"] == "9"
        with pytest.raises(Invalid):
            await client.patch(CONFIG_MAP, KEY, operations, type=PatchType.JSON)
        await client.create(DEPLOYMENT, a_deployment())
        by_name: Tree = {"spec": {"template": {"spec": {"containers": [{"name": "side", "image": "side:2"}]}}}}
        patched = await client.patch(DEPLOYMENT, WEB, by_name, type=PatchType.STRATEGIC)
        images = {one["name"]: one["image"] for one in patched["spec"]["template"]["spec"]["containers"]}
        assert images == {"web": "web:1", "side": "side:2"}

    runner.run(scenario())


def test_what_is_no_patch_is_refused(runner: asyncio.Runner, client: Client) -> None:
    async def scenario() -> None:
        await client.create(CONFIG_MAP, a_config_map(a="1"))
        path = "/api/v1/namespaces/default/configmaps/a"
        with pytest.raises(UnsupportedMediaType, match="415: Unsupported Media Type"):
            await client.request("PATCH", path, body=b"{}", headers={"Content-Type": "application/json"})
        with pytest.raises(BadRequest):
            await client.request("PATCH", path, body=b"{", headers={"Content-Type": "application/merge-patch+json"})
        many: Any = [{"op": "test", "path": "/data/a", "value": "1"}] * 10_001
        with pytest.raises(TooLarge, match="The allowed maximum operations in a JSON patch is 10000, got 10001"):
            await client.patch(CONFIG_MAP, KEY, many, type=PatchType.JSON)

    runner.run(scenario())


def test_racing_patches_never_conflict_unless_they_name_a_version(runner: asyncio.Runner, client: Client) -> None:
    """Rule: apiserver pkg/endpoints/handlers/patch.go"""

    async def scenario() -> None:
        created = await client.create(CONFIG_MAP, a_config_map())
        await asyncio.gather(*(client.patch(CONFIG_MAP, KEY, {"data": {f"k{i}": "x"}}) for i in range(20)))
        assert len((await client.get_tree(CONFIG_MAP, "default", "a"))["data"]) == 20
        stale = {"metadata": {"resourceVersion": created["metadata"]["resourceVersion"]}, "data": {"late": "x"}}
        with pytest.raises(Conflict):
            await client.patch(CONFIG_MAP, KEY, stale)

    runner.run(scenario())


def test_apply_creates_owns_conflicts_and_gives_up(runner: asyncio.Runner, client: Client) -> None:
    """Rule: https://kubernetes.io/docs/reference/using-api/server-side-apply/"""

    async def scenario() -> None:
        first = await client.apply(CONFIG_MAP, a_config_map(a="1", b="1"), manager="one")
        again = await client.apply(CONFIG_MAP, a_config_map(a="1", b="1"), manager="one")
        assert again["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
        with pytest.raises(Conflict, match=r'Apply failed with 1 conflict: conflict with "one": \.data\.a'):
            await client.apply(CONFIG_MAP, a_config_map(a="2"), manager="two")
        forced = await client.apply(CONFIG_MAP, a_config_map(a="2"), manager="two", force=True)
        assert forced["data"] == {"a": "2", "b": "1"}
        dropped = await client.apply(CONFIG_MAP, a_config_map(), manager="one")
        assert dropped["data"] == {"a": "2"}
        managers = {(one["manager"], one["operation"]) for one in dropped["metadata"]["managedFields"]}
        assert ("two", "Apply") in managers
        with pytest.raises(Invalid, match="fieldManager: Required value: is required for apply patch"):
            await client.request(
                "PATCH",
                "/api/v1/namespaces/default/configmaps/a",
                body=a_config_map(),
                headers={"Content-Type": "application/apply-patch+yaml"},
            )

    runner.run(scenario())


def test_a_list_that_is_null_is_patched_and_applied_like_an_empty_one(runner: asyncio.Runner, client: Client) -> None:
    """Rule: encoding/json: `rules` has no `omitempty`. Who wrote an empty list owns it, and clients send the null back."""
    rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
    role: Tree = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "role-of-null"}}
    key = Key("", "role-of-null")

    async def scenario() -> None:
        made = await client.create(CLUSTER_ROLE, {**role, "rules": []})
        assert (made["rules"], made["metadata"]["managedFields"][0]["fieldsV1"]) == (None, {"f:rules": {}})
        assert (await client.update(CLUSTER_ROLE, made))["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]
        for kind, patch in (("strategic", {"rules": [rule]}), ("merge", {"rules": [rule]}), ("json", ADD_RULE)):
            patched = await client.patch(CLUSTER_ROLE, key, patch, type=kind)
            assert patched["rules"] == [rule], kind
            assert (await client.patch(CLUSTER_ROLE, key, {"rules": []}))["rules"] is None
        with pytest.raises(Conflict, match=r"using rbac.authorization.k8s.io/v1: \.rules"):
            await client.apply(CLUSTER_ROLE, {**role, "rules": [rule]}, manager="one")
        applied = await client.apply(CLUSTER_ROLE, {**role, "rules": [rule]}, manager="one", force=True)
        assert applied["rules"] == [rule]
        assert (await client.apply(CLUSTER_ROLE, role, manager="one"))["rules"] is None

    runner.run(scenario())
