"""etcd killed, paused, full, compacted: what was acknowledged stays, what cannot be done is told in time, and it ends by itself."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest

from apiserver.config import Config
from apiserver.storage.etcd import Etcd
from tests.component.apiserver_faults.load import PATH, Watching, Writers, listed, more
from tests.component.apiserver_faults.raw_http import ask
from tests.component.conftest import RunningApi
from tests.component.etcd_member import EtcdMember
from tests.wait import eventually

RECOVERY_SECONDS = 15.0
QUOTA_BYTES = 4 * 1024 * 1024


@pytest.fixture
def member() -> Iterator[EtcdMember]:
    one = EtcdMember(flags={"--quota-backend-bytes": str(QUOTA_BYTES)})
    try:
        one.start()
        for _ in range(3):  # there is a past that the server does not know
            one.call("kv/put", {"key": "YQ==", "value": "YQ=="})
        yield one
    finally:
        one.remove()


@pytest.fixture
def api_config(api_config: Config, member: EtcdMember) -> Config:
    return replace(api_config, etcd_servers=(member.endpoint,))


def test_no_acknowledged_write_is_lost_when_etcd_is_killed_under_load(
    runner: asyncio.Runner, apiserver: RunningApi, member: EtcdMember
) -> None:
    """Rule: issue 3: all acknowledged writes are there, once; a watch has each of them, once and in order."""

    async def scenario() -> None:
        start = (await listed(apiserver.url))["metadata"]["resourceVersion"]
        writers, watching = Writers(lambda: apiserver.url), Watching(lambda: apiserver.url, start)
        tasks = writers.start(6)
        watch = asyncio.ensure_future(watching.run())
        for enough in (100, 200):
            await eventually(partial(more, writers.acknowledged, enough), RECOVERY_SECONDS, "writes")
            await asyncio.to_thread(member.kill)
            failed = writers.answers.total() - writers.answers[201]
            await eventually(partial(_failures, writers, failed), RECOVERY_SECONDS, "a failure is told")
            await asyncio.to_thread(member.start)
        done = len(writers.acknowledged)
        await eventually(lambda: more(writers.acknowledged, done + 50), RECOVERY_SECONDS, "writes go on")
        writers.stopping = True
        await asyncio.gather(*tasks)
        names = [one["metadata"]["name"] for one in (await listed(apiserver.url))["items"]]
        assert writers.wrong == []
        assert writers.slowest < RECOVERY_SECONDS
        assert writers.acknowledged <= set(names)
        await eventually(lambda: more(set(watching.added), len(names)), RECOVERY_SECONDS, "the watch has everything")
        assert sorted(watching.added) == sorted(names)
        assert watching.revisions == sorted(set(watching.revisions))
        watch.cancel()

    runner.run(scenario())


def test_while_etcd_hangs_requests_end_in_time_and_go_on_afterwards(
    runner: asyncio.Runner, apiserver: RunningApi, member: EtcdMember
) -> None:
    """What if etcd stops answering without closing anything? Rule: issue 3: requests end within their deadline with a Status."""

    async def scenario() -> None:
        assert (await ask(apiserver.url, "POST", PATH, b'{"metadata":{"name":"before"}}')).status == 201
        member.pause()
        try:
            began = time.monotonic()
            asked = [("POST", PATH, b'{"metadata":{"name":"during"}}'), ("GET", f"{PATH}/before", None), ("GET", PATH, None)]
            answers = await asyncio.gather(*(ask(apiserver.url, verb, f"{path}?timeout=2s", body) for verb, path, body in asked))
            assert time.monotonic() - began < 4
            assert [answer.status for answer in answers] == [504, 504, 504]
            assert all(answer.is_status() for answer in answers)
            from_cache = await ask(apiserver.url, "GET", f"{PATH}?resourceVersion=0")
            assert [one["metadata"]["name"] for one in from_cache.tree["items"]] == ["before"]
        finally:
            member.go_on()
        await eventually(lambda: _writable(apiserver, "after"), RECOVERY_SECONDS, "writes go on")
        names = {one["metadata"]["name"] for one in (await listed(apiserver.url))["items"]}
        assert {"before", "after"} <= names

    runner.run(scenario())


def test_when_etcd_is_down_each_request_is_refused_in_time(
    runner: asyncio.Runner, apiserver: RunningApi, member: EtcdMember
) -> None:
    async def scenario() -> None:
        await asyncio.to_thread(member.kill)
        asked = [("POST", PATH, b'{"metadata":{"name":"a"}}'), ("GET", f"{PATH}/a", None), ("GET", PATH, None),
                 ("DELETE", f"{PATH}/a", None), ("GET", "/readyz", None)]  # fmt: skip
        answers = await asyncio.gather(*(ask(apiserver.url, *one) for one in asked))
        for (method, path, _), answer in zip(asked, answers, strict=True):
            assert answer.status in (500, 503, 504), f"{method} {path}: {answer}"
            assert path == "/readyz" or answer.is_status(), f"{method} {path}: {answer}"
        assert (await ask(apiserver.url, "GET", "/livez/ping")).status == 200
        assert (await ask(apiserver.url, "GET", f"{PATH}?resourceVersion=0")).status == 200
        await asyncio.to_thread(member.start)
        await eventually(lambda: _writable(apiserver, "a"), RECOVERY_SECONDS, "writes go on")
        assert (await ask(apiserver.url, "GET", "/readyz")).status == 200

    runner.run(scenario())


def test_an_etcd_without_space_is_read_and_written_again_once_there_is_some(
    runner: asyncio.Runner, apiserver: RunningApi, member: EtcdMember
) -> None:
    """Rule: https://etcd.io/docs/v3.4/op-guide/maintenance/#space-quota"""

    async def scenario() -> None:
        data = b"x" * 400_000
        refused = None
        for number in range(40):
            answer = await ask(apiserver.url, "POST", PATH, b'{"metadata":{"name":"n%d"},"data":{"a":"%s"}}' % (number, data))
            if answer.status != 201:
                refused = answer
                break
        assert refused is not None
        assert refused.is_status(), refused
        assert "database space exceeded" in refused.tree["message"]
        kept = [one["metadata"]["name"] for one in (await listed(apiserver.url))["items"]]
        assert kept
        for name in kept[1:]:
            assert (await ask(apiserver.url, "DELETE", f"{PATH}/{name}")).status == 200
        await asyncio.to_thread(_make_room, member, await _revision(member))
        await eventually(lambda: _writable(apiserver, "after"), RECOVERY_SECONDS, "writes go on")
        assert {one["metadata"]["name"] for one in (await listed(apiserver.url))["items"]} == {kept[0], "after"}

    runner.run(scenario())


