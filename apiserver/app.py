"""App: an API server from its configuration — its parts built and started in order, and the ASGI door in front of them.

Resource requests never reach FastAPI: the dispatcher here answers them itself, which costs a third. What is left (discovery,
OpenAPI, keys) are routes of the FastAPI app behind it (behind.py), after the same filters.

    start: etcd → every object read into the caches → authentication, authorization, admission → listening → bootstrap objects
"""

import asyncio
import importlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from apiserver import admission, aggregator, audit, crd, flowcontrol, health, upgrade
from apiserver.aggregator import proxy
from apiserver.allocation import AFTER_DELETE
from apiserver.answer import CACHE_CONTROL
from apiserver.auth import authentication, authorization
from apiserver.config import ACCEPTED_WITHOUT_EFFECT, Config
from apiserver.context import Message, Receive, Request, Response, Scope, Send, Server
from apiserver.filters import chain
from apiserver.handlers.dispatch import handle
from apiserver.plain_reads import PlainReads
from apiserver.routes import Routes
from apiserver.storage import compactor
from apiserver.storage.etcd import Etcd, EtcdTLS
from apiserver.storage.store import Removed
from apiserver.storage.stores import Stores
from apiserver.workers.place import Place
from kube.api.resource import Resource
from kube.api.resources import RESOURCES
from kube.component import http_server
from kube.component.logging import get_logger
from kube.component.tls import ServerTLS, server_tls

log = get_logger(__name__)

LOADING_TURN_SECONDS = 0.0005  # how long an import may keep a request waiting; Python's own is ten times that


class App:
    """The ASGI application."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._abreast = server.stores.abreast
        self._probes = health.Probes(server)
        self._behind: Any = None  # loaded after the start
        self._loading = asyncio.Lock()
        self._aggregator = aggregator.aggregator_of(server)
        self._answer = chain(server, self._handle)
        self.short_way = PlainReads(server)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return
        method = scope.get("method", "GET")  # a WebSocket opens with GET
        if self._abreast.behind:
            await self._abreast.with_workers()
        info = self._server.routes.info(method, scope["path"], scope["query_string"])
        await self._answer(Request(scope, receive, send, info))

    def on_upgrade(self, head: http_server.Head) -> asyncio.Protocol | None:
        """For http_server: who takes over a connection that asks to become something else."""
        return upgrade.protocol(self._server, self._upgraded, head)

    async def _upgraded(self, request: Request) -> Response | None:
        await self._abreast.with_workers()
        return await self._answer(request)

    async def _handle(self, request: Request) -> Response | None:
        if request.info.is_resource and request.info.resource is None:
            await self._look_again(request)
        remote = self._aggregator.serves(request.info)
        if remote is not None:
            return await proxy.forward(self._server, request, remote)
        if request.info.is_resource:
            return await handle(self._server, request)
        probed = await self._probes.answer(request.info)
        if probed is not None:
            return probed
        if self._behind is None:
            await self.load()
        await self._behind(request.scope, request.receive, self._marking(request))
        return None

    async def _look_again(self, request: Request) -> None:
        """A resource that is not served may have been defined, or be another server's, since a moment ago."""
        info = request.info
        if self._aggregator.serves(info) is None:
            await self._abreast.with_etcd()
            request.info = self._server.routes.info(info.method, info.path, request.scope["query_string"])

    async def load(self) -> None:
        """Build the app behind; its modules are imported beside the requests that go on, which get their turn at once."""
        async with self._loading:
            if self._behind is not None:
                return
            turn = sys.getswitchinterval()
            sys.setswitchinterval(LOADING_TURN_SECONDS)
            try:
                module = await asyncio.to_thread(importlib.import_module, "apiserver.behind")
            finally:
                sys.setswitchinterval(turn)
            self._behind = module.build(self._server)

    def _marking(self, request: Request) -> Send:
        """Note that the answer began, so that a failure after it is not answered twice."""

        async def send(message: Message) -> None:
            request.started = True
            if message["type"] == "http.response.start":
                named = any(name == CACHE_CONTROL[0] for name, _ in message["headers"])
                message["headers"] = [*message["headers"], *request.answer_headers, *(() if named else (CACHE_CONTROL,))]
            await request.send(message)

        return send


@asynccontextmanager
async def running(config: Config, place: Place | None = None) -> AsyncIterator[tuple[Server, App]]:
    """A server whose caches are full, and its door; without a listener. Ends its tasks at the exit.

    `place` where it is one of several workers.
    """
    place = place or Place()
    if place.first:
        _tell_what_has_no_effect(config)
    etcd = Etcd(config.etcd_servers, _etcd_tls(config))
    routes = Routes(RESOURCES)
    ttl = {("", "events"): int(config.event_ttl), ("events.k8s.io", "events"): int(config.event_ttl)}
    stores = Stores(etcd, config.etcd_prefix.rstrip("/") + "/", routes.rows(), ttl, place)
    server = Server(config, etcd, routes, stores, place)
    stores.removed = _removal_hooks(server)
    try:
        async with asyncio.TaskGroup() as tasks:
            started = _Tasks(tasks)
            server._spawn = started.spawn
            started.spawn(stores.feed.run(), "feed")
            if config.etcd_compaction_interval and place.first:
                started.spawn(compactor.run(etcd, stores.root, config.etcd_compaction_interval), "compactor")
            await stores.feed.ready.wait()
            server.authenticator = authentication.build(server)
            server.authorizer = authorization.build(server)
            server.admission = admission.build(server)
            server.state["audit"] = audit.build(config)
            crd.start(server)
            aggregator.start(server)
            flowcontrol.start(server)
            yield server, App(server)
            started.cancel()
    finally:
        await etcd.close()


def tls_of(config: Config) -> ServerTLS | None:
    """What the server shows, and whom it believes."""
    return server_tls(
        config.tls_cert_file, config.tls_private_key_file, config.client_ca_file, config.requestheader_client_ca_file
    )  # fmt: skip


class _Tasks:
    """Tasks of the server's life."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Awaitable[None], name: str) -> None:
        task = self._group.create_task(_as_coroutine(work), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def cancel(self) -> None:
        for task in self._tasks:
            task.cancel()


async def _as_coroutine(work: Awaitable[None]) -> None:
    await work


def _removal_hooks(server: Server) -> Callable[[Resource], Removed | None]:
    def hook_of(row: Resource) -> Removed | None:
        hook = AFTER_DELETE.get((row.group, row.plural))
        if hook is None:
            return None

        async def removed(tree: dict[str, Any]) -> None:
            await hook(server, tree)

        return removed

    return hook_of


def _etcd_tls(config: Config) -> EtcdTLS | None:
    if not config.etcd_cafile:
        return None
    return EtcdTLS(config.etcd_cafile, config.etcd_certfile, config.etcd_keyfile)


def _tell_what_has_no_effect(config: Config) -> None:
    for name, why in ACCEPTED_WITHOUT_EFFECT.items():
        if getattr(config, name) != Config.__dataclass_fields__[name].default:
            log.warning("flag has no effect", flag="--" + name.replace("_", "-"), because=why)
