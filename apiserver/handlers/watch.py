"""Watch: a stream of events from the watch cache, as JSON lines or WebSocket messages.

The stream begins where resourceVersion says (the present state first, where none is given), carries bookmarks once a minute and
just before its end if they were asked for, and ends cleanly at its deadline. Once a watch has caught up, its events are written
by the hub (watch_hub.py), for all watchers of the same thing at once; where that cannot be, what piled up since the last turn
goes out as one piece.
https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes · KEP-3157 (sendInitialEvents)
"""

import random
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial

import orjson

from apiserver.context import Request, RequestInfo, Response, Server
from apiserver.handlers import forms, selection
from apiserver.handlers.negotiation import Accepted, Form, accepted
from apiserver.handlers.read import number
from apiserver.handlers.watch_hub import Hub, Push
from apiserver.storage.listing import invalid_options, parse_version
from apiserver.storage.served_form import FormedWatcher
from apiserver.storage.store import Store
from apiserver.storage.watch_cache import Event, Selection, Watcher
from apiserver.until_gone import until_gone
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import ApiError, FieldError, forbidden, unsupported

MIN_WATCH_SECONDS = 1800.0  # --min-request-timeout: without timeoutSeconds a watch lives this long, times 1 to 2
BOOKMARK_SECONDS = 60.0
BOOKMARK_BEFORE_END_SECONDS = 2.0
INITIAL_CHUNK = 500  # events a chunk while the present state is sent


@dataclass(frozen=True)
class Style:
    """How this watcher wants its events."""

    row: Resource
    accepted: Accepted
    include: str  # includeObject of a Table
    bookmarks: bool

    @property
    def form(self) -> Form:
        return self.accepted.form


async def watch(server: Server, request: Request) -> Response | None:
    info = request.info
    assert info.resource is not None, "dispatched by its row"
    store = server.stores.store_for(info.resource)
    _check(info)
    form = accepted(request)
    if form.form is Form.METADATA:
        form = form._replace(kind="PartialObjectMetadata")  # an event is about one object
    style = Style(info.resource, form, info.param("includeObject"), info.flag("allowWatchBookmarks"))
    number(info, "limit")  # which has no meaning here; nonsense is refused
    seconds = float(number(info, "timeoutSeconds")) or MIN_WATCH_SECONDS * (1 + random.random())
    wanted, revision = selection.of_request(info, store), parse_version(info.param("resourceVersion"))
    hub = server.state.setdefault("watch hub", Hub())
    assert isinstance(hub, Hub), "this handler's own room"
    push = request.scope.get("extensions", {}).get("push")
    one = _Watch(store, info, style, wanted, revision, time.monotonic() + seconds, hub, push)
    lines = one.lines()
    if request.is_websocket:
        await _speak_websocket(request, lines)
        return None
    return Response(200, stream=lines, content_type="application/json")


@dataclass
class _Watch:
    """One request."""

    store: Store
    info: RequestInfo
    style: Style
    wanted: Selection
    revision: int
    deadline: float
    hub: Hub
    push: Push | None  # how to write past this handler, on connections where one can

    async def lines(self) -> AsyncGenerator[bytes, None]:
        """The whole stream: what is there, what happened since, what happens."""
        try:
            initial, watcher = await self._begin()
        except ApiError as error:
            yield error_line(error)
            return
        try:
            columns = self.style.form is Form.TABLE  # a Table names its columns in the first event alone
            for start in range(0, len(initial), INITIAL_CHUNK):
                chunk = initial[start : start + INITIAL_CHUNK]
                yield b"".join(event_line(self.style, event, columns and start + i == 0) for i, event in enumerate(chunk))
            if self.info.flag("sendInitialEvents") and self.style.bookmarks:
                yield bookmark_line(self.style, watcher.since, initial_events_end=True)
            if self._may_push(watcher):
                assert isinstance(watcher, Watcher), "those of custom resources are not pushed to"
                going_on = self._pushed(watcher)
            else:
                going_on = self._live(watcher, columns and not initial)
            async with aclosing(going_on):
                async for piece in going_on:
                    yield piece
        except ApiError as error:  # an object that cannot be converted to this version
            yield error_line(error)
        finally:
            watcher.close()

    async def _begin(self) -> tuple[list[Event], Watcher | FormedWatcher]:
        """The initial events, and a watcher of what follows."""
        info, store = self.info, self.store
        if info.flag("sendInitialEvents"):
            await (store.reach(self.revision) if self.revision else store.fresh())
            return await store.watch_from_now(self.wanted)
        if "sendInitialEvents" in info.query:  # false: only what comes from now on
            await store.fresh()
            return [], store.watch(self.wanted, self.revision or store.cache.revision)
        if not self.revision:
            if not info.param("resourceVersion"):
                await store.fresh()
            return await store.watch_from_now(self.wanted)
        return [], store.watch(self.wanted, self.revision)

    def _may_push(self, watcher: Watcher | FormedWatcher) -> bool:
        """A Table has its columns in one event alone, a custom resource is converted for its watcher, and a client that was at
        another server may be ahead of this one."""
        if self.push is None or self.style.form is Form.TABLE:
            return False
        return isinstance(watcher, Watcher) and watcher.since <= self.store.cache.revision

    async def _live(self, watcher: Watcher | FormedWatcher, columns: bool) -> AsyncGenerator[bytes, None]:
        """Events as they come, until the deadline or the watcher is cut."""
        bookmark_at = _next_bookmark(self.deadline)
        while True:
            now = time.monotonic()
            events, revision = await watcher.take(max(0.0, min(self.deadline, bookmark_at) - now))
            if events:
                yield b"".join([event_line(self.style, event, columns and i == 0) for i, event in enumerate(events)])
                columns = False
            if watcher.cut or time.monotonic() >= self.deadline:
                return
            if time.monotonic() >= bookmark_at:
                bookmark_at = _next_bookmark(self.deadline)
                if self.style.bookmarks:
                    yield bookmark_line(self.style, revision)

    async def _pushed(self, watcher: Watcher) -> AsyncGenerator[bytes, None]:
        """What the hub does not write by itself: what happened before the watch joins it, and what a slow client left."""
        assert self.push is not None, "asked for"
        while events := watcher.queued():
            yield b"".join([event_line(self.style, event) for event in events])
        if watcher.cut:
            return
        style, info, cache = self.style, self.info, self.store.cache
        name = (style.row.api_version, style.row.plural, style.accepted, self.wanted.prefix, info.param("labelSelector"),
                info.param("fieldSelector"))  # fmt: skip
        member = self.hub.join(name, cache, self.wanted, partial(event_line, style), self.push)
        watcher.close()
        try:
            bookmark_at = _next_bookmark(self.deadline)
            while True:
                await member.news(max(0.0, min(self.deadline, bookmark_at) - time.monotonic()))
                yield b""  # goes on when the connection took what it was sent
                while (piece := member.next_piece()) is not None:
                    yield piece
                if member.cut or time.monotonic() >= self.deadline:
                    return
                if time.monotonic() >= bookmark_at:
                    bookmark_at = _next_bookmark(self.deadline)
                    if style.bookmarks:
                        member.say(bookmark_line(style, cache.revision))
        finally:
            member.leave()


