"""How metrics-server is put together: whom to believe, informers, the scraper, the server; and its API, announced.

The APIService is made by this program once it can answer, if there is none: until then discovery would have a hole, for which
`kubectl api-resources` fails. What an administrator makes or changes stays.
"""

import asyncio
from pathlib import Path

from addons.metrics.access import Access, Proxies
from addons.metrics.config import Config
from addons.metrics.scraper import Scraper
from addons.metrics.server import Server
from addons.metrics.usage import Nodes
from kube.api.meta import Tree
from kube.api.status import AlreadyExists, ApiError, NotFound
from kube.api.types import APIService, ConfigMap, Node, Pod
from kube.client import kubeconfig
from kube.client.informer import Informer
from kube.client.rest import Client, Unreachable
from kube.component.health import Check, Health
from kube.component.http_server import serve
from kube.component.logging import get_logger
from kube.component.self_signed import self_signed
from kube.component.tls import ServerTLS

CERTIFICATE_DAYS = 3650  # it is made anew at every start
AGAIN_SECONDS = 1.0
TOLD_IN = "extension-apiserver-authentication"
CERTIFICATE, KEY, AUTHORITY = "apiserver.crt", "apiserver.key", "proxies.crt"
API_SERVICE: Tree = {
    "apiVersion": "apiregistration.k8s.io/v1",
    "kind": "APIService",
    "metadata": {"name": "v1beta1.metrics.k8s.io", "labels": {"k8s-app": "metrics-server"}},
    "spec": {
        "group": "metrics.k8s.io",
        "version": "v1beta1",
        "groupPriorityMinimum": 100,
        "versionPriority": 100,
        "insecureSkipTLSVerify": True,
        "service": {"name": "metrics-server", "namespace": "kube-system", "port": 443},
    },
}

log = get_logger(__name__)


async def start(config: Config) -> None:
    """Run until cancelled."""
    way = kubeconfig.load(config.kubeconfig)
    async with Client(way, "metrics-server") as client:
        told = Informer(client, ConfigMap, namespace="kube-system", field_selector=f"metadata.name={TOLD_IN}")
        access = Access(client, Proxies(""))
        told.on_change(lambda old, new: believe(access, new, config.cert_dir))
        nodes_seen = Informer(client, Node)
        pods_seen = Informer(client, Pod, metadata_only=True)
        nodes = Nodes()

        async def ready() -> str | None:
            return None if nodes.known else "no metrics to serve"

        health = Health(Check("metric-storage-ready", ready))
        app = Server(nodes, nodes_seen.cache, pods_seen.cache, access, health)
        server = await serve(app.app, config.bind_address, config.secure_port, tls=tls_of(config.cert_dir))
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(told.run())
                tasks.create_task(nodes_seen.run())
                tasks.create_task(pods_seen.run())
                await asyncio.gather(told.synced.wait(), nodes_seen.synced.wait(), pods_seen.synced.wait())
                tasks.create_task(Scraper(config, way, nodes_seen.cache, nodes).run())
                log.info("serving", port=server.port)
                await _announce(client, nodes)
                await asyncio.Event().wait()
        finally:
            await server.close()


async def _announce(client: Client, nodes: Nodes) -> None:
    while True:
        await asyncio.sleep(AGAIN_SECONDS)
        if not nodes.known:
            continue
        try:
            await client.get_tree(APIService, "", API_SERVICE["metadata"]["name"])
            return
        except NotFound:
            pass  # then it is for us to make
        except (ApiError, Unreachable):
            continue
        try:
            await client.create(APIService, API_SERVICE)
            log.info("announced", api="metrics.k8s.io/v1beta1")
            return
        except AlreadyExists:
            return
        except (ApiError, Unreachable) as error:
            log.warning("cannot be announced yet", reason=error)


def believe(access: Access, told: ConfigMap | None, directory: Path) -> None:
    """From now on, whom the cluster says. The server looks at the file at each handshake."""
    if told is None:
        return  # whoever deleted it, the API server writes it again
    access.proxies = Proxies.told(told.data or {})
    fresh = directory / f"{AUTHORITY}.new"
    fresh.write_text(access.proxies.authority or (directory / CERTIFICATE).read_text())
    fresh.replace(directory / AUTHORITY)


def tls_of(directory: Path) -> ServerTLS:
    """A self-signed certificate (the APIService has it not verified); clients are verified by the authority of the proxies. Until
    that is known, the certificate stands for it: it signs nobody's.
    """
    self_signed(directory / CERTIFICATE, directory / KEY, "metrics-server.kube-system.svc", days=CERTIFICATE_DAYS)
    (directory / AUTHORITY).write_bytes((directory / CERTIFICATE).read_bytes())
    return ServerTLS(directory / CERTIFICATE, directory / KEY, proxy_ca=directory / AUTHORITY)
