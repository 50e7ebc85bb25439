"""Proxy: keeps this node's rules in step with the Services and EndpointSlices.

A change marks its Service dirty and wakes the loop; what comes while a sync runs, or within `pace` seconds of it, is taken
together by the next one. A sync computes the dirty Services' rules and has the mode carry out the difference. The first sync
makes everything, and so does one after a refused one, tried again after a growing pause. Nothing runs while nothing changes, save
a look every `sync_period` whether the rules are still there.
https://kubernetes.io/docs/reference/networking/virtual-ips/ · upstream pkg/proxy/nftables/proxier.go
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from pyroute2.netlink.exceptions import NetlinkError

from kube.api.meta import Key, key_of
from kube.api.types import EndpointSlice, Node, Service
from kube.client.informer import Informer, Informers
from kube.component.logging import get_logger
from kube_proxy import conntrack, metrics
from kube_proxy.mode import Mode, Refused, to_its_end
from kube_proxy.rules import HEADLESS_LABEL, SERVICE_NAME_LABEL, Place, PortRule, rules

log = get_logger(__name__)

BY_SERVICE = "service"
ZONE_LABEL = "topology.kubernetes.io/zone"
TRIGGER_ANNOTATION = "endpoints.kubernetes.io/last-change-trigger-time"
AT_ONCE = 200  # Services computed between two turns of the event loop
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 30.0  # after a refused transaction


class Proxy:
    def __init__(
        self, informers: Informers, node: str, own_node: Informer[Node], mode: Mode, *, pace: float, sync_period: float
    ) -> None:
        self.queued_at: float | None = None  # since when a change waits; None: nothing waits
        self.synced_at: float | None = None  # times of time.time()
        self.on_rules: list[Callable[[Key, Sequence[PortRule]], None]] = []
        self._here = Place(node)
        self._mode = mode
        self._pace, self._sync_period = pace, sync_period
        self._rules: dict[Key, list[PortRule]] = {}
        self._changed: list[tuple[list[PortRule], list[PortRule]]] = []  # before and after, since the last good sync
        self._dirty: set[Key] = set()
        self._whole = True  # the next sync makes the table anew
        self._wake = asyncio.Event()
        self._triggers: list[datetime] = []
        self._started = datetime.now(UTC)
        self._services = informers.of(Service)
        self._slices = informers.of(EndpointSlice)
        self._slices.cache.add_index(BY_SERVICE, _service_of)
        self._own_node = own_node
        own_node.on_change(self._node_changed)
        self._services.on_change(self._service_changed)
        self._slices.on_change(self._slice_changed)

    async def run(self) -> None:
        """Sync until cancelled. The rules stay: connections go on while no proxy runs."""
        await self._services.synced.wait()
        await self._slices.synced.wait()
        await self._own_node.synced.wait()
        self._wake.set()
        pause = FIRST_PAUSE_SECONDS
        try:
            while True:
                try:
                    await self._wait()
                    await self._sync()
                    pause = FIRST_PAUSE_SECONDS
                    await asyncio.sleep(self._pace)
                except (Refused, NetlinkError, OSError) as error:
                    metrics.SYNC_FAILURES.inc()
                    log.error("rules refused, making all of them anew", reason=error)
                    self._whole = True
                    self._wake.set()
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        finally:
            await self._mode.close()

    async def _wait(self) -> None:
        """Until there is something to do: a change, or the table is gone."""
        while not self._wake.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._sync_period):
                    await self._wake.wait()
                return
            if not await self._mode.intact():
                log.warning("somebody removed the rules, making them anew")
                self._whole = True
                return

    async def _sync(self) -> None:
        began = time.perf_counter()
        self._wake.clear()
        dirty, self._dirty = self._dirty, set()
        triggers, self._triggers = self._triggers, []
        queued_at, self.queued_at = self.queued_at, None
        whole = self._whole
        try:
            await self._apply(dirty, whole)
        except BaseException:
            self.queued_at = queued_at or time.time()
            raise
        self._whole = False
        self.synced_at = time.time()
        forgotten = await to_its_end(conntrack.forget_stale, conntrack.fronts(self._changed))
        self._changed = []
        metrics.FLOWS_FORGOTTEN.labels("IPv4").inc(forgotten)
        took = time.perf_counter() - began
        metrics.SYNC_SECONDS.observe(took)
        (metrics.FULL_SYNC_SECONDS if whole else metrics.PARTIAL_SYNC_SECONDS).observe(took)
        metrics.LAST_SYNC.set(self.synced_at)
        for trigger in triggers:
            metrics.PROGRAMMING_SECONDS.observe(max(0.0, self.synced_at - trigger.timestamp()))
        log.debug("rules synced", services=len(self._rules), dirty=len(dirty), seconds=f"{took:.4f}", forgotten=forgotten)

    async def _apply(self, dirty: Iterable[Key], whole: bool) -> None:
        """Compute the dirty Services anew and have them carried out."""
        for count, key in enumerate(dirty, 1):
            before, now = self._rules.get(key, []), self._rules_of(key)
            if before != now:
                self._mode.take(key, now)
                self._changed.append((before, now))
                self._keep(key, now)
            if count % AT_ONCE == 0:
                await asyncio.sleep(0)
        await self._mode.sync(whole=whole)

    def _rules_of(self, key: Key) -> list[PortRule]:
        service = self._services.cache.get(key)
        return rules(service, self._slices.cache.by_index(BY_SERVICE, str(key)), self._here) if service is not None else []

    def _keep(self, key: Key, now: list[PortRule]) -> None:
        if now:
            self._rules[key] = now
        else:
            self._rules.pop(key, None)
        for tell in self.on_rules:
            tell(key, now)

    def _node_changed(self, _: Node | None, new: Node | None) -> None:
        """Hints are by zone; a node that moves to another one is rare enough to look at all Services."""
        zone = ((new.metadata.labels or {}) if new is not None else {}).get(ZONE_LABEL, "")
        if zone != self._here.zone:
            self._here = self._here._replace(zone=zone)
            for key in [*self._rules]:
                self._mark(key)

    def _service_changed(self, old: Service | None, new: Service | None) -> None:
        metrics.SERVICE_CHANGES.inc()
        self._mark(key_of(new or old))

    def _slice_changed(self, old: EndpointSlice | None, new: EndpointSlice | None) -> None:
        metrics.ENDPOINT_CHANGES.inc()
        for view in (old, new):
            for text in _service_of(view) if view is not None else ():
                self._mark(Key(*text.split("/", 1)))
        trigger = trigger_of(new)
        if trigger is not None and trigger > self._started:
            self._triggers.append(trigger)

    def _mark(self, key: Key) -> None:
        self._dirty.add(key)
        if self.queued_at is None:
            self.queued_at = time.time()
            metrics.LAST_QUEUED.set(self.queued_at)
        self._wake.set()


def _service_of(slice_: EndpointSlice) -> Iterable[str]:
    """The Service that a slice belongs to, as namespace/name; those of headless ones are nothing to us."""
    labels = slice_.metadata.labels or {}
    name = labels.get(SERVICE_NAME_LABEL)
    return (f"{slice_.metadata.namespace}/{name}",) if name and HEADLESS_LABEL not in labels else ()


def trigger_of(slice_: EndpointSlice | None) -> datetime | None:
    """When the pod or Service changed that made the slice change, as its controller noted; None for what is no moment. Pure."""
    text = ((slice_.metadata.annotations or {}) if slice_ is not None else {}).get(TRIGGER_ANNOTATION)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
