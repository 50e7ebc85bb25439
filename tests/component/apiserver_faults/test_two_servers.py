"""Two API servers on one etcd: each serves what the other wrote, at the same resourceVersions, and goes on when the other dies."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial

from apiserver.app import running
from apiserver.config import Config
from kube.api.meta import Key
from kube.api.types import Lease
from kube.client import kubeconfig
from kube.client.leader import lead
from kube.client.rest import Client
from kube.component import http_server
from tests.component.apiserver_faults.load import PATH, Watching, Writers, listed, more
from tests.component.apiserver_faults.raw_http import ask
from tests.component.conftest import ADMIN_TOKEN, RunningApi
from tests.wait import eventually

WITHIN_SECONDS = 10.0


@asynccontextmanager
async def another(config: Config) -> AsyncIterator[str]:
    """The address of a second server; at the end its connections are cut, as when it dies."""
    async with running(config) as (_, app):
        listener = await http_server.serve(app, "127.0.0.1", 0, on_upgrade=app.on_upgrade)
        try:
            yield f"http://127.0.0.1:{listener.port}"
        finally:
            await listener.close(within=0)


def test_what_one_acknowledged_the_other_reads_at_once(runner: asyncio.Runner, apiserver: RunningApi, api_config: Config) -> None:
    """Four write to one; each asks the other, right after the answer, by GET and by LIST, while the rest go on writing.

    Rule: https://kubernetes.io/docs/reference/using-api/api-concepts/#semantics-for-get-and-list (Most Recent)
    """

    async def scenario() -> None:
        async with another(api_config) as second:
            servers = (apiserver.url, second)

            async def client(number: int) -> None:
                for turn in range(25):
                    there, here = servers[turn % 2], servers[1 - turn % 2]
                    name = f"r{number}-{turn}"
                    created = await ask(there, "POST", PATH, b'{"metadata":{"name":"%s"}}' % name.encode())
                    assert created.status == 201
                    found = await ask(here, "GET", f"{PATH}/{name}")
                    assert found.tree["metadata"] == created.tree["metadata"]
                    tree = await listed(here)
                    assert name in {one["metadata"]["name"] for one in tree["items"]}
                    assert int(tree["metadata"]["resourceVersion"]) >= int(created.tree["metadata"]["resourceVersion"])

            await asyncio.gather(*(client(number) for number in range(4)))

    runner.run(scenario())


def test_when_one_dies_watches_go_on_at_the_other_without_gap_or_duplicate(
    runner: asyncio.Runner, apiserver: RunningApi, api_config: Config
) -> None:
    """Write to both, watch at the one that dies. Rule: issue 3 (Show): a two-API-server test."""

    async def scenario() -> None:
        async with another(api_config) as second:
            url = second
            watching = Watching(lambda: url, (await listed(apiserver.url))["metadata"]["resourceVersion"])
            writers, beside = Writers(lambda: url), Writers(lambda: apiserver.url, prefix="b")
            watch, tasks = asyncio.ensure_future(watching.run()), writers.start(3) + beside.start(3)
            for one in (writers, beside):
                await eventually(partial(more, one.acknowledged, 50), WITHIN_SECONDS, "writes")
        url = apiserver.url
        done = len(writers.acknowledged)
        await eventually(lambda: more(writers.acknowledged, done + 50), WITHIN_SECONDS, "writes go on at the other")
        writers.stopping = beside.stopping = True
        await asyncio.gather(*tasks)
        names = [one["metadata"]["name"] for one in (await listed(apiserver.url))["items"]]
        assert writers.wrong + beside.wrong == []
        assert beside.answers.keys() == {201}
        assert writers.acknowledged | beside.acknowledged <= set(names)
        await eventually(lambda: more(set(watching.added), len(names)), WITHIN_SECONDS, "the watch has everything")
        assert sorted(watching.added) == sorted(names)
        assert watching.revisions == sorted(set(watching.revisions))
        watch.cancel()

    runner.run(scenario())


def test_a_lease_has_one_holder_across_both(runner: asyncio.Runner, client: Client, api_config: Config) -> None:
    """Two candidates, each at its own server; who ends gives the lease to the other.

    Rule: https://kubernetes.io/docs/concepts/architecture/leases/#leader-election
    """

    async def scenario() -> None:
        working: list[str] = []
        held: set[str] = set()

        def candidate(at: Client, name: str) -> "asyncio.Task[None]":
            async def work() -> None:
                assert not held, f"{name} works beside {held}"
                held.add(name)
                working.append(name)
                try:
                    await asyncio.get_running_loop().create_future()
                finally:
                    held.discard(name)

            election = lead(
                at, name="two", identity=name, work=work, namespace="default", lease_seconds=15, renew_seconds=10,
                retry_seconds=0.05,
            )  # fmt: skip
            return asyncio.ensure_future(election)

        async with another(api_config) as url, Client(kubeconfig.Config(server=url, token=ADMIN_TOKEN), "second") as other:
            candidates = {"a": candidate(client, "a"), "b": candidate(other, "b")}
            for turn in range(1, 4):
                await eventually(partial(more, working, turn), WITHIN_SECONDS, "one works")
                (leader,) = held
                assert (await other.get(Lease, *Key("default", "two"))).spec.holderIdentity == leader
                candidates[leader].cancel()
                with suppress(asyncio.CancelledError):
                    await candidates[leader]
                candidates[leader] = candidate(client if leader == "a" else other, leader)
            for task in candidates.values():
                task.cancel()
            await asyncio.gather(*candidates.values(), return_exceptions=True)

    runner.run(scenario())
