"""Convergence: whatever happens to its connections, an informer ends with the server's state; a leader ends in time."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from kube.api.meta import Key
from kube.api.types import ConfigMap, Lease
from kube.client import informer as informers
from kube.client.informer import Informer
from kube.client.leader import LostLease, lead
from kube.client.rest import Client
from tests.component.conftest import RunningApi
from tests.component.kube_client.faults import Proxy
from tests.wait import eventually

NAMES = [f"m{number}" for number in range(8)]
STEPS = 120


@asynccontextmanager
async def behind_proxy(apiserver: RunningApi) -> AsyncIterator[tuple[Proxy, Client]]:
    async with Proxy(urlsplit(apiserver.url).port or 0) as proxy:
        config = replace(apiserver.config(), server=f"http://127.0.0.1:{proxy.port}")
        async with Client(config, "test") as client:
            yield proxy, client


async def _change(client: Client, name: str, dice: random.Random) -> None:
    """Create, change or delete an object, as it happens to be."""
    there = {one.metadata.name for one in await client.list(ConfigMap, "default")}
    key = Key("default", name)
    if name not in there:
        await client.create(ConfigMap, {"metadata": {"name": name, "namespace": "default"}, "data": {"n": "0"}})
    elif dice.random() < 0.4:
        await client.delete(ConfigMap, key)
    else:
        await client.patch(ConfigMap, key, {"data": {"n": str(dice.random())}})


def _break(proxy: Proxy, dice: random.Random) -> None:
    if proxy.refuses:
        proxy.refuses = dice.random() < 0.5
        return
    match dice.choice(["cut", "freeze", "thaw", "refuse"]):
        case "cut":
            proxy.cut()
        case "freeze":
            proxy.freeze()
        case "thaw":
            proxy.thaw()
        case "refuse":
            proxy.refuses = True


@pytest.mark.parametrize("seed", range(4))
def test_cache_equals_the_list_after_any_faults(
    runner: asyncio.Runner, client: Client, apiserver: RunningApi, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """What if connections break, hang and are refused while objects come and go?"""
    monkeypatch.setattr(informers, "FIRST_PAUSE_SECONDS", 0.01)  # the pauses themselves are tested on virtual time
    monkeypatch.setattr(informers, "LONGEST_PAUSE_SECONDS", 0.05)
    dice = random.Random(seed)
    believed: dict[str, str] = {}  # what the handler was told, replayed

    def note(old: ConfigMap | None, new: ConfigMap | None) -> None:
        name = (new or old).metadata.name
        assert (old is None) == (name not in believed), "told of a change to what was not there, or of what was there already"
        if new is None:
            del believed[name]
        else:
            assert name not in believed or int(new.metadata.resourceVersion) > int(believed[name]), "told of an older form"
            believed[name] = new.metadata.resourceVersion

    async def scenario() -> None:
        async with behind_proxy(apiserver) as (proxy, through):
            informer = Informer(through, ConfigMap, namespace="default")
            informer.on_change(note)
            running = asyncio.ensure_future(informer.run())
            for _ in range(STEPS):
                if dice.random() < 0.3:
                    _break(proxy, dice)
                await _change(client, dice.choice(NAMES), dice)
            proxy.refuses = False
            proxy.thaw()
            there = {one.metadata.name: one.metadata.resourceVersion for one in await client.list(ConfigMap, "default")}

            async def agrees() -> bool:
                return believed == there and {one.metadata.name: one.metadata.resourceVersion for one in informer.cache} == there

            await eventually(agrees, within=20)
            running.cancel()
            await asyncio.wait({running})

    runner.run(scenario())


def test_leader_that_cannot_renew_stops_before_another_starts(
    runner: asyncio.Runner, client: Client, apiserver: RunningApi
) -> None:
    """Rule: client-go tools/leaderelection: renewDeadline is shorter than leaseDuration"""

    async def scenario() -> None:
        working: list[str] = []
        overlapped = False

        async def work(name: str) -> None:
            nonlocal overlapped
            overlapped = overlapped or bool(working)
            working.append(name)
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                working.remove(name)

        def candidate(of: Client, name: str) -> "asyncio.Task[None]":
            return asyncio.ensure_future(
                lead(
                    of, name="test", identity=name, namespace="default", work=lambda: work(name),
                    lease_seconds=2, renew_seconds=1, retry_seconds=0.1,
                )
            )  # fmt: skip

        async with behind_proxy(apiserver) as (proxy, through):
            first = candidate(through, "a")
            await eventually(lambda: _is(working == ["a"]), within=10)
            second = candidate(client, "b")
            proxy.freeze()
            with pytest.raises(LostLease, match="leaderelection lost: default/test"):
                await first
            assert working == []  # and the lease is not free yet
            await eventually(lambda: _is(working == ["b"]), within=10)
            lease = await client.get(Lease, "default", "test")
            assert (lease.spec.holderIdentity, lease.spec.leaseTransitions) == ("b", 1)
            assert not overlapped
            second.cancel()
            with suppress(asyncio.CancelledError):
                await second

    runner.run(scenario())


def test_leader_survives_a_short_fault(runner: asyncio.Runner, client: Client, apiserver: RunningApi) -> None:
    async def scenario() -> None:
        async with behind_proxy(apiserver) as (proxy, through):
            ended = False

            async def work() -> None:
                nonlocal ended
                try:
                    await asyncio.get_running_loop().create_future()
                finally:
                    ended = True

            task = asyncio.ensure_future(
                lead(
                    through, name="test", identity="a", namespace="default", work=work,
                    lease_seconds=10, renew_seconds=8, retry_seconds=0.05,
                )
            )  # fmt: skip
            renewed = await eventually(lambda: _renewal(client, ""), within=10)
            proxy.refuses = True
            proxy.cut()
            asyncio.get_running_loop().call_later(0.3, setattr, proxy, "refuses", False)
            await eventually(lambda: _renewal(client, renewed), within=10)
            assert not ended
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    runner.run(scenario())


async def _renewal(client: Client, before: str) -> str:
    """The lease's version, once it is another; empty until then."""
    leases = await client.list(Lease, "default")
    version = str(leases[0].metadata.resourceVersion) if leases else ""
    return version if version != before else ""


async def _is(value: bool) -> bool:
    return value
