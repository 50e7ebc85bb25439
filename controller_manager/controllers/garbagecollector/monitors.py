"""Monitors: informers over the metadata of every deletable resource, whichever those are just now.

A resource that another controller follows anyway is read from that informer. Which resources there are is asked when the program
starts, and again when that may have changed (`served_kinds`); of a version whose own server does not answer, what was followed is
followed on.
https://kubernetes.io/docs/reference/using-api/api-concepts/#partial-object-metadata-fetches
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from controller_manager.served_kinds import CHANGES_DISCOVERY, discovered, keep_up
from kube.api.resource import Resource
from kube.api.resources import resource_for
from kube.client.discovery import Discovered
from kube.client.informer import Informer, Informers
from kube.client.rest import Client
from kube.component.logging import get_logger

log = get_logger(__name__)

Seen = Callable[[Resource, Any, Any], None]  # resource, metadata before, metadata after
IGNORED = frozenset({("", "events"), ("events.k8s.io", "events")})  # they live an hour, and nobody owns them


class _Owner(msgspec.Struct):
    apiVersion: str  # noqa: N815 -- the API's own names
    kind: str
    name: str
    uid: str
    controller: bool | None = None
    blockOwnerDeletion: bool | None = None  # noqa: N815


class _Meta(msgspec.Struct):
    name: str
    uid: str
    namespace: str | None = None
    resourceVersion: str = ""  # noqa: N815
    deletionTimestamp: str | None = None  # noqa: N815
    finalizers: list[str] | None = None
    ownerReferences: list[_Owner] | None = None  # noqa: N815


class Metadata(msgspec.Struct):
    """An object of which only that is kept which the collector needs."""

    metadata: _Meta


class Monitors:
    def __init__(self, client: Client, informers: Informers, seen: Seen) -> None:
        self._client = client
        self._informers = informers
        self._seen = seen
        self._running: dict[tuple[str, str], tuple[Resource, Informer[Any], asyncio.Task[None] | None]] = {}
        self._known: dict[tuple[str, str], Resource] = {}  # by apiVersion and kind
        self._changed = asyncio.Event()

    def resource(self, api_version: str, kind: str) -> Resource | None:
        """The resource of an owner reference."""
        return self._known.get((api_version, kind))

    async def start(self, tasks: asyncio.TaskGroup) -> None:
        """Follow what there is, and return once every first list was told; then keep up in the background."""
        found = await self._resync(tasks)
        for _, informer, _ in list(self._running.values()):
            await informer.synced.wait()
        if not found.stale:
            self._changed.clear()  # what was there at the start is no change
        tasks.create_task(keep_up(self._changed, lambda: self._resync(tasks)))

    async def _resync(self, tasks: asyncio.TaskGroup) -> Discovered:
        found = await discovered(self._client)
        self._known = known(found, self._known)
        wanted = {(row.group, row.plural): row for row in monitored(found.resources)}
        for name, (row, _, _) in list(self._running.items()):
            if not found.serves(row):
                self._stop(name)
        for name, row in wanted.items():
            if name not in self._running:
                self._running[name] = self._follow(row, tasks)
        return found

    def _follow(self, row: Resource, tasks: asyncio.TaskGroup) -> tuple[Resource, Informer[Any], asyncio.Task[None] | None]:
        builtin = resource_for(row.group, row.version, row.plural)
        if builtin is not None and builtin.view in self._informers.kinds():
            informer: Informer[Any] = self._informers.of(builtin.view)
            task = None
        else:
            informer = Informer(self._client, Metadata, resource=row, metadata_only=True)
            task = tasks.create_task(informer.run(), name=f"metadata of {row.qualified}")
        informer.on_change(self._handler(row))
        log.debug("monitor started", resource=row.qualified, shared=task is None)
        return row, informer, task

    def _stop(self, name: tuple[str, str]) -> None:
        """The resource is no more, and so are its objects; or it is not served in this version any more."""
        row, informer, task = self._running.pop(name)
        if task is not None:
            task.cancel()
            for one in informer.cache:
                self._seen(row, one.metadata, None)

    def _handler(self, row: Resource) -> Callable[[Any, Any], None]:
        def handle(old: Any, new: Any) -> None:
            if (row.group, row.plural) in CHANGES_DISCOVERY:
                self._changed.set()
            self._seen(row, old.metadata if old is not None else None, new.metadata if new is not None else None)

        return handle


def known(found: Discovered, before: Mapping[tuple[str, str], Resource]) -> dict[tuple[str, str], Resource]:
    """The rows by apiVersion and kind: those served now, and those known before of versions that cannot be asked just now."""
    kept = {name: row for name, row in before.items() if row.api_version in found.stale}
    return {**kept, **{(row.api_version, row.kind): row for row in found.resources}}


def monitored(rows: Iterable[Resource]) -> list[Resource]:
    """Each resource that can be listed, watched and deleted, in one version."""
    found: dict[tuple[str, str], Resource] = {}
    for row in rows:
        name = (row.group, row.plural)
        if name not in IGNORED and {"list", "watch", "delete"} <= set(row.verbs):
            found.setdefault(name, row)
    return list(found.values())