def _next_bookmark(deadline: float) -> float:
    now = time.monotonic()
    before_end = deadline - BOOKMARK_BEFORE_END_SECONDS
    return min(now + BOOKMARK_SECONDS, before_end) if before_end > now else deadline


def event_line(style: Style, event: Event, columns: bool = False) -> bytes:
    """`{"type":...,"object":...}` and a newline; where making it means more than to put the pieces together, it is kept with the
    change, for the next watcher of this form."""
    if event.change is None or (style.form is Form.OBJECT and style.row.view_tree is None):
        return _render(style, event, columns)
    name = (event.type, style.row.api_version, style.accepted, style.include, columns)
    return event.change.line(name, lambda: _render(style, event, columns))


def _render(style: Style, event: Event, columns: bool) -> bytes:
    data = forms.one(style.row, event.entry, style.accepted, style.include, columns=columns)
    return b'{"type":"%s","object":%s}\n' % (event.type.encode(), data)


def bookmark_line(style: Style, revision: int, initial_events_end: bool = False) -> bytes:
    metadata: Tree = {"resourceVersion": str(revision), "creationTimestamp": None}
    if initial_events_end:
        metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
    obj: Tree = {"kind": style.row.kind, "apiVersion": style.row.api_version, "metadata": metadata}
    if style.form is Form.TABLE:
        obj = {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "columnDefinitions": None, "rows": []}
    elif style.form is Form.METADATA:
        obj |= {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}
    return orjson.dumps({"type": "BOOKMARK", "object": obj}) + b"\n"


def error_line(error: ApiError) -> bytes:
    """What cannot be watched is told in the stream, as upstream's watch cache does."""
    return orjson.dumps({"type": "ERROR", "object": error.status()}) + b"\n"


def _check(info: RequestInfo) -> None:
    errors: list[FieldError] = []
    match, initial = info.param("resourceVersionMatch"), "sendInitialEvents" in info.query
    if initial and match != "NotOlderThan":
        if match:
            errors.append(unsupported("resourceVersionMatch", match, ("NotOlderThan",)))
        else:
            errors.append(
                forbidden("resourceVersionMatch", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")
            )
    elif match and not initial:
        text = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        errors.append(forbidden("resourceVersionMatch", text))
    if info.flag("sendInitialEvents") and not info.flag("allowWatchBookmarks"):
        errors.append(forbidden("sendInitialEvents", "sendInitialEvents requires allowWatchBookmarks to be true"))
    if errors:
        raise invalid_options("ListOptions", errors)


async def _speak_websocket(request: Request, lines: AsyncGenerator[bytes, None]) -> None:
    """One text message an event; ends when the client closes."""
    await request.receive()  # websocket.connect
    await request.send({"type": "websocket.accept"})
    await until_gone(request, _send_messages(request, lines))


async def _send_messages(request: Request, lines: AsyncGenerator[bytes, None]) -> None:
    async with aclosing(lines):
        async for piece in lines:
            for line in piece.splitlines():
                await request.send({"type": "websocket.send", "text": line.decode()})
    await request.send({"type": "websocket.close", "code": 1000})
