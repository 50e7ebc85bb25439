"""Five hundred connections that ask without a pause, and the system's own clients among them."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest

from apiserver.config import Config
from kube.api.types import ConfigMap
from kube.client.rest import Client
from tests.component.apiserver_faults.raw_http import Answer, conversation, request
from tests.component.conftest import NOBODY_TOKEN, TOKENS, RunningApi

GREEDY_CONNECTIONS, REQUESTS_EACH = 500, 4
SYSTEM = {"manager-token": "system:kube-controller-manager", "scheduler-token": "system:kube-scheduler"}
NODE_TOKEN = "node-token"
LONGEST_SECONDS = 5.0  # half of what a leader has to renew its lease
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
OBJECTS = 50


@pytest.fixture
def api_config(api_config: Config, tmp_path: Path) -> Config:
    tokens = tmp_path / "more-tokens.csv"
    users = "".join(f"{token},{name},{token}\n" for token, name in SYSTEM.items())
    tokens.write_text(f'{TOKENS}{users}{NODE_TOKEN},system:node:n,n,"system:nodes"\n')
    return replace(
        api_config, token_auth_file=tokens, authorization_mode=("AlwaysAllow",), max_requests_inflight=20,
        max_mutating_requests_inflight=10,
    )  # fmt: skip


def test_the_systems_clients_are_served_while_one_user_floods(
    runner: asyncio.Runner, apiserver: RunningApi, client: Client
) -> None:
    """Rule: https://kubernetes.io/docs/concepts/cluster-administration/flow-control/ (429 with Retry-After for who floods)"""
    lists = [request("GET", CONFIG_MAPS, token=NOBODY_TOKEN)] * REQUESTS_EACH

    async def greedy() -> list[Answer]:
        return await conversation(apiserver.url, [b"".join(lists)], ["GET"] * REQUESTS_EACH)

    async def system(token: str, flooding: asyncio.Event) -> list[float]:
        """Write and read for as long as the flood lasts: the seconds of each."""
        taken = []
        while not flooding.is_set():
            began = time.monotonic()
            body = b'{"metadata":{"generateName":"m-"},"data":{"a":"b"}}'
            pieces = [request("POST", CONFIG_MAPS.replace("default", "kube-system"), body, token=token)]
            answers = await conversation(apiserver.url, [*pieces, request("GET", CONFIG_MAPS, token=token)], ["POST", "GET"])
            assert [one.status for one in answers] == [201, 200], answers[0]
            taken.append(time.monotonic() - began)
        return taken

    async def scenario() -> None:
        for place in range(OBJECTS):
            await client.create(ConfigMap, {"metadata": {"name": f"c-{place}", "namespace": "default"}})
        ended = asyncio.Event()
        watching = [asyncio.ensure_future(system(token, ended)) for token in (*SYSTEM, NODE_TOKEN)]
        answers = [one for found in await asyncio.gather(*(greedy() for _ in range(GREEDY_CONNECTIONS))) for one in found]
        ended.set()
        for taken in await asyncio.gather(*watching):
            assert taken, "it was served while the flood lasted"
            assert max(taken) < LONGEST_SECONDS
        assert {one.status for one in answers} <= {200, 429}
        for refused in (one for one in answers if one.status == 429):
            assert refused.headers["retry-after"] == "1"
            assert refused.tree["reason"] == "TooManyRequests"
        assert apiserver.server.in_flight == [0, 0]

    runner.run(scenario())
