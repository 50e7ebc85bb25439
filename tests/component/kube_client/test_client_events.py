"""Events on the real API server, as kubectl describe reads them."""

import asyncio

from kube.api.types import ConfigMap, Event
from kube.client.event_correlation import COMBINED, SIMILAR_LIMIT
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
