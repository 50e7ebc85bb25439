"""Events on the real API server, as kubectl describe reads them."""

import asyncio

from kube.api.types import ConfigMap, Event
from kube.client.event_correlation import COMBINED, SIMILAR_LIMIT
from kube.client.event_series import SeriesRecorder
from kube.client.events import EventRecorder
from kube.client.rest import Client
from tests.wait import eventually


async def _recorded(client: Client, count: int) -> list[Event]:
    found = await client.list(Event, "default", field_selector="involvedObject.name=x")
    return found if sum(one.count or 0 for one in found) == count else []


def test_repeated_event_is_one_object_that_counts(runner: asyncio.Runner, client: Client) -> None:
    """Rule: client-go tools/record; the fields kubectl describe prints"""

    async def scenario() -> None:
        await client.create(ConfigMap, {"metadata": {"name": "x", "namespace": "default"}})
        about = await client.get(ConfigMap, "default", "x")
        recorder = EventRecorder(client, "kubelet", "node-1")
        running = asyncio.ensure_future(recorder.run())
        for _ in range(3):
            recorder.event(about, "Warning", "BackOff", "Back-off restarting failed container", field_path="spec.containers{c}")
        (event,) = await eventually(lambda: _recorded(client, 3), within=10)
        running.cancel()
        reference = event.involvedObject
        assert (reference.apiVersion, reference.kind, reference.namespace, reference.name) == ("v1", "ConfigMap", "default", "x")
        assert (reference.uid, reference.fieldPath) == (about.metadata.uid, "spec.containers{c}")
        assert (event.type, event.reason, event.message) == ("Warning", "BackOff", "Back-off restarting failed container")
        assert (event.source.component, event.source.host) == ("kubelet", "node-1")
        assert (event.reportingComponent, event.reportingInstance) == ("kubelet", "node-1")
        assert event.firstTimestamp <= event.lastTimestamp
        assert event.metadata.name.startswith("x.")

    runner.run(scenario())


def test_similar_events_end_in_one(runner: asyncio.Runner, client: Client) -> None:
    async def scenario() -> None:
        await client.create(ConfigMap, {"metadata": {"name": "x", "namespace": "default"}})
        about = await client.get(ConfigMap, "default", "x")
        recorder = EventRecorder(client, "kubelet")
        running = asyncio.ensure_future(recorder.run())
        for number in range(SIMILAR_LIMIT + 4):
            recorder.event(about, "Normal", "Pulled", f"image {number}")
        events = await eventually(lambda: _recorded(client, SIMILAR_LIMIT + 4), within=10)
        running.cancel()
        assert len(events) == SIMILAR_LIMIT
        (combined,) = (one for one in events if one.count > 1)
        assert (combined.message, combined.count) == (f"{COMBINED}image {SIMILAR_LIMIT + 3}", 5)

    runner.run(scenario())


def test_what_is_done_again_becomes_a_series(runner: asyncio.Runner, client: Client) -> None:
    """Rule: client-go tools/events; seen through the core group, as kubectl does."""

    async def scenario() -> None:
        await client.create(ConfigMap, {"metadata": {"name": "x", "namespace": "default"}})
        about = await client.get(ConfigMap, "default", "x")
        recorder = SeriesRecorder(client, "default-scheduler")
        running = asyncio.ensure_future(recorder.run())
        for _ in range(2):
            recorder.event(about, "Normal", "Preempted", "Preempting", "n" * 2000, related=about)

        async def a_series() -> list[Event]:
            return [one for one in await client.list(Event, "default") if one.series is not None]

        (event,) = await eventually(a_series, within=10)
        running.cancel()
        assert len(await client.list(Event, "default")) == 1
        assert (event.series.count, event.count, event.firstTimestamp) == (2, None, None)
        assert event.eventTime <= event.series.lastObservedTime
        assert (event.reportingComponent, event.action, event.source.component) == ("default-scheduler", "Preempting", None)
        assert event.reportingInstance.startswith("default-scheduler-")
        assert (event.involvedObject.uid, event.related.uid) == (about.metadata.uid, about.metadata.uid)
        assert (len(event.message), event.message[-5:]) == (1024, "n ...")

    runner.run(scenario())
