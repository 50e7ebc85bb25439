"""Event series: what a program did about an object, told as events of events.k8s.io/v1 (the scheduler's are).

Promise: as in `events`, recording never blocks and never fails the caller. The same thing done again is no new Event: the second
time begins a series, which is written down at once; from then on it is counted here alone, and written every half hour and when
nothing came for six minutes, which ends it.
https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/ · KEP-383
client-go tools/events/event_broadcaster.go
"""

import asyncio
import socket
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from kube.api.meta import Key, Tree
from kube.api.status import NotFound
from kube.api.types import EventsEvent
from kube.api.views import micro_timestamp
from kube.client.events import WAITING_LIMIT, deliver, log, reference_to
from kube.client.rest import STRATEGIC, Client

FINISH_SECONDS, REFRESH_SECONDS = 360.0, 1800.0
REMEMBERED = 4096  # what was done longest ago is forgotten: done again, it is a new Event
NOTE_LENGTH, CUT = 1024, " ..."


@dataclass
class Told:
    """An Event that there is, or will be as soon as it is sent."""

    event: Tree
    latest: float
    written: float
    count: int = 1


class SeriesBook:
    """Which events are the same again. Pure but for its memory: the time, in seconds that only grow, is passed in."""

    def __init__(self) -> None:
        self._told: OrderedDict[bytes, Told] = OrderedDict()

    def tell(self, event: Tree, now: float) -> Told | None:
        """What is to be sent now, if anything: a new event, or one that has just become a series."""
        key = orjson.dumps([event.get(name) for name in ("type", "action", "reason", "regarding", "related")])
        told = self._told.get(key)
        if told is None:
            told = self._told[key] = Told(event, now, now)
            if len(self._told) > REMEMBERED:
                self._told.popitem(last=False)
            return told
        self._told.move_to_end(key)
        told.count, told.latest = told.count + 1, now
        told.event = {**told.event, "series": {"count": told.count, "lastObservedTime": event["eventTime"]}}
        return told if told.count == 2 else None

    def due(self, now: float) -> list[Told]:
        """The series to write again: those that have ended, which are forgotten, and those not written for long."""
        ended = [key for key, told in self._told.items() if now - told.latest > FINISH_SECONDS]
        found = [told for told in map(self._told.pop, ended) if told.count > 1]
        for told in self._told.values():
            if told.count > 1 and now - told.written > REFRESH_SECONDS:
                told.written = now
                found.append(told)
        return found


class SeriesRecorder:
    """One for each name under which a program reports; `run` sends what was recorded."""

    def __init__(self, client: Client, controller: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._reporter = {"reportingController": controller, "reportingInstance": f"{controller}-{socket.gethostname()}"}
        self._clock = clock
        self._waiting: asyncio.Queue[Tree] = asyncio.Queue(WAITING_LIMIT)
        self._book = SeriesBook()

    def event(self, about: Any, type: str, reason: str, action: str, note: str, *, related: Any = None) -> None:
        """Record. `about` and `related` are views."""
        regarding = reference_to(about)
        event: Tree = {
            "metadata": {"name": f"{regarding['name']}.{time.time_ns():x}", "namespace": regarding.get("namespace") or "default"},
            "eventTime": micro_timestamp(datetime.now(UTC)),
            **self._reporter,
            "type": type,
            "reason": reason,
            "action": action,
            "note": note if len(note) <= NOTE_LENGTH else note[: NOTE_LENGTH - len(CUT)] + CUT,
            "regarding": regarding,
        }
        if related is not None:
            event["related"] = reference_to(related)
        try:
            self._waiting.put_nowait(event)
        except asyncio.QueueFull:
            log.warning("event dropped: %s %s", reason, note)

    async def run(self) -> None:
        """Send until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._finish())
            while True:
                told = self._book.tell(await self._waiting.get(), self._clock())
                if told is not None:
                    await self._send(told.event)

    async def _finish(self) -> None:
        while True:
            await asyncio.sleep(FINISH_SECONDS)
            for told in self._book.due(self._clock()):
                await self._send(told.event)

    async def _send(self, event: Tree) -> None:
        await deliver(lambda: self._write(event), event["reason"], event["note"])

    async def _write(self, event: Tree) -> None:
        key = Key(event["metadata"]["namespace"], event["metadata"]["name"])
        if "series" in event:
            try:
                await self._client.patch(EventsEvent, key, {"series": event["series"]}, type=STRATEGIC)
                return
            except NotFound:
                pass  # its time was over
        await self._client.create(EventsEvent, event)
