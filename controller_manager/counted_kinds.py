"""Counted kinds: informers over the metadata of what quotas count by name, each kind followed once, in a version that is served.

They begin when a quota first names a kind. A kind that is served no more, or in another version, is let go, and followed anew
when a quota asks again; one whose server does not answer is kept.
kubernetes pkg/controller/resourcequota/resource_quota_monitor.go
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from controller_manager.object_metadata import ObjectMetadata
from kube.api.resource import Resource
from kube.client.cache import Cache
from kube.client.discovery import Discovered
from kube.client.informer import Informer
from kube.client.rest import Client

FIRST_LIST_SECONDS = 5.0  # that a worker waits for a kind, which may be gone before it was listed

Handler = Callable[[Any, Any], None]


class _Followed(NamedTuple):
    row: Resource
    informer: Informer[Any]
    task: asyncio.Task[None]


class CountedKinds:
    def __init__(self, client: Client, handler: Callable[[Resource], Handler]) -> None:
        """`handler` makes who is told of a kind's changes."""
        self._client = client
        self._handler = handler
        self._followed: dict[tuple[str, str], _Followed] = {}

    @property
    def rows(self) -> list[Resource]:
        return [one.row for one in self._followed.values()]

    def cache(self, row: Resource) -> Cache[Any] | None:
        """The objects of a kind; None where it is not followed."""
        found = self._followed.get((row.group, row.plural))
        return found.informer.cache if found is not None else None

    async def follow(self, row: Resource, tasks: asyncio.TaskGroup) -> bool:
        """Whether its objects are known, for which it waits a little."""
        name = (row.group, row.plural)
        if name not in self._followed:  # no await before it is: several workers come here
            informer: Informer[Any] = Informer(self._client, ObjectMetadata, resource=row, metadata_only=True)
            informer.on_change(self._handler(row))
            task = tasks.create_task(informer.run(), name=f"count of {row.qualified}")
            self._followed[name] = _Followed(row, informer, task)
        informer = self._followed[name].informer
        with suppress(TimeoutError):
            await asyncio.wait_for(informer.synced.wait(), FIRST_LIST_SECONDS)
        return informer.synced.is_set()

    def keep(self, found: Discovered) -> None:
        """Let go of what is served no more."""
        for name, one in list(self._followed.items()):
            if not found.serves(one.row):
                one.task.cancel()
                del self._followed[name]
