"""ResourceQuota controller: what a namespace uses, counted anew whenever something in it comes, goes or ends.

The API server charges a quota before it stores an object and never pays back; this is who pays back. Pods, services and claims
are read in full, since what they take depends on what they say; of everything else that a quota names (count/...) only the
metadata is followed, from when the first quota names it. A count can be ahead of our caches, by an object that is charged but not
seen yet, and is put right soon: what comes, and each charge, is followed by a count a little later.
https://kubernetes.io/docs/concepts/policy/resource-quotas/ · kubernetes pkg/controller/resourcequota
"""

import asyncio
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from controller_manager.controller import Context, Controller
from controller_manager.counted_kinds import CountedKinds
from controller_manager.object_metadata import ObjectMetadata
from controller_manager.served_kinds import discovered, keep_up
from kube.api import quota
from kube.api.meta import Key, Tree, key_of
from kube.api.resource import Resource
from kube.api.resources import resource_of
from kube.api.status import ApiError
from kube.api.types import APIService, CustomResourceDefinition, PersistentVolumeClaim, Pod, ResourceQuota, Service
from kube.client.discovery import Discovered, discover
from kube.client.rest import Unreachable
from kube.component.logging import get_logger

log = get_logger(__name__)

READ_IN_FULL: tuple[type[Any], ...] = (Pod, Service, PersistentVolumeClaim)
AGAIN_SECONDS = 300.0  # upstream's resync period
UNLISTED_SECONDS = 2.0  # where a kind could not be listed: it keeps the count that it had
CHARGED_SECONDS = 2.0  # after a charge: what was charged for is there by then, or never


class ResourceQuotaController(Controller[Key]):
    name = "resourcequota-controller"
    reconciles = ResourceQuota

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._counted = CountedKinds(context.client, self._changed)
        self._tasks: asyncio.TaskGroup
        self._served_changed = asyncio.Event()
        for kind in (CustomResourceDefinition, APIService):
            followed = self.informer(ObjectMetadata, resource=resource_of(kind), metadata_only=True)
            followed.on_change(lambda old, new: self._served_changed.set())
        for kind in READ_IN_FULL:
            context.informers.of(kind).on_change(self._changed(resource_of(kind)))

    async def prepare(self, tasks: asyncio.TaskGroup) -> None:
        self._tasks = tasks
        self._served_changed.clear()  # what was there at the start is no change
        tasks.create_task(keep_up(self._served_changed, self._resync))

    def _own_event(self, old: ResourceQuota | None, new: ResourceQuota | None) -> None:
        if new is None or old is None or old.spec != new.spec:
            super()._own_event(old, new)
        elif old.status != new.status:
            self.queue.add_after(key_of(new), CHARGED_SECONDS)

    def _changed(self, row: Resource) -> Callable[[Any, Any], None]:
        """What went or takes less now is paid back at once; what came was charged before, and is only looked after."""
        what = (row.group, row.plural)

        def handle(old: Any, new: Any) -> None:
            obj = old if new is None else new
            quotas = self.cache(ResourceQuota).list(obj.metadata.namespace or "")
            if not quotas:
                return
            now = self.clock.now()
            if old is not None and new is not None and quota.usage(*what, old, now) == quota.usage(*what, new, now):
                return
            for one in quotas:
                if old is None:
                    self.queue.add_after(key_of(one), CHARGED_SECONDS)
                else:
                    self.queue.add(key_of(one))

        return handle

    async def reconcile(self, key: Key) -> float | None:
        found = self.cache(ResourceQuota).get(key)
        if found is None:
            return None
        hard = _hard(found)
        countable = await self._countable(hard)
        counted = [row for row in countable if await self._listed(row)]
        known = found.status
        before = (known.used if known is not None else None) or {}
        used = {name: before[name] for name in hard if name in before} | self._used(found, hard, counted)
        status: Tree = {"hard": hard, "used": used}
        if known is None or not _equal(known.hard, hard) or not _equal(known.used, used):
            await self.write_status(found, _replacing(known, status))
        if len(counted) < len(countable):
            self._served_changed.set()  # a kind that went before it was listed is let go
            return UNLISTED_SECONDS
        return AGAIN_SECONDS

    def _used(self, found: ResourceQuota, hard: Iterable[str], counted: Iterable[Resource]) -> dict[str, str]:
        now, namespace = self.clock.now(), found.metadata.namespace or ""
        total: dict[str, Decimal] = {}
        for row in counted:
            what = (row.group, row.plural)
            limited = [name for name in hard if quota.concerns(*what, name)]
            total |= {name: total.get(name, Decimal(0)) for name in limited}
            for obj in self._objects(row, namespace):
                if quota.applies(found, *what, obj):
                    usage = quota.usage(*what, obj, now)
                    for name in limited:
                        total[name] += usage.get(name, Decimal(0))
        return quota.rendered(total)

    def _objects(self, row: Resource, namespace: str) -> list[Any]:
        cache = self.cache(row.view) if row.view in READ_IN_FULL else self._counted.cache(row)
        return cache.list(namespace) if cache is not None else []

    async def _countable(self, hard: Iterable[str]) -> list[Resource]:
        """The resources that the quota's names are about."""
        full = [resource_of(kind) for kind in READ_IN_FULL]
        known = [*full, *self._counted.rows]
        if not all(any(quota.concerns(row.group, row.plural, name) for row in known) for name in hard):
            known = _once([*known, *await self._served()])
        return [row for row in known if any(quota.concerns(row.group, row.plural, name) for name in hard)]

    async def _listed(self, row: Resource) -> bool:
        return row.view in READ_IN_FULL or await self._counted.follow(row, self._tasks)

    async def _served(self) -> list[Resource]:
        try:
            found = await discover(self.client)
        except (ApiError, Unreachable) as error:
            log.warning("discovery failed", reason=error)
            return []
        return [row for row in found.resources if row.namespaced and {"list", "watch"} <= set(row.verbs)]

    async def _resync(self) -> Discovered:
        """Other kinds may be served now: what is counted by name is counted anew."""
        found = await discovered(self.client)
        self._counted.keep(found)
        for one in self.cache(ResourceQuota):
            if any(name.startswith(quota.COUNT) for name in _hard(one)):
                self.queue.add(key_of(one))
        return found


def _hard(found: ResourceQuota) -> dict[str, str]:
    return dict((found.spec.hard if found.spec is not None else None) or {})


def _once(rows: Iterable[Resource]) -> list[Resource]:
    """Each resource in one version."""
    found: dict[tuple[str, str], Resource] = {}
    for row in rows:
        found.setdefault((row.group, row.plural), row)
    return list(found.values())


def _equal(one: Any, other: Any) -> bool:
    return quota.parsed(one) == quota.parsed(other)


def _replacing(known: Any, status: Tree) -> Tree:
    """A merge patch that also takes away what is no longer limited."""
    for field in ("hard", "used"):
        before: dict[str, str] = dict((getattr(known, field, None) if known is not None else None) or {})
        status[field] = {**{name: None for name in before if name not in status[field]}, **status[field]}
    return status
