"""How cluster DNS is put together: Corefile, informers, resolver, sockets, pages; a new Corefile; the end.

Questions are taken once the first lists have come, so no name of the cluster is denied by a program that does not know it yet.
A Corefile that cannot be used ends the program at its start; later the last good one stays. On SIGTERM /ready says no, and
questions are answered for `lameduck` seconds more: until every node's rules have forgotten this pod.
"""

import asyncio
import gc
import os
from pathlib import Path

from addons.dns import metrics, pages
from addons.dns.cluster import Cluster, service_of
from addons.dns.config import Config
from addons.dns.corefile import CorefileError
from addons.dns.resolver import Resolver
from addons.dns.server import Server
from addons.dns.settings import Settings, read
from kube.api.meta import key_of
from kube.api.types import EndpointSlice, Namespace, Service
from kube.client import kubeconfig
from kube.client.informer import Informers
from kube.client.rest import Client
from kube.component.http_server import Server as HttpServer
from kube.component.logging import get_logger
from kube.component.run import StartupError

log = get_logger(__name__)


async def start(config: Config) -> None:
    """Run until cancelled."""
    settings = load(config)
    async with Client(kubeconfig.load(config.kubeconfig, server=config.master), "cluster-dns") as client:
        informers = Informers(client)
        program = follow(config, settings, informers)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(informers.run())
            tasks.create_task(_once_known(informers))
            await program.run(informers, tasks)


async def _once_known(informers: Informers) -> None:
    await informers.wait_synced()
    keep_out_of_the_collector()


def keep_out_of_the_collector() -> None:
    """What is there now stays: a full pass over a thousand Services takes 20 ms, in which nobody is answered."""
    gc.collect()
    gc.freeze()


def follow(config: Config, settings: Settings, informers: Informers) -> "Program":
    """A program that answers from these informers, and whose resolver is told of every change."""
    services, slices, namespaces = informers.of(Service), informers.of(EndpointSlice), informers.of(Namespace)
    program = Program(config, settings, Cluster(services.cache, slices.cache, namespaces.cache))

    def service(old: Service | None, new: Service | None) -> None:
        program.resolver.changed(str(key_of(new or old)))

    def slice_(old: EndpointSlice | None, new: EndpointSlice | None) -> None:
        for subject in {subject for one in (old, new) if one is not None for subject in service_of(one)}:
            program.resolver.changed(subject)

    def namespace(old: Namespace | None, new: Namespace | None) -> None:
        program.resolver.changed()

    services.on_change(service)
    slices.on_change(slice_)
    namespaces.on_change(namespace)
    return program


def load(config: Config) -> Settings:
    """Raises StartupError."""
    try:
        return read(config.conf.read_text(), os.environ, config.port)
    except CorefileError as error:
        raise StartupError(f"{config.conf}: {error}") from error


class Program:
    def __init__(self, config: Config, settings: Settings, cluster: Cluster) -> None:
        self.resolver = Resolver(settings, cluster)
        self.server: Server | None = None
        self.port = 0  # where questions are taken, once they are
        self.page_ports: dict[str, int] = {}
        self._config, self._settings, self._cluster = config, settings, cluster
        self._waiting = "kubernetes"
        self._pages: list[HttpServer] = []

    async def run(self, informers: Informers, tasks: asyncio.TaskGroup) -> None:
        """Serve until cancelled, and a little longer."""
        settings = self._settings
        for address, path, page in (
            (settings.health, "/health", pages.health),
            (settings.ready, "/ready", pages.ready(lambda: self._waiting)),
            (settings.prometheus, "/metrics", pages.exposition),
        ):
            served = await pages.listen(address, path, page)
            if served is not None:
                self._pages.append(served)
                self.page_ports[path] = served.port
        server = Server(self.resolver, tasks)
        try:
            await informers.wait_synced()
            await server.listen(self._config.bind_address, settings.port)
            self.server, self.port, self._waiting = server, server.port, ""
            log.info("serving", zones=" ".join(one.name for one in self.resolver.served), port=server.port)
            tasks.create_task(self.resolver.probe())
            await self._follow_corefile(tasks)
        finally:
            if not self._waiting:
                self._waiting = "the end"
                await asyncio.sleep(self._settings.lameduck)
            await server.close()
            for one in self._pages:
                await one.close(within=0.5)

    async def _follow_corefile(self, tasks: asyncio.TaskGroup) -> None:
        """Look whether it changed; addresses of pages and the port stay as they were at the start."""
        while self._settings.reload:
            await asyncio.sleep(self._settings.reload)
            text = await asyncio.to_thread(_text, self._config.conf)
            if text in ("", self._settings.source):
                continue
            try:
                settings = read(text, os.environ, self._config.port)
                resolver = Resolver(settings, self._cluster)
            except (CorefileError, OSError) as error:
                metrics.RELOADS_FAILED.inc()
                log.error(f"the new Corefile cannot be used, keeping the last one: {error}")
                continue
            self._settings, self.resolver = settings, resolver
            if self.server is not None:
                self.server.resolver = resolver
            log.info("Reloading complete", zones=" ".join(one.name for one in resolver.served))
            tasks.create_task(resolver.probe())
        await asyncio.Event().wait()


def _text(path: Path) -> str:
    """Empty where it cannot be read just now: a ConfigMap's volume is being replaced."""
    try:
        return path.read_text()
    except OSError:
        return ""
