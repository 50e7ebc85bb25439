"""Priority and fairness, seen from outside."""

import asyncio
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from apiserver.config import Config
from kube.api.meta import Key, Tree
from kube.api.status import ApiError
from kube.api.types import ConfigMap, FlowSchema, Namespace, PriorityLevelConfiguration
from kube.client.rest import Client
from tests.component.conftest import ADMIN_TOKEN, NOBODY_TOKEN, RunningApi
from tests.wait import eventually

PATIENCE_SECONDS = 10.0
FLOW_HEADER, LEVEL_HEADER = "X-Kubernetes-PF-FlowSchema-UID", "X-Kubernetes-PF-PriorityLevel-UID"


async def uids(client: Client) -> dict[str, str]:
    """By uid, the names of all FlowSchemas and levels, once the default ones are there and told of."""

    async def look() -> dict[str, str] | None:
        schemas = (await client.list_tree(FlowSchema))["items"]
        levels = (await client.list_tree(PriorityLevelConfiguration))["items"]
        ready = len(schemas) == 13 and len(levels) == 8 and all(one.get("status", {}).get("conditions") for one in schemas)
        return {one["metadata"]["uid"]: one["metadata"]["name"] for one in (*schemas, *levels)} if ready else None

    return await eventually(look, PATIENCE_SECONDS)


def test_every_answer_names_its_flow_schema_and_level(runner: asyncio.Runner, apiserver: RunningApi, client: Client) -> None:
    """Rule: behaviour E.7.77 (X-Kubernetes-PF headers)"""

    async def scenario() -> None:
        names = await uids(client)

        async def asked(path: str, token: str) -> tuple[int, str, str]:
            headers = {"Authorization": f"Bearer {token}"}
            async with aiohttp.ClientSession() as session, session.get(apiserver.url + path, headers=headers) as answer:
                return answer.status, names[answer.headers[FLOW_HEADER]], names[answer.headers[LEVEL_HEADER]]

        assert await asked("/api/v1/namespaces", ADMIN_TOKEN) == (200, "exempt", "exempt")
        assert await asked("/version", NOBODY_TOKEN) == (200, "global-default", "global-default")
        assert await asked("/api/v1/pods", NOBODY_TOKEN) == (403, "global-default", "global-default")
        assert await asked("/api/v1/pods/none/of/these", ADMIN_TOKEN) == (404, "exempt", "exempt")
        assert await asked("/livez", NOBODY_TOKEN) == (200, "probes", "exempt")

    runner.run(scenario())


def test_default_objects_are_kept_and_flow_schemas_tell_of_their_level(runner: asyncio.Runner, client: Client) -> None:
    """Rule: https://kubernetes.io/docs/concepts/cluster-administration/flow-control/#maintenance-of-the-mandatory-and-suggested-configuration-objects"""

    async def scenario() -> None:
        await uids(client)
        key = Key("", "global-default")
        await client.patch(FlowSchema, key, {"spec": {"matchingPrecedence": 1234}})
        await eventually(lambda: _precedence(client, 9900), PATIENCE_SECONDS)
        change = {"metadata": {"annotations": {"apf.kubernetes.io/autoupdate-spec": "false"}}, "spec": {"matchingPrecedence": 1234}}
        await client.patch(FlowSchema, key, change)
        await client.delete(FlowSchema, Key("", "probes"))
        await eventually(lambda: _there(client, "probes"), PATIENCE_SECONDS)
        assert await _precedence(client, 1234)
        spec = {"priorityLevelConfiguration": {"name": "nowhere"}}
        await client.create(FlowSchema, {"metadata": {"name": "lost"}, "spec": spec})

        async def told() -> bool:
            conditions = (await client.get_tree(FlowSchema, "", "lost")).get("status", {}).get("conditions") or []
            return [(one["type"], one["status"], one["reason"]) for one in conditions] == [("Dangling", "True", "NotFound")]

        await eventually(told, PATIENCE_SECONDS)

    async def _precedence(client: Client, wanted: int) -> bool:
        tree = await client.get_tree(FlowSchema, "", "global-default")
        return bool(tree["spec"]["matchingPrecedence"] == wanted)

    async def _there(client: Client, name: str) -> Tree | None:
        try:
            return await client.get_tree(FlowSchema, "", name)
        except ApiError:
            return None

    runner.run(scenario())


GROUP = "flowcontrol.apiserver.k8s.io"
LEVEL_SPEC = {"type": "Limited", "limited": {"nominalConcurrencyShares": 2, "limitResponse": {"type": "Reject"}}}
SCHEMA_SPEC = {
    "matchingPrecedence": 9998,
    "priorityLevelConfiguration": {"name": "global-default"},
    "distinguisherMethod": {"type": "ByUser"},
    "rules": [
        {
            "subjects": [{"kind": "User", "user": {"name": "noxu"}}],
            "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
        }
    ],
}


