"""An etcd of three members: one that dies, leads or hangs is passed over."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from apiserver.config import Config
from apiserver.storage import http2_channel
from tests.component.apiserver_faults.load import PATH, Watching, Writers, listed, more
from tests.component.apiserver_faults.raw_http import ask
from tests.component.conftest import RunningApi
from tests.component.etcd_member import EtcdMember
from tests.wait import eventually

RECOVERY_SECONDS = 20.0


@pytest.fixture
def members() -> Iterator[list[EtcdMember]]:
    three = [EtcdMember(name, {"--heartbeat-interval": "50", "--election-timeout": "500"}) for name in ("one", "two", "three")]
    cluster = {one.name: one.peer for one in three}
    try:
        for one in three:
            one.cluster = cluster
            one.launch()
        for one in three:
            one.wait()
        yield three
    finally:
        for one in three:
            one.remove()


@pytest.fixture
def api_config(api_config: Config, members: list[EtcdMember]) -> Config:
    return replace(api_config, etcd_servers=tuple(one.endpoint for one in members))


def test_a_leader_that_dies_costs_no_acknowledged_write(
    runner: asyncio.Runner, members: list[EtcdMember], apiserver: RunningApi
) -> None:
    """Three members; the one that leads is killed. Rule: issue 3."""

    async def scenario() -> None:
        start = (await listed(apiserver.url))["metadata"]["resourceVersion"]
        writers, watching = Writers(lambda: apiserver.url), Watching(lambda: apiserver.url, start)
        tasks, watch = writers.start(4), asyncio.ensure_future(watching.run())
        await eventually(lambda: more(writers.acknowledged, 50), RECOVERY_SECONDS, "writes")
        leader = await asyncio.to_thread(_leader, members)
        await asyncio.to_thread(leader.kill)
        done = len(writers.acknowledged)
        await eventually(lambda: more(writers.acknowledged, done + 50), RECOVERY_SECONDS, "writes go on without it")
        await asyncio.to_thread(leader.start)
        writers.stopping = True
        await asyncio.gather(*tasks)
        names = [one["metadata"]["name"] for one in (await listed(apiserver.url))["items"]]
        assert writers.wrong == []
        assert writers.acknowledged <= set(names)
        await eventually(lambda: more(set(watching.added), len(names)), RECOVERY_SECONDS, "the watch has everything")
        assert sorted(watching.added) == sorted(names)
        watch.cancel()

    runner.run(scenario())


def test_a_member_that_hangs_is_passed_over(
    runner: asyncio.Runner, members: list[EtcdMember], apiserver: RunningApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What if the member that we talk to stops without closing its connections? Rule: issue 3: the server recovers by itself."""
    monkeypatch.setattr(http2_channel, "CALL_SECONDS", 2.0)  # the patience that is tried here is 10 s

    async def scenario() -> None:
        start = (await ask(apiserver.url, "POST", PATH, b'{"metadata":{"name":"before"}}')).tree["metadata"]["resourceVersion"]
        members[0].pause()
        try:
            writers, watching = Writers(lambda: apiserver.url), Watching(lambda: apiserver.url, start)
            tasks, watch = writers.start(2), asyncio.ensure_future(watching.run())
            await eventually(lambda: more(writers.acknowledged, 20), RECOVERY_SECONDS, "writes go on by another member")
            writers.stopping = True
            await asyncio.gather(*tasks)
            names = {one["metadata"]["name"] for one in (await listed(apiserver.url))["items"]}
            assert writers.acknowledged <= names
            assert writers.wrong == []
            await eventually(lambda: more(set(watching.added), len(names) - 1), RECOVERY_SECONDS, "the watch has everything")
            assert sorted(watching.added) == sorted(names - {"before"})
            watch.cancel()
        finally:
            members[0].go_on()

    runner.run(scenario())


def _leader(members: list[EtcdMember]) -> EtcdMember:
    told = {one.name: one.call("maintenance/status", {}) for one in members}
    return next(one for one in members if told[one.name]["leader"] == told[one.name]["header"]["member_id"])
