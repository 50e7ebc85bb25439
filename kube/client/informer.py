"""Informer: a cache of a resource that follows the server, and tells who asked about changes.

Promise:
- the cache converges to the server's state after any fault: a cut connection, a restart, a compaction, a server that was away;
- the changes of one object are told in order, each with the form told before; states in between may be skipped;
- an object that was deleted while the connection was away is told as deleted, in its last known form;
- an object that is none of its kind is logged and left out; one that lacks what its type requires reads as Go reads it;
- there is no order between different objects; a handler never sees an object older than one it saw before;
- `synced` is set once the first list was told. Handlers run in the event loop and must not block.

How: list in pages, then watch from the list's revision; a watch that ends is resumed from the last revision seen (bookmarks
keep that fresh); Expired means to list again. Pauses after trouble grow from 0.8 to 30 s, with jitter, and start anew once
something was received; a watch that the server ends at once without a word is trouble, too. A connection whose other end
vanished is noticed by the kernel (`keepalive`), and at the latest when the watch should have ended. Nothing polls.
The first list asks for the newest state, not for any (resourceVersion=0): with several API servers one may lag behind.
Cost: one decoding of each object and change; a list holds its page and the decoded objects at once.
client-go tools/cache (reflector, shared informer)
"""

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import aclosing
from typing import Any, Generic, TypeVar

import msgspec

from kube.api.meta import Key, key_of
from kube.api.resource import Resource
from kube.api.resources import resource_of
from kube.api.status import ApiError, Expired
from kube.client.cache import Cache
from kube.client.page import decode_one, decode_page
from kube.client.rest import Client, Params, Unreachable
from kube.client.watch import Event, watch

log = logging.getLogger(__name__)

V = TypeVar("V")
Handler = Callable[[V | None, V | None], None]

PAGE = 500  # objects a request of the first list
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.8, 30.0
METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
LIST_OF_METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
WATCH_SECONDS = (300, 600)  # how long a watch is asked to last, at least and at most
LATE_SECONDS = 30.0  # after which a watch that should have ended is given up
SHORT_SECONDS = 1.0  # a watch that ended sooner, without an event, did not work


