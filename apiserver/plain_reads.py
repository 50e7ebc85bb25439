"""Plain reads: GET of one object as it is stored, by somebody who surely may — answered without a task, by callbacks.

A short way beside the filters and handlers/read.py, with the same answers. A request goes it where each step is settled at once:
the path names an object of a kind that is served as it is stored, and nothing else is asked; who sends it, and that they may, is
known without asking anybody; their priority level has a free seat. There is one wait, for etcd's revision, shared with every other
reader (storage/feed.py). Whatever is not so plain, and whatever ends otherwise than well, goes the long way from its beginning:
refusals and errors are told there alone.
https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-a-single-resource
"""

import time
from typing import Any, NamedTuple

from apiserver import aggregator, metrics
from apiserver.answer import COMPRESS_FROM_BYTES
from apiserver.auth.authentication import bearer_of
from apiserver.context import Request, RequestInfo, Server
from apiserver.filters.audit_id import MAX_LENGTH
from apiserver.flowcontrol.control import Flow, control_of
from apiserver.handlers.dispatch import VERBS, handler_of
from apiserver.handlers.negotiation import Accepted, Form, accepted
from apiserver.handlers.read import key_of
from apiserver.storage.store import Store
from kube.api.status import ApiError
from kube.api.uid import new_uid
from kube.component.short_way import Brief, Plain

READS = 1  # in server.in_flight
LONGEST_SECONDS = 20.0  # more than etcd and the caches can take; who gives requests less time gets no short way
HEADERS = b"content-type: application/json\r\ncache-control: no-cache, private\r\naudit-id: %b\r\n%bcontent-length: %d\r\n"


class Asked(NamedTuple):
    """What a plain request asks for, as long as the served rows are those of `generation`."""

    generation: int
    info: RequestInfo
    store: Store | None  # None: it is not so plain
    path: str = ""  # in etcd
    token: str = ""
    audit_id: str = ""  # the client's own
    labels: Any = None  # in the metrics


class PlainReads:
    """The server's short way."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._abreast = server.stores.abreast
        self._aggregator = aggregator.aggregator_of(server)
        self._is_open = server.state.get("audit") is None and server.config.request_timeout >= LONGEST_SECONDS

    def take(self, brief: Brief) -> bool:
        server, plain = self.server, brief.plain
        if self._abreast.behind:
            return False
        asked: Asked | None = plain.memo
        if asked is None or asked.generation != server.routes.generation:
            asked = plain.memo = self._asked(plain)
        if asked.store is None or self._aggregator.serves(asked.info) is not None:
            return False
        user, control = server.authenticator.surely(brief.subject, asked.token), control_of(server)
        if user is None or control is None or not server.authorizer.surely_may(user, asked.info):
            return False
        flow = control.flow_of(user, asked.info)
        if flow.level is not None and not flow.level.take():
            return False
        server.in_flight[READS] += 1
        flow.begin()
        server.stores.feed.when_fresh(_Reading(self, brief, asked, asked.store, flow).go_on)
        return True

    def _asked(self, plain: Plain) -> Asked:
        server = self.server
        info = server.routes.info("GET", plain.path, plain.query_string)
        request = Request({"type": "http", "headers": plain.headers}, _nothing, _nothing, info)
        headers, row, generation = request.headers, info.resource, server.routes.generation
        not_plain = Asked(generation, info, None)
        if not self._is_open or row is None or info.verb != "get" or info.query or row.deprecation:
            return not_plain
        try:
            as_stored = handler_of(request) is VERBS["get"] and accepted(request) == Accepted(Form.OBJECT)
        except ApiError:
            return not_plain
        if not as_stored or row.view_tree is not None or row.served_form is not None or info.subresource:
            return not_plain
        if any(name.startswith("impersonate-") for name in headers):
            return not_plain
        given = headers.get("audit-id", "")
        store = server.stores.store_for(row)
        return Asked(
            generation, info, store, store.path(key_of(info)), bearer_of(request),
            given if len(given) <= MAX_LENGTH else "", metrics.labels_of(info, headers.get("content-type", "")),
        )  # fmt: skip


class _Reading:
    """One of them, waiting."""

    __slots__ = ("_asked", "_began", "_brief", "_flow", "_reads", "_store")

    def __init__(self, reads: PlainReads, brief: Brief, asked: Asked, store: Store, flow: Flow) -> None:
        self._reads = reads
        self._brief = brief
        self._asked = asked
        self._store = store
        self._flow = flow
        self._began = time.monotonic()

    def go_on(self, error: ApiError | None) -> None:
        """The caches are what etcd was when the request came; or they are not."""
        asked, flow = self._asked, self._flow
        entry = self._store.cache.get(asked.path) if error is None else None
        self._reads.server.in_flight[READS] -= 1
        flow.end()
        if entry is None or len(entry.data) >= COMPRESS_FROM_BYTES:
            self._brief.go_long()
            return
        audit_id = (asked.audit_id or new_uid()).encode()
        self._brief.answer(HEADERS % (audit_id, flow.written, len(entry.data)), entry.data)
        metrics.observe(asked.labels, 200, time.monotonic() - self._began)


async def _nothing(*_message: Any) -> Any:
    """Nobody is asked, and nothing sent: the request is only looked at."""
