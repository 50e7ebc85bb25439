"""Fixtures of the component tests, one on top of the other: etcd (one a session) → apiserver (one a test) → client.

A test is a plain function that does its asynchronous part on the loop that the server lives on:

    def test_x(runner: asyncio.Runner, client: Client) -> None:
        async def scenario() -> None:
            ...
        runner.run(scenario())

The server makes progress only while `runner.run` does.
"""

import asyncio
import itertools
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from apiserver.app import running
from apiserver.bootstrap import bootstrap
from apiserver.config import Config
from apiserver.context import Server
from kube.client import kubeconfig
from kube.client.rest import Client
from kube.component import http_server
from tests.component.etcd_member import EtcdMember

ADMIN_TOKEN, NOBODY_TOKEN = "admin-token", "nobody-token"
TOKENS = f'{ADMIN_TOKEN},admin,1,"system:masters"\n{NOBODY_TOKEN},nobody,2\n'
START_SECONDS = 30.0

_numbers = itertools.count(1)


@dataclass(frozen=True)
class RunningApi:
    """An API server in this process, on a port of its own, with its own prefix in etcd."""

    server: Server
    url: str

    def config(self, token: str = ADMIN_TOKEN) -> kubeconfig.Config:
        return kubeconfig.Config(server=self.url, token=token)


@pytest.fixture(scope="session")
def etcd() -> Iterator[EtcdMember]:
    member = EtcdMember()
    try:
        member.start()
        member.call("kv/put", {"key": "YQ==", "value": "YQ=="})  # no server's history begins at etcd's first revision
        yield member
    finally:
        member.remove()


@pytest.fixture
def own_etcd() -> Iterator[EtcdMember]:
    """An etcd that the test may kill."""
    member = EtcdMember()
    try:
        member.start()
        yield member
    finally:
        member.remove()


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as one:
        yield one


@pytest.fixture
def api_config(etcd: EtcdMember, tmp_path: Path) -> Config:
    """The server's flags; a test module may override this fixture with `replace(api_config, ...)`."""
    tokens = tmp_path / "tokens.csv"
    tokens.write_text(TOKENS)
    return replace(
        Config(),
        etcd_servers=(etcd.endpoint,),
        etcd_prefix=f"/registry-{next(_numbers)}",
        token_auth_file=tokens,
        service_cluster_ip_range=("10.96.0.0/16",),
        advertise_address="192.0.2.1",
        authorization_mode=("Node", "RBAC"),
    )


@pytest.fixture
def apiserver(runner: asyncio.Runner, api_config: Config) -> Iterator[RunningApi]:
    """A server after its bootstrap: the namespaces are there."""
    started: asyncio.Future[RunningApi] = runner.get_loop().create_future()
    serving = runner.get_loop().create_task(_serve(api_config, started))

    async def first() -> RunningApi:
        waiting: list[asyncio.Future[Any]] = [started, serving]
        async with asyncio.timeout(START_SECONDS):
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if not started.done():
            serving.result()  # raises why it did not start
        return started.result()

    async def end() -> None:
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving

    yield runner.run(first())
    runner.run(end())


@pytest.fixture
def client(runner: asyncio.Runner, apiserver: RunningApi) -> Iterator[Client]:
    """A client that may do everything."""
    one = Client(apiserver.config(), "test")
    runner.run(one.__aenter__())
    yield one
    runner.run(one.__aexit__(None, None, None))


async def _serve(config: Config, started: "asyncio.Future[RunningApi]") -> None:
    async with running(config) as (server, app):
        listener = await http_server.serve(app, "127.0.0.1", 0, on_upgrade=app.on_upgrade, short_way=app.short_way)
        try:
            await bootstrap(server)
            started.set_result(RunningApi(server, f"http://127.0.0.1:{listener.port}"))
            await asyncio.Event().wait()
        finally:
            await listener.close(within=0.5)
