"""The filters' limits: requests at once, and seconds for each."""

import asyncio
from dataclasses import replace

import pytest

from apiserver.config import Config
from kube.api.resources import resource_for
from kube.api.status import BadRequest, Timeout, TooManyRequests
from kube.client.rest import Client
from kube.component.flags import Seconds
from tests.component.conftest import NOBODY_TOKEN, RunningApi

CONFIG_MAP = resource_for("", "v1", "configmaps")
PATH = "/api/v1/namespaces/default/configmaps"


@pytest.fixture
def api_config(api_config: Config) -> Config:
    return replace(
        api_config, max_requests_inflight=3, max_mutating_requests_inflight=2, request_timeout=Seconds(20.0),
        enable_priority_and_fairness=False,
    )  # fmt: skip


def test_beyond_the_limit_is_429_save_for_masters_and_watches(
    runner: asyncio.Runner, client: Client, apiserver: RunningApi
) -> None:
    """Rule: apiserver pkg/server/filters/maxinflight.go"""

    async def scenario() -> None:
        apiserver.server.in_flight[True] = 3  # three readers at work
        async with Client(apiserver.config(NOBODY_TOKEN), "test") as nobody:
            with pytest.raises(TooManyRequests, match="Too many requests, please try again later") as refused:
                await nobody._once("GET", PATH, None, None, None)
        assert refused.value.details == {"retryAfterSeconds": 1}
        await client.list_tree(CONFIG_MAP, "default")
        async with client.stream("GET", PATH, params={"watch": True, "timeoutSeconds": 1}):
            pass
        assert apiserver.server.in_flight == [0, 3]

    runner.run(scenario())


def test_a_request_that_takes_too_long_is_given_up(runner: asyncio.Runner, client: Client) -> None:
    """Rule: apiserver pkg/server/filters/timeout.go"""

    async def scenario() -> None:
        with pytest.raises(Timeout, match="request did not complete within the allotted timeout"):
            await client.request("GET", PATH, params={"timeout": "1ns"})
        with pytest.raises(BadRequest, match="invalid timeout specified in the request URL"):
            await client.request("GET", PATH, params={"timeout": "soon"})

    runner.run(scenario())


def test_every_answer_names_its_request(runner: asyncio.Runner, client: Client) -> None:
    async def scenario() -> None:
        named = await client.request("GET", PATH, headers={"Audit-ID": "mine"})
        assert named.headers["Audit-Id"] == "mine"
        assert (await client.request("GET", PATH)).headers["Audit-Id"] not in ("", "mine")

    runner.run(scenario())