@pytest.mark.parametrize(
    ("kind", "plural", "spec"),
    [(FlowSchema, "flowschemas", SCHEMA_SPEC), (PriorityLevelConfiguration, "prioritylevelconfigurations", LEVEL_SPEC)],
)
def test_the_api_of_flow_control_is_whole(runner: asyncio.Runner, client: Client, kind: type[Any], plural: str, spec: Tree) -> None:
    """Rule: behaviour E.7.77

    Conformance: [sig-api-machinery] API priority and fairness should support FlowSchema API operations [Conformance]
    Conformance: [sig-api-machinery] API priority and fairness should support PriorityLevelConfiguration API operations [Conformance]
    """  # noqa: E501
    mine = {"labelSelector": "special=yes"}

    async def scenario() -> None:
        async def got(path: str) -> Tree:
            return (await client.request("GET", path)).tree()

        assert GROUP in {one["name"] for one in (await got("/apis"))["groups"]}
        assert {"groupVersion": f"{GROUP}/v1", "version": "v1"} in (await got(f"/apis/{GROUP}"))["versions"]
        names = {one["name"] for one in (await got(f"/apis/{GROUP}/v1"))["resources"]}
        assert {plural, f"{plural}/status"} <= names
        for name in ("one", "two", "three"):
            await client.create(kind, {"metadata": {"name": name, "labels": {"special": "yes"}}, "spec": spec})
        made = await client.get_tree(kind, "", "one")
        assert made["spec"].items() >= {"type": "Limited"}.items() if kind is PriorityLevelConfiguration else made["spec"] == spec
        assert len((await client.list_tree(kind, params=mine))["items"]) == 3
        patched = await client.patch(kind, Key("", "one"), {"metadata": {"annotations": {"patched": "true"}}})
        assert patched["metadata"]["annotations"] == {"patched": "true"}

        async def updated() -> Tree | None:
            tree = await client.get_tree(kind, "", "one")
            tree["metadata"]["annotations"]["updated"] = "true"
            try:
                return await client.update(kind, tree)
            except ApiError:
                return None  # the status was written meanwhile

        assert (await eventually(updated, PATIENCE_SECONDS))["metadata"]["annotations"]["updated"] == "true"
        condition = {
            "type": "Patched",
            "status": "True",
            "reason": "R",
            "message": "M",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }
        await client.patch_status(kind, Key("", "one"), {"conditions": [condition]})
        status = (await client.get_tree(kind, "", "one"))["status"]
        assert "Patched" in {one["type"] for one in status["conditions"]}
        await client.delete(kind, Key("", "one"))
        assert len((await client.list_tree(kind, params=mine))["items"]) == 2
        await client.request("DELETE", f"/apis/{GROUP}/v1/{plural}", params=mine)
        assert (await client.list_tree(kind, params=mine))["items"] == []

    runner.run(scenario())


class TestOneSeat:
    """A server with hardly a seat."""

    @pytest.fixture
    def api_config(self, api_config: Config) -> Config:
        return replace(api_config, max_requests_inflight=1, max_mutating_requests_inflight=1, authorization_mode=("AlwaysAllow",))

    def test_a_level_without_a_seat_refuses_and_the_systems_own_pass(
        self, runner: asyncio.Runner, apiserver: RunningApi, client: Client
    ) -> None:
        """Rule: 429 with Retry-After; system:masters is exempt"""
        level = apiserver.server.state["flowcontrol"].levels

        async def scenario() -> None:
            await uids(client)
            taken = level["global-default"]
            while taken.take():
                pass
            limited = {"nominalConcurrencyShares": 0, "borrowingLimitPercent": 0, "limitResponse": {"type": "Reject"}}
            spec = {"type": "Limited", "limited": limited}
            await client.create(PriorityLevelConfiguration, {"metadata": {"name": "none"}, "spec": spec})
            rules = [
                {
                    "subjects": [{"kind": "User", "user": {"name": "nobody"}}],
                    "resourceRules": [
                        {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "clusterScope": True, "namespaces": ["*"]}
                    ],
                }
            ]
            chosen = {"matchingPrecedence": 3, "priorityLevelConfiguration": {"name": "none"}, "rules": rules}
            await client.create(FlowSchema, {"metadata": {"name": "nobody"}, "spec": chosen})
            headers = {"Authorization": f"Bearer {NOBODY_TOKEN}"}

            async def refused() -> Tree | None:
                url = f"{apiserver.url}/api/v1/namespaces"
                async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as answer:
                    if answer.status != 429:
                        return None
                    assert answer.headers["Retry-After"] == "1"
                    tree: Tree = await answer.json()
                    return tree

            tree = await eventually(refused, PATIENCE_SECONDS)
            assert (tree["reason"], tree["code"]) == ("TooManyRequests", 429)
            assert tree["message"] == "Too many requests, please try again later."
            await client.create(ConfigMap, {"metadata": {"name": "m", "namespace": "default"}})
            assert await client.list(Namespace)

        runner.run(scenario())