def test_compaction_ends_old_tokens_and_old_watches_but_no_running_one(
    runner: asyncio.Runner, apiserver: RunningApi, member: EtcdMember
) -> None:
    """Rule: https://kubernetes.io/docs/reference/using-api/api-concepts/#410-gone-responses"""

    async def scenario() -> None:
        for number in range(6):
            assert (await ask(apiserver.url, "POST", PATH, b'{"metadata":{"name":"c%d"}}' % number)).status == 201
        first = await listed(apiserver.url, "?limit=2")
        watching = Watching(lambda: apiserver.url, first["metadata"]["resourceVersion"])
        watch = asyncio.ensure_future(watching.run())
        assert (await ask(apiserver.url, "POST", PATH, b'{"metadata":{"name":"later"}}')).status == 201
        etcd = Etcd([member.endpoint])
        await etcd.compact(await etcd.revision())
        await etcd.close()
        expired = await ask(apiserver.url, "GET", f"{PATH}?limit=2&continue={first['metadata']['continue']}")
        assert (expired.status, expired.tree["reason"]) == (410, "Expired")
        rest = await listed(apiserver.url, f"?continue={expired.tree['metadata']['continue']}")
        assert [one["metadata"]["name"] for one in rest["items"]] == ["c2", "c3", "c4", "c5", "later"]
        exact = await ask(apiserver.url, "GET", f"{PATH}?resourceVersion=1&resourceVersionMatch=Exact")
        assert exact.status == 410
        assert (await ask(apiserver.url, "POST", PATH, b'{"metadata":{"name":"last"}}')).status == 201
        await eventually(lambda: _equal(watching.added, ["later", "last"]), RECOVERY_SECONDS, "the watch goes on")
        old = Watching(lambda: apiserver.url, "1")
        async with asyncio.timeout(RECOVERY_SECONDS):
            await old.run()
        assert old.expired
        watch.cancel()

    runner.run(scenario())


async def _failures(writers: Writers, before: int) -> bool:
    return writers.answers.total() - writers.answers[201] > before


async def _equal(found: list[str], expected: list[str]) -> bool:
    return found == expected


async def _writable(apiserver: RunningApi, name: str) -> bool:
    answer = await ask(apiserver.url, "POST", PATH, b'{"metadata":{"name":"%s"}}' % name.encode())
    return answer.status in (201, 409)


async def _revision(member: EtcdMember) -> int:
    etcd = Etcd([member.endpoint])
    try:
        return await etcd.revision()
    finally:
        await etcd.close()


def _make_room(member: EtcdMember, revision: int) -> None:
    member.call("kv/compaction", {"revision": str(revision), "physical": True})
    member.call("maintenance/defragment", {})
    for alarm in member.call("maintenance/alarm", {"action": "GET"})["alarms"]:
        member.call("maintenance/alarm", {"action": "DEACTIVATE", **alarm})
