"""The audit log of a running server."""

import asyncio
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from apiserver.config import Config
from kube.api.meta import Tree
from kube.api.resources import resource_of
from kube.api.status import Forbidden
from kube.api.types import ConfigMap, Secret
from kube.client.rest import Client
from kube.client.watch import watch
from tests.component.conftest import NOBODY_TOKEN, RunningApi
from tests.wait import eventually

POLICY = """
apiVersion: audit.k8s.io/v1
kind: Policy
omitManagedFields: true
rules:
- {level: Metadata, resources: [{group: "", resources: [secrets]}]}
- {level: RequestResponse, omitStages: [RequestReceived], resources: [{group: "", resources: [configmaps]}]}
"""


@pytest.fixture
def api_config(api_config: Config, tmp_path: Path) -> Config:
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    return replace(api_config, audit_policy_file=policy, audit_log_path=str(tmp_path / "audit" / "audit.log"))


def recorded(path: Path) -> list[Tree]:
    return [orjson.loads(line) for line in (path / "audit" / "audit.log").read_bytes().splitlines()]


def test_levels_and_stages(runner: asyncio.Runner, client: Client, tmp_path: Path) -> None:
    """Rule: behaviour E.7.76"""

    async def scenario() -> None:
        metadata = {"name": "x", "namespace": "default"}
        await client.create(Secret, {"metadata": metadata, "stringData": {"password": "hidden"}})
        first, last = recorded(tmp_path)
        assert (first["stage"], last["stage"]) == ("RequestReceived", "ResponseComplete")
        assert first["auditID"] == last["auditID"]
        assert last["level"] == "Metadata"
        assert not last.keys() & {"requestObject", "responseObject"}
        assert last["verb"] == "create"
        assert last["requestURI"] == "/api/v1/namespaces/default/secrets"
        assert last["user"]["username"] == "admin"
        assert last["objectRef"] == {"resource": "secrets", "namespace": "default", "apiVersion": "v1"}
        assert last["responseStatus"] == {"metadata": {}, "code": 201}
        assert last["annotations"] == {"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": ""}
        assert last["sourceIPs"] == ["127.0.0.1"]
        await client.create(ConfigMap, {"metadata": metadata, "data": {"a": "b"}})
        (event,) = recorded(tmp_path)[2:]
        assert event["requestObject"]["data"] == {"a": "b"}
        assert event["responseObject"]["metadata"]["uid"]
        assert "managedFields" not in event["responseObject"]["metadata"]

    runner.run(scenario())


def test_refusals_and_impersonation_are_told(runner: asyncio.Runner, apiserver: RunningApi, client: Client, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Client(apiserver.config(NOBODY_TOKEN), "test") as nobody:
            with pytest.raises(Forbidden):
                await nobody.get(ConfigMap, "default", "x")
        event = recorded(tmp_path)[-1]
        assert event["responseStatus"]["code"] == 403
        assert event["responseStatus"]["reason"] == "Forbidden"
        assert event["annotations"]["authorization.k8s.io/decision"] == "forbid"
        way = replace(apiserver.config(), impersonate=(("Impersonate-User", "jane"),))
        async with Client(way, "test") as jane:
            with pytest.raises(Forbidden):
                await jane.get(ConfigMap, "default", "x")
        event = recorded(tmp_path)[-1]
        assert event["user"]["username"] == "admin"
        assert event["impersonatedUser"] == {"username": "jane", "groups": ["system:authenticated"]}

    runner.run(scenario())


def test_watch_is_told_when_it_begins_and_when_it_ends(runner: asyncio.Runner, client: Client, tmp_path: Path) -> None:
    async def scenario() -> None:
        events = watch(client, resource_of(ConfigMap), namespace="default", resource_version="0", params={"timeoutSeconds": 1})
        async with aclosing(events):
            async for _ in events:
                continue

        async def ended() -> bool:
            return [one["stage"] for one in recorded(tmp_path)] == ["ResponseStarted", "ResponseComplete"]

        await eventually(ended, 5.0, "both stages")

    runner.run(scenario())


def test_request_that_is_not_recorded_has_no_audit_id(runner: asyncio.Runner, client: Client, tmp_path: Path) -> None:
    """Rule: behaviour E.7.76"""

    async def scenario() -> None:
        answer = await client.request("GET", "/api/v1/namespaces/default/pods")
        assert "Audit-ID" not in answer.headers
        answer = await client.request("GET", "/api/v1/namespaces/default/secrets", headers={"Audit-ID": "mine"})
        assert answer.headers["Audit-ID"] == "mine"
        assert {one["auditID"] for one in recorded(tmp_path)} == {"mine"}

    runner.run(scenario())