class Informer(Generic[V]):
    def __init__(
        self,
        client: Client,
        kind: type[V],
        *,
        namespace: str = "",
        label_selector: str = "",
        field_selector: str = "",
        resource: Resource | None = None,
        metadata_only: bool = False,
    ) -> None:
        self.cache: Cache[V] = Cache()
        self.synced = asyncio.Event()
        self.following = False  # from the server's first word until there is trouble; while it is False the cache may lag behind
        self._client = client
        self._kind = kind
        self._resource = resource or resource_of(kind)
        self._namespace = namespace
        self._accept = (LIST_OF_METADATA, METADATA) if metadata_only else ("", "")  # for the list, for the watch
        self._selectors: Params = {"labelSelector": label_selector or None, "fieldSelector": field_selector or None}
        self._handlers: list[Handler[V]] = []
        self._revision = ""  # where to resume; empty: list first
        self._heard = False  # whether the server said anything since the last pause

    def on_change(self, handler: Handler[V]) -> None:
        """Tell (old, new) of every change: (None, new) is there, (old, None) is gone. What is there already is told, too."""
        self._handlers.append(handler)
        for known in self.cache:
            handler(None, known)

    async def run(self) -> None:
        """Follow the server until cancelled."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            self._heard = lost = False
            try:
                if not self._revision:
                    await self._list()
                await self._watch()
                continue
            except Expired:
                self._revision = ""
            except (Unreachable, ApiError, TimeoutError, _EndedAtOnce) as error:
                lost = isinstance(error, Unreachable)
                log.debug("watch of %s broke, resuming: %s", self._resource.qualified, str(error) or "it did not end in time")
            self.following = False
            if self._heard:
                pause = FIRST_PAUSE_SECONDS
            first, whole = FIRST_PAUSE_SECONDS * (1 + random.random()), pause * (1 + random.random())
            await asyncio.sleep(first if lost else whole)
            if lost:
                await self._client.reached(whole - first)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _list(self) -> None:
        found: list[V] = []
        token, revision = "", ""
        while True:
            params = {**self._selectors, "limit": PAGE, "continue": token or None}
            headers = {"Accept": self._accept[0]} if self._accept[0] else None
            path = self._resource.path(self._namespace)
            answer = await self._client.request("GET", path, params=params, headers=headers)
            page = decode_page(self._kind, self._resource, answer.body)
            found += page.items
            revision, token = page.revision, page.token
            if not token:
                break
        self._replace(found)
        self._revision = revision
        self.following = True
        self.synced.set()

    def _replace(self, found: list[V]) -> None:
        """Bring the cache to a new list: what is missing in it is gone."""
        gone = self.cache.keys() - {key_of(one) for one in found}  # type: ignore[arg-type]
        for key in gone:
            self._removed(key)
        for one in found:
            self._changed(one)

    async def _watch(self) -> None:
        """Until the server ends it. Raises TimeoutError where it should have ended, Unreachable where it broke, _EndedAtOnce."""
        seconds = random.randint(*WATCH_SECONDS)
        loop = asyncio.get_running_loop()
        begun = loop.time()
        events = watch(
            self._client,
            self._resource,
            namespace=self._namespace,
            resource_version=self._revision,
            params={**self._selectors, "timeoutSeconds": seconds},
            accept=self._accept[1],
        )
        async with asyncio.timeout(seconds + LATE_SECONDS), aclosing(events):
            async for event in events:
                self._heard = self.following = True
                self._take(event)
        if not self._heard and loop.time() < begun + SHORT_SECONDS:
            raise _EndedAtOnce("the server ended the watch at once")

    def _take(self, event: Event) -> None:
        if event.type == "BOOKMARK":
            self._revision = _HEAD.decode(event.object).metadata.resourceVersion
            return
        one = decode_one(self._kind, self._resource, event.object)
        if one is None:
            self._revision = _HEAD.decode(event.object).metadata.resourceVersion
            return
        self._revision = one.metadata.resourceVersion  # type: ignore[attr-defined]
        if event.type == "DELETED":
            self._removed(key_of(one), last=one)  # type: ignore[arg-type]
        else:
            self._changed(one)

    def _changed(self, new: V) -> None:
        old = self.cache.get(key_of(new))  # type: ignore[arg-type]
        if old is not None and _same(old, new):
            return
        if old is not None and old.metadata.uid != new.metadata.uid:  # type: ignore[attr-defined]
            self._removed(key_of(old))  # type: ignore[arg-type]  # another object under the same name
            old = None
        self.cache.set(new)
        for handler in self._handlers:
            handler(old, new)

    def _removed(self, key: Key, last: V | None = None) -> None:
        old = self.cache.remove(key)
        if old is None:
            return
        for handler in self._handlers:
            handler(last if last is not None else old, None)


class _EndedAtOnce(Exception):
    """A watch that cannot have worked."""


class _Meta(msgspec.Struct):
    resourceVersion: str = ""  # noqa: N815 -- the API's own name


class _Head(msgspec.Struct):
    """The one thing that a bookmark tells."""

    metadata: _Meta


_HEAD = msgspec.json.Decoder(_Head)


def _same(old: Any, new: Any) -> bool:
    return bool(old.metadata.uid == new.metadata.uid and old.metadata.resourceVersion == new.metadata.resourceVersion)


class Informers:
    """The informers of one program, one a kind, shared by all who read it. `run` runs them, also those asked for later."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._informers: dict[Any, Informer[Any]] = {}
        self._tasks: asyncio.TaskGroup | None = None

    def of(self, kind: type[V]) -> Informer[V]:
        """The informer of a kind; made, and started if the others run, when it is first asked for."""
        informer = self._informers.get(kind)
        if informer is None:
            informer = self._informers[kind] = Informer(self._client, kind)
            if self._tasks is not None:
                self._tasks.create_task(informer.run(), name=f"informer {kind.__name__}")
        return informer

    def kinds(self) -> set[Any]:
        """The kinds asked for so far."""
        return set(self._informers)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            for kind, informer in self._informers.items():
                tasks.create_task(informer.run(), name=f"informer {kind.__name__}")
            await asyncio.Event().wait()  # for ever: informers may still be added

    async def wait_synced(self) -> None:
        """Until every informer asked for so far has told its first list."""
        for informer in list(self._informers.values()):
            await informer.synced.wait()
