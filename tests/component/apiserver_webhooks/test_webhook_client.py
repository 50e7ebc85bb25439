"""The client of webhooks: kept-alive connections, service references, and failures in upstream's words."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest

from apiserver.config import Config
from apiserver.webhooks.client import CallFailed, call
from kube.api.meta import Tree
from kube.api.types import Service
from kube.client.rest import Client
from tests.component.apiserver_webhooks.hook_server import hook_server
from tests.component.conftest import RunningApi
from tests.wait import eventually

CALLS = 200
PATIENCE_SECONDS = 5.0


@pytest.fixture
def api_config(api_config: Config) -> Config:
    """Cluster IPs that lead to this host and nowhere else."""
    return replace(api_config, service_cluster_ip_range=("127.96.0.0/16",))


async def echo(body: Tree) -> Tree:
    return {"echo": body}


async def hang(body: Tree) -> Tree:
    await asyncio.Event().wait()
    return {}


def test_calls_share_a_connection_and_cost_milliseconds(runner: asyncio.Runner, apiserver: RunningApi, tmp_path: Path) -> None:
    """Rule: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/ (behaviour E.7.72)"""

    async def scenario() -> None:
        async with hook_server(tmp_path, {"/echo": echo}) as hook:
            config = hook.config("/echo")
            assert await call(apiserver.server, config, {"a": 1}, timeout_seconds=5, name="w") == {"echo": {"a": 1}}
            began = time.monotonic()
            for _ in range(CALLS):
                await call(apiserver.server, config, {"a": 1}, timeout_seconds=5, name="w")
            assert (time.monotonic() - began) / CALLS < 0.02
            assert len(hook.connections) == 1

    runner.run(scenario())


def test_a_connection_that_was_closed_meanwhile_is_no_failure(
    runner: asyncio.Runner, apiserver: RunningApi, tmp_path: Path
) -> None:
    """Rule: net/http retries on a new connection where no byte of an answer had come"""

    async def scenario() -> None:
        async with hook_server(tmp_path, {"/echo": echo}) as first:
            config = first.config("/echo")
            await call(apiserver.server, config, {}, timeout_seconds=5, name="w")
        async with hook_server(tmp_path, {"/echo": echo}) as second:
            config = second.config("/echo")
            await call(apiserver.server, config, {}, timeout_seconds=5, name="w")
            assert len(second.asked) == 1

    runner.run(scenario())


def test_a_service_reference_is_called_at_its_cluster_ip_under_the_services_name(
    runner: asyncio.Runner, apiserver: RunningApi, client: Client, tmp_path: Path
) -> None:
    """Rule: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#service-reference"""

    async def scenario() -> None:
        address = "127.96.0.77"
        async with hook_server(tmp_path, {"/p": echo}, host=address, server_name="hook.default.svc") as hook:
            reference = {"namespace": "default", "name": "hook", "path": "/p", "port": hook.port}
            config = {"service": reference, "caBundle": hook.ca_bundle}
            with pytest.raises(CallFailed) as missing:
                await call(apiserver.server, config, {}, timeout_seconds=5, name="w")
            url = f"https://hook.default.svc:{hook.port}/p?timeout=5s"
            assert str(missing.value) == f'Post "{url}": service "hook" not found'
            spec = {"clusterIP": address, "ports": [{"port": hook.port}]}
            await client.create(Service, {"metadata": {"name": "hook", "namespace": "default"}, "spec": spec})

            async def answer() -> Tree | None:
                try:
                    return await call(apiserver.server, config, {"b": 2}, timeout_seconds=5, name="w")
                except CallFailed:
                    return None  # the new Service is on its way to the cache

            assert await eventually(answer, PATIENCE_SECONDS) == {"echo": {"b": 2}}

    runner.run(scenario())


def test_failures_are_told_in_upstreams_words(runner: asyncio.Runner, apiserver: RunningApi, tmp_path: Path) -> None:
    """Rule: behaviour E.7.72 (failurePolicy texts)"""

    async def failure(config: Tree, seconds: float = 5) -> str:
        with pytest.raises(CallFailed) as failed:
            await call(apiserver.server, config, {}, timeout_seconds=seconds, name="w")
        return str(failed.value)

    async def scenario() -> None:
        async with hook_server(tmp_path, {"/hang": hang}) as hook:
            hanging, url = hook.config("/hang"), f"https://127.0.0.1:{hook.port}"
            assert await failure(hanging, 1) == f'Post "{url}/hang?timeout=1s": context deadline exceeded'
            assert await failure(hook.config("/none")) == "the server could not find the requested resource"
            unknown = "tls: failed to verify certificate: x509: certificate signed by unknown authority"
            assert await failure({"url": f"{url}/hang"}) == f'Post "{url}/hang?timeout=5s": {unknown}'
        refused = f'Post "{url}/hang?timeout=5s": dial tcp 127.0.0.1:{hook.port}: connect: connection refused'
        assert await failure(hanging) == refused

    runner.run(scenario())
