"""Bootstrap: the objects that every cluster has, made where they are missing when a server starts.

Namespaces, the `kubernetes` Service with the API server's address, the system's priority classes. Several servers may start
at once: what another made is left alone.
https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/#initial-namespaces
"""

import asyncio
import socket
from collections.abc import Iterable

from apiserver.allocation import cluster_ip, service
from apiserver.context import Server
from apiserver.storage.metadata import fill_new
from kube.api.meta import Key, Tree
from kube.api.resources import resource_of
from kube.api.status import AlreadyExists, ApiError
from kube.api.types import Endpoints, EndpointSlice, Namespace, PriorityClass, Service
from kube.component.logging import get_logger

log = get_logger(__name__)

NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
PRIORITY_CLASSES = (
    ("system-cluster-critical", 2_000_000_000, "Used for system critical pods that must run in the cluster, but can be moved to "
     "another node if necessary."),
    ("system-node-critical", 2_000_001_000, "Used for system critical pods that must not be moved from their current node."),
)  # fmt: skip
RETRY_SECONDS = 1.0


async def bootstrap(server: Server) -> None:
    """Make what is missing; tried again until it is all there (etcd may still be coming)."""
    while True:
        try:
            await _make(server)
        except ApiError as error:
            log.warning("bootstrap objects cannot be made yet", reason=error)
            await asyncio.sleep(RETRY_SECONDS)
        else:
            server.state["bootstrapped"] = True
            return


async def _make(server: Server) -> None:
    await service.repair(server)
    for tree in namespaces():
        await _ensure(server, Namespace, tree)
    for tree in priority_classes():
        await _ensure(server, PriorityClass, tree)
    address = server.config.advertise_address or own_address()
    await _ensure_service(server)
    await _ensure_endpoints(server, address, server.config.secure_port)


def namespaces() -> Iterable[Tree]:
    for name in NAMESPACES:
        yield {
            "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}},
            "spec": {"finalizers": ["kubernetes"]},
            "status": {"phase": "Active"},
        }


def priority_classes() -> Iterable[Tree]:
    for name, value, description in PRIORITY_CLASSES:
        yield {
            "metadata": {"name": name},
            "value": value,
            "description": description,
            "preemptionPolicy": "PreemptLowerPriority",
        }


def kubernetes_service(address: str, port: int) -> Tree:
    return {
        "metadata": {
            "name": "kubernetes",
            "namespace": "default",
            "labels": {"component": "apiserver", "provider": "kubernetes"},
        },
        "spec": {
            "type": "ClusterIP",
            "clusterIP": address,
            "clusterIPs": [address],
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "internalTrafficPolicy": "Cluster",
            "sessionAffinity": "None",
            "ports": [{"name": "https", "protocol": "TCP", "port": 443, "targetPort": port}],
        },
        "status": {"loadBalancer": {}},
    }


def endpoints(addresses: list[str], port: int) -> tuple[Tree, Tree]:
    """Endpoints and EndpointSlice of the API servers."""
    labels = {"endpointslice.kubernetes.io/skip-mirror": "true"}
    old = {
        "metadata": {"name": "kubernetes", "namespace": "default", "labels": labels},
        "subsets": [
            {
                "addresses": [{"ip": address} for address in addresses],
                "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
            }
        ],
    }
    new = {
        "metadata": {
            "name": "kubernetes",
            "namespace": "default",
            "labels": {"kubernetes.io/service-name": "kubernetes"},
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": [address], "conditions": {"ready": True}} for address in addresses],
        "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
    }
    return old, new


def own_address() -> str:
    """The address of this host's default route, as the kernel would choose it; no packet is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1: only the route is looked up
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


async def _ensure(server: Server, kind: type[object], tree: Tree) -> bool:
    row = resource_of(kind)
    store = server.stores.store_for(row)
    namespace = tree["metadata"].get("namespace", "")
    if store.cached(Key(namespace, tree["metadata"]["name"])) is not None:
        return False
    fill_new(tree, row, namespace, store.now())
    try:
        await store.create(tree)
    except AlreadyExists:
        return False
    return True


async def _ensure_service(server: Server) -> None:
    """The first address of the range is this Service's, whoever held it before."""
    address = str(cluster_ip.network(server)[1])
    key = Key("default", "kubernetes")
    try:
        await cluster_ip.take(server, address, key, dry_run=False)
    except cluster_ip.Taken:
        log.debug("the API server's cluster IP is taken", address=address)  # by an earlier start, usually
    await _ensure(server, Service, kubernetes_service(address, server.config.secure_port))


async def _ensure_endpoints(server: Server, address: str, port: int) -> None:
    """Our choice, for now: the server that started last is the one that the Service leads to."""
    for kind, tree in zip((Endpoints, EndpointSlice), endpoints([address], port), strict=True):
        if await _ensure(server, kind, tree):
            continue
        field = "subsets" if kind is Endpoints else "endpoints"

        async def renewed(current: Tree, field: str = field, tree: Tree = tree) -> Tree:
            return {**current, field: tree[field], **({"ports": tree["ports"]} if "ports" in tree else {})}

        await server.stores.store_for(resource_of(kind)).update(Key("default", "kubernetes"), renewed)
