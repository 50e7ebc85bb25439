"""Events: what happened to an object, for people (`kubectl describe`).

Promise: recording never blocks and never fails the caller; events are best effort: they wait while the server is away, up to a
limit, and are dropped with a line in the log where it refuses them. Repetitions count up one Event, similar ones are gathered,
floods are cut (see `event_correlation`).
https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/ · client-go tools/record/event.go
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from kube.api.meta import Key, Tree
from kube.api.status import ApiError, NotFound
from kube.api.types import Event
from kube.api.views import timestamp
from kube.client.event_correlation import Correlator, Verdict
from kube.client.rest import STRATEGIC, Client, Unreachable

log = logging.getLogger(__name__)

WAITING_LIMIT = 1000  # beyond this, new events are dropped: the server is away
TRIES = 12  # maxTriesPerEvent
RETRY_SECONDS = 10.0  # defaultSleepDuration; the first pause is a random part of it


class EventRecorder:
    """One a program; `run` sends what was recorded."""

    def __init__(self, client: Client, component: str, host: str = "") -> None:
        self._client = client
        self._component = component
        self._host = host
        self._waiting: asyncio.Queue[Tree] = asyncio.Queue(WAITING_LIMIT)
        self._correlator = Correlator()

    def event(self, about: Any, type: str, reason: str, message: str, *, field_path: str = "") -> None:
        """Record. `about` is a view, or a tree that is an ObjectReference."""
        reference = about if isinstance(about, dict) else reference_to(about)
        if field_path:
            reference = {**reference, "fieldPath": field_path}
        moment = datetime.now(UTC)
        try:
            self._waiting.put_nowait(
                {
                    "involvedObject": reference,
                    "type": type,
                    "reason": reason,
                    "message": message,
                    "lastTimestamp": timestamp(moment),
                }
            )
        except asyncio.QueueFull:
            log.warning("event dropped: %s %s", reason, message)

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            event = await self._waiting.get()
            verdict = self._correlator.judge(event, asyncio.get_running_loop().time())
            if verdict is not None:
                await self._tell({**event, "message": verdict.message, "count": verdict.count}, verdict)

    async def _tell(self, event: Tree, verdict: Verdict) -> None:
        async def send() -> None:
            if verdict.key is None or not await self._count_up(event, verdict.key):
                self._correlator.told(verdict, await self._create(event))

        await deliver(send, event["reason"], event["message"])

    async def _count_up(self, event: Tree, key: Key) -> bool:
        """False where the Event is gone: its time was over."""
        patch = {name: event[name] for name in ("count", "lastTimestamp", "message")}
        try:
            await self._client.patch(Event, key, patch, type=STRATEGIC)
        except NotFound:
            return False
        return True

    async def _create(self, event: Tree) -> Key:
        about = event["involvedObject"]
        key = Key(about.get("namespace") or "default", f"{about['name']}.{time.time_ns():x}")
        source = {"component": self._component, "host": self._host}
        tree = {
            "metadata": {"name": key.name, "namespace": key.namespace},
            **event,
            "source": {name: value for name, value in source.items() if value},
            "firstTimestamp": event["lastTimestamp"],
            "reportingComponent": self._component,
            "reportingInstance": self._host,
        }
        await self._client.create(Event, tree)
        return key


async def deliver(send: Callable[[], Awaitable[None]], reason: str, message: str) -> None:
    """Try until the server has it; not forever, and not again where it is refused."""
    for failures in range(TRIES):
        try:
            await send()
        except Unreachable:
            await asyncio.sleep(RETRY_SECONDS if failures else RETRY_SECONDS * random.random())
            continue
        except ApiError as error:
            log.warning("event not recorded: %s: %s", reason, error)
        return
    log.warning("event dropped, the server cannot be reached: %s %s", reason, message)


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
