"""Events: what happened to an object, for people (`kubectl describe`).

Promise: recording never blocks and never fails the caller; events are best effort. The same event again counts up one object
instead of making another; many similar ones (ten in ten minutes, differing in message) are gathered in one; a source that
floods one object is cut to a burst of 25 and then one in five minutes.
client-go tools/record (EventCorrelator)
"""

import asyncio
import logging
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from kube.api.meta import Key, Tree
from kube.api.status import ApiError, NotFound
from kube.api.types import Event
from kube.api.views import timestamp
from kube.client.rest import STRATEGIC, Client, Unreachable

log = logging.getLogger(__name__)

REMEMBERED = 4096  # events whose counts are known
SIMILAR_LIMIT, SIMILAR_SECONDS = 10, 600.0
BURST, REFILL_PER_SECOND = 25, 1 / 300
WAITING_LIMIT = 1000  # beyond this, new events are dropped: the server is away


@dataclass
class _Budget:
    """What one source may still say about one object."""

    tokens: float = BURST
    at: float = 0.0

    def take(self, now: float) -> bool:
        self.tokens = min(BURST, self.tokens + (now - self.at) * REFILL_PER_SECOND)
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


@dataclass
class _Similar:
    """Messages of one reason about one object."""

    messages: set[str] = field(default_factory=set)
    at: float = 0.0


class EventRecorder:
    """One a program; `run` sends what was recorded."""

    def __init__(self, client: Client, component: str, host: str = "") -> None:
        self._client = client
        self._component = component
        self._host = host
        self._waiting: asyncio.Queue[Tree] = asyncio.Queue(WAITING_LIMIT)
        self._sent: OrderedDict[tuple[str, ...], tuple[Key, int]] = OrderedDict()
        self._budgets: OrderedDict[str, _Budget] = OrderedDict()
        self._similar: OrderedDict[tuple[str, ...], _Similar] = OrderedDict()

    def event(self, about: Any, type: str, reason: str, message: str, *, field_path: str = "") -> None:
        """Record. `about` is a view, or a tree that is an ObjectReference."""
        reference = about if isinstance(about, dict) else reference_to(about)
        if field_path:
            reference = {**reference, "fieldPath": field_path}
        try:
            self._waiting.put_nowait({"involvedObject": reference, "type": type, "reason": reason, "message": message})
        except asyncio.QueueFull:
            log.warning("event dropped: %s %s", reason, message)

    async def run(self) -> None:
        while True:
            event = await self._waiting.get()
            try:
                await self._send(event)
            except (ApiError, Unreachable) as error:
                log.warning("event not recorded: %s: %s", event["reason"], error)

    async def _send(self, event: Tree) -> None:
        now = time.monotonic()
        about = event["involvedObject"]
        if not self._budget(str(about.get("uid") or about.get("name"))).take(now):
            return
        event = self._gathered(event, now)
        identity = tuple(
            str(part)
            for part in (about.get("kind"), about.get("namespace"), about.get("name"), about.get("uid"), about.get("fieldPath"),
                         event["type"], event["reason"], event["message"])
        )  # fmt: skip
        known = self._sent.get(identity)
        if known is not None and await self._count_up(identity, known, event):
            return
        key = await self._create(event)
        self._remember(self._sent, identity, (key, 1))

    async def _count_up(self, identity: tuple[str, ...], known: tuple[Key, int], event: Tree) -> bool:
        key, count = known
        patch = {"count": count + 1, "lastTimestamp": timestamp(datetime.now(UTC)), "message": event["message"]}
        try:
            await self._client.patch(Event, key, patch, type=STRATEGIC)
        except NotFound:
            return False  # its time is over: a new one begins
        self._remember(self._sent, identity, (key, count + 1))
        return True

    async def _create(self, event: Tree) -> Key:
        now = datetime.now(UTC)
        about = event["involvedObject"]
        namespace = about.get("namespace") or "default"
        name = f"{about['name']}.{time.time_ns():x}"
        await self._client.create(
            Event,
            {
                "metadata": {"name": name, "namespace": namespace},
                **event,
                "source": {"component": self._component, **({"host": self._host} if self._host else {})},
                "firstTimestamp": timestamp(now),
                "lastTimestamp": timestamp(now),
                "count": 1,
                "reportingComponent": self._component,
                "reportingInstance": self._host,
            },
        )
        return Key(namespace, name)

    def _gathered(self, event: Tree, now: float) -> Tree:
        """With the common message, once too many differ."""
        about = event["involvedObject"]
        group = (str(about.get("uid")), event["type"], event["reason"])
        similar = self._similar.get(group) or _Similar(at=now)
        if now - similar.at > SIMILAR_SECONDS:
            similar = _Similar(at=now)
        similar.messages.add(event["message"])
        self._remember(self._similar, group, similar)
        if len(similar.messages) < SIMILAR_LIMIT:
            return event
        return {**event, "message": f"(combined from similar events): {event['message']}"}

    def _budget(self, about: str) -> _Budget:
        budget = self._budgets.get(about) or _Budget(at=time.monotonic())
        self._remember(self._budgets, about, budget)
        return budget

    @staticmethod
    def _remember(known: "OrderedDict[Any, Any]", key: Any, value: Any) -> None:
        known[key] = value
        known.move_to_end(key)
        if len(known) > REMEMBERED:
            known.popitem(last=False)


def reference_to(view: Any) -> Tree:
    """The ObjectReference of a view."""
    metadata = view.metadata
    reference = {
        "apiVersion": view.apiVersion,
        "kind": view.kind,
        "namespace": metadata.namespace,
        "name": metadata.name,
        "uid": metadata.uid,
        "resourceVersion": metadata.resourceVersion,
    }
    return {name: value for name, value in reference.items() if value}
