"""Bootstrap: the objects that every cluster has, made where they are missing when a server starts, and from then on.

Namespaces, the system's priority classes, the range of cluster IPs, the `kubernetes` Service with the API servers that are alive.
Several servers may start at once: what another made is left alone.
https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/#initial-namespaces
"""

import asyncio
import socket
from collections.abc import Iterable

from apiserver import peers
from apiserver.allocation import cluster_ip, service
from apiserver.auth.rbac import bootstrap as rbac
from apiserver.config import Config
from apiserver.context import Server
from apiserver.storage.deletion import utc_now
from apiserver.storage.metadata import fill_new
from kube.api.meta import Key, Tree
from kube.api.resources import resource_of
from kube.api.status import AlreadyExists, ApiError
from kube.api.types import Endpoints, EndpointSlice, Namespace, PriorityClass, Service, ServiceCIDR
from kube.api.views import timestamp
from kube.component.logging import get_logger

log = get_logger(__name__)

NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
PRIORITY_CLASSES = (
    ("system-cluster-critical", 2_000_000_000, "Used for system critical pods that must run in the cluster, but can be moved to "
     "another node if necessary."),
    ("system-node-critical", 2_000_001_000, "Used for system critical pods that must not be moved from their current node."),
)  # fmt: skip
RETRY_SECONDS = 1.0
KEEP_SECONDS = 10.0  # how often a server says that it is alive, and looks whether all of this is still there


async def bootstrap(server: Server) -> None:
    """Make what is missing, tried again until it is all there (etcd may still be coming); from then on, keep it."""
    while True:
        if await _made(server) and await _roles_made(server):
            break
        await asyncio.sleep(RETRY_SECONDS)
    server.state["bootstrapped"] = True
    server.spawn(_keep(server), "bootstrap objects")
    server.spawn(service.repair(server), "leaked addresses and ports")


async def _keep(server: Server) -> None:
    try:
        while True:
            await asyncio.sleep(KEEP_SECONDS)
            await _made(server)
    finally:
        await peers.resign(server, own_address(server.config), lambda alive: _ensure_endpoints(server, alive))


async def _roles_made(server: Server) -> bool:
    try:
        await rbac.reconcile(server)
    except ApiError as error:
        log.warning("roles and bindings cannot be made yet", reason=error)
        return False
    return True


async def _made(server: Server) -> bool:
    try:
        for kind, tree in first_objects(server.config):
            await _ensure(server, kind, tree)
        await _ensure_service(server)
        await _ensure_endpoints(server, await peers.renew(server, own_address(server.config)))
    except ApiError as error:
        log.warning("bootstrap objects cannot be made yet", reason=error)
        return False
    return True


def first_objects(config: Config) -> Iterable[tuple[type[object], Tree]]:
    for tree in namespaces():
        yield Namespace, tree
    for tree in priority_classes():
        yield PriorityClass, tree
    yield ServiceCIDR, service_cidr(config.service_cluster_ip_range)


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


def service_cidr(ranges: Iterable[str]) -> Tree:
    """The range that --service-cluster-ip-range names, as an object."""
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "",
        "message": "Kubernetes default Service CIDR is ready",
        "lastTransitionTime": timestamp(utc_now()),
    }
    return {
        "metadata": {"name": "kubernetes"},
        "spec": {"cidrs": list(ranges)},
        "status": {"conditions": [ready]},
    }


def own_address(config: Config) -> str:
    """--advertise-address, or the address of this host's default route, as the kernel would choose it; no packet is sent."""
    if config.advertise_address:
        return config.advertise_address
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
    key = Key("default", "kubernetes")
    if server.stores.store_for(resource_of(Service)).cached(key) is not None:
        return
    address = str(cluster_ip.network(server)[1])
    try:
        await cluster_ip.take(server, address, key, dry_run=False)
    except cluster_ip.Taken:
        log.debug("the API server's cluster IP is taken", address=address)  # by another server that starts, usually
    await _ensure(server, Service, kubernetes_service(address, server.config.secure_port))


async def _ensure_endpoints(server: Server, addresses: list[str]) -> None:
    """The endpoints of the Service are the servers that are alive."""
    old, new = endpoints(addresses, server.config.secure_port)
    for kind, tree, fields in ((Endpoints, old, ("subsets",)), (EndpointSlice, new, ("endpoints", "ports"))):
        wanted = {field: tree[field] for field in fields}
        store = server.stores.store_for(resource_of(kind))
        found = store.cached(Key("default", "kubernetes"))
        if found is None:
            await _ensure(server, kind, tree)
        elif any(found.get(field) != value for field, value in wanted.items()):

            async def renewed(current: Tree, wanted: Tree = wanted) -> Tree:
                return {**current, **wanted}

            await store.update(Key("default", "kubernetes"), renewed)
