"""Events: one object in two forms, v1 and events.k8s.io/v1, as the official suite uses both."""

import asyncio

import pytest

from kube.api.meta import Tree
from kube.api.resources import resource_for
from kube.api.status import NotFound
from kube.client.rest import STRATEGIC, Client
from tests.component.apiserver_kinds.lifecycle import Kind

MOMENT = "2017-09-19T13:49:16.000000Z"
OLD: Tree = {
    "message": "This is a test event", "reason": "Test", "type": "Normal", "count": 1,
    "involvedObject": {"namespace": "default"},
}  # fmt: skip
NEW: Tree = {
    "regarding": {"namespace": "default"}, "eventTime": MOMENT, "note": "This is a test event", "action": "Do", "reason": "Test",
    "type": "Normal", "reportingInstance": "test-node", "reportingController": "test-controller",
}  # fmt: skip
FORMS = [("", OLD, "message"), ("events.k8s.io", NEW, "note")]


@pytest.mark.parametrize(("group", "body", "text"), FORMS)
def test_the_life_of_an_event(runner: asyncio.Runner, client: Client, group: str, body: Tree, text: str) -> None:
    """Made, found in all namespaces, patched, updated with a series, deleted.

    Conformance: [sig-instrumentation] Events should manage the lifecycle of an event [Conformance]
    Conformance: [sig-instrumentation] Events API should ensure that an event can be fetched, patched, deleted, and listed [Conformance]
    """  # noqa: E501
    kind = Kind(client, resource_for(group, "v1", "events"))

    async def scenario() -> None:
        made = await kind.make("one", body)
        assert made[text] == body[text]
        assert await kind.names() == await kind.names(everywhere=True) == ["one"]
        assert await kind.get("one") == made
        patch = {"series": {"count": 2, "lastObservedTime": "2018-01-01T00:00:00.000000Z"}}
        patched = await client.patch(kind.row, kind.key("one"), patch, type=STRATEGIC)
        assert patched["series"] == patch["series"]
        patched["series"] = {"count": 100, "lastObservedTime": "2017-09-19T13:49:16.000000Z"}
        updated = await client.update(kind.row, patched)
        assert updated["series"]["count"] == 100
        assert {**updated, "metadata": None} == {**await kind.get("one"), "metadata": None}
        await kind.delete("one")
        with pytest.raises(NotFound):
            await kind.get("one")

    runner.run(scenario())


@pytest.mark.parametrize(("group", "body", "text"), FORMS)
def test_a_collection_of_events_is_deleted(runner: asyncio.Runner, client: Client, group: str, body: Tree, text: str) -> None:
    """Conformance: [sig-instrumentation] Events should delete a collection of events [Conformance]
    Conformance: [sig-instrumentation] Events API should delete a collection of events [Conformance]
    """
    kind = Kind(client, resource_for(group, "v1", "events"))

    async def scenario() -> None:
        for name in ("one", "two", "three"):
            assert (await kind.make(name, body))[text] == body[text]
        assert len(await kind.names()) == 3
        await kind.delete_collection()
        assert await kind.names() == []

    runner.run(scenario())


def test_an_event_is_seen_in_both_forms(runner: asyncio.Runner, client: Client) -> None:
    """Rule: kubernetes pkg/apis/events/v1/conversion.go; behaviour E.7 79"""
    old, new = (Kind(client, resource_for(group, "v1", "events")) for group, _, _ in FORMS)

    async def scenario() -> None:
        moments = {"firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-01T00:00:01Z"}
        source = {"component": "kubelet", "host": "n"}
        made = await old.make("one", {**OLD, **moments, "source": source})
        shown = await new.get("one")
        assert (shown["note"], shown["regarding"], shown["reason"]) == (OLD["message"], {"namespace": "default"}, "Test")
        assert (shown["deprecatedCount"], shown["deprecatedSource"], shown["eventTime"]) == (1, source, None)
        assert shown["deprecatedFirstTimestamp"] == moments["firstTimestamp"]
        assert shown["deprecatedLastTimestamp"] == moments["lastTimestamp"]
        assert shown["metadata"]["uid"] == made["metadata"]["uid"]
        made = await new.make("two", NEW)
        seen = await old.get("two")
        assert (seen["message"], seen["involvedObject"], seen["eventTime"]) == (NEW["note"], NEW["regarding"], MOMENT)
        assert (seen["reportingComponent"], seen["reportingInstance"]) == ("test-controller", "test-node")
        assert (seen["firstTimestamp"], seen["lastTimestamp"], seen["source"]) == (None, None, {})
        assert await old.names() == await new.names() == ["one", "two"]

    runner.run(scenario())
