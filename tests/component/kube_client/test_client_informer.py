"""The informer against the real API server: it converges, whatever happens to the connection."""

import asyncio
from functools import partial

import pytest

from kube.api.meta import Key
from kube.api.resources import resource_of
from kube.api.types import ConfigMap, Service
from kube.client.informer import Informer
from kube.client.page import decode_page
from kube.client.rest import Client, PatchType
from tests.component.conftest import RunningApi
from tests.wait import eventually


def a_config_map(name: str, **data: str) -> dict[str, object]:
    return {"metadata": {"name": name, "namespace": "default"}, "data": data}


def test_informer_follows_what_is_there_and_what_comes(runner: asyncio.Runner, client: Client) -> None:
    """Rule: client-go shared informer: list, then every change, each told with the form before."""

    async def scenario() -> None:
        await client.create(ConfigMap, a_config_map("before", a="1"))
        informer = Informer(client, ConfigMap, namespace="default")
        told: list[tuple[str, str, str]] = []

        def note(old: ConfigMap | None, new: ConfigMap | None) -> None:
            name = (new or old).metadata.name
            told.append((name, (old.data or {}).get("a", "") if old else "-", (new.data or {}).get("a", "") if new else "-"))

        informer.on_change(note)
        running = asyncio.ensure_future(informer.run())
        await informer.synced.wait()
        await client.create(ConfigMap, a_config_map("after", a="1"))
        await client.patch(ConfigMap, Key("default", "after"), {"data": {"a": "2"}})
        await client.delete(ConfigMap, Key("default", "before"))
        await eventually(lambda: _is(len(told) >= 4), within=10)
        running.cancel()
        assert told == [("before", "-", "1"), ("after", "-", "1"), ("after", "1", "2"), ("before", "1", "-")]
        assert informer.cache.keys() == {Key("default", "after")}

    runner.run(scenario())


def test_an_odd_status_is_followed_as_go_reads_it(runner: asyncio.Runner, client: Client) -> None:
    """Who may write a status may write a condition without its time, for which Go has a zero: no program ends of it.

    Rule: encoding/json; before and after the informer began, by list and by watch
    """

    async def scenario() -> None:
        key = Key("default", "odd")
        ports = {"ports": [{"port": 80}], "clusterIP": "None"}
        await client.create(Service, {"metadata": {"name": key.name, "namespace": key.namespace}, "spec": ports})
        odd = {"status": {"conditions": [{"type": "A"}]}}
        await client.patch(Service, key, odd, type=PatchType.MERGE, subresource="status")
        informer = Informer(client, Service, namespace="default")
        running = asyncio.ensure_future(informer.run())
        await asyncio.wait((running, asyncio.ensure_future(informer.synced.wait())), return_when=asyncio.FIRST_COMPLETED)
        odd["status"]["conditions"].append({"message": "B"})
        await client.patch(Service, key, odd, type=PatchType.MERGE, subresource="status")

        async def seen() -> bool:
            known = informer.cache.get(key)
            assert known is not None
            return [(one.type, one.lastTransitionTime.year) for one in known.status.conditions or ()] == [("A", 1), ("", 1)]

        await eventually(seen, within=10)
        assert not running.done()
        running.cancel()
        await client.delete(Service, key)

    runner.run(scenario())


def test_an_object_that_is_none_of_its_kind_is_left_out_of_a_page(caplog: pytest.LogCaptureFixture) -> None:
    """Rule: module docstring of kube/client/page.py."""
    body = b'{"metadata": {"resourceVersion": "7"}, "items": [{"metadata": {"name": "a"}}, {"metadata": {"name": 5}}]}'
    page = decode_page(ConfigMap, resource_of(ConfigMap), body)
    assert ([one.metadata.name for one in page.items], page.revision) == (["a"], "7")
    assert "is left out" in caplog.text


def test_selector_narrows_what_an_informer_sees(runner: asyncio.Runner, client: Client) -> None:
    async def scenario() -> None:
        informer = Informer(client, ConfigMap, namespace="default", field_selector="metadata.name=wanted")
        running = asyncio.ensure_future(informer.run())
        await informer.synced.wait()
        await client.create(ConfigMap, a_config_map("other"))
        await client.create(ConfigMap, a_config_map("wanted"))
        await eventually(lambda: _is(len(informer.cache) == 1), within=10)
        running.cancel()
        assert informer.cache.keys() == {Key("default", "wanted")}

    runner.run(scenario())


def test_two_informers_end_with_the_servers_state_after_a_flood(
    runner: asyncio.Runner, client: Client, apiserver: RunningApi
) -> None:
    """What if objects are written, changed and deleted while the first list is still being read?"""

    async def scenario() -> None:
        informers = [Informer(client, ConfigMap, namespace="default") for _ in range(2)]
        running = [asyncio.ensure_future(informer.run()) for informer in informers]
        for number in range(60):
            await client.create(ConfigMap, a_config_map(f"m{number}"))
            if number % 3 == 0:
                await client.delete(ConfigMap, Key("default", f"m{number}"))
        there = {Key("default", one.metadata.name) for one in await client.list(ConfigMap, "default")}
        for informer in informers:
            await eventually(partial(_holds, informer, there), within=10)
        for task in running:
            task.cancel()

    runner.run(scenario())


async def _holds(informer: Informer[ConfigMap], keys: set[Key]) -> bool:
    return informer.cache.keys() == keys


async def _is(value: bool) -> bool:
    return value
