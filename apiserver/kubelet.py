"""Kubelet: how the API server reaches the kubelet of a node — its address, and the certificate it shows there.

The first of --kubelet-preferred-address-types that a node has is taken. The kubelet knows the API server by its client certificate.
https://kubernetes.io/docs/concepts/architecture/control-plane-node-communication/#api-server-to-kubelet
"""

import asyncio

from apiserver.context import Server
from apiserver.upgrade import Backend
from kube.api.meta import Key, Tree
from kube.api.resources import resource_of
from kube.api.status import InternalError, NotFound, not_found
from kube.api.types import Node
from kube.client.kubeconfig import Config
from kube.client.rest import Client

KUBELET_PORT = 10250


def node_host(node: Tree, preferred: tuple[str, ...]) -> tuple[str, int]:
    """Host and port of a node's kubelet. Raises InternalError where the node tells no address."""
    status = node.get("status") or {}
    addresses = status.get("addresses") or []
    known = {one["type"]: one["address"] for one in reversed(addresses)}
    host = next((known[kind] for kind in preferred if kind in known), "")
    if not host:
        raise InternalError(f"Internal error occurred: no preferred addresses found; known addresses: {addresses}")
    port = ((status.get("daemonEndpoints") or {}).get("kubeletEndpoint") or {}).get("Port") or KUBELET_PORT
    return host, int(port)


async def backend(server: Server, node_name: str, asked: str = "nodes") -> Backend:
    """The kubelet, for a connection of its own. `asked`: as what a node that is not there is told to be missing."""
    host, port = await _host(server, node_name, asked)
    if "kubelet_tls" not in server.state:  # making one takes tens of milliseconds
        server.state["kubelet_tls"] = _config(server, host, port).ssl_context()
    return Backend(host, port, server.state["kubelet_tls"])


async def client(server: Server, node_name: str, asked: str = "nodes") -> Client:
    """The kubelet, for plain requests; a client is kept for each address."""
    host, port = await _host(server, node_name, asked)
    clients: dict[tuple[str, int], Client] = server.state.setdefault("kubelets", {})
    found = clients.get((host, port))
    if found is None:
        found = clients[(host, port)] = Client(_config(server, host, port), "kube-apiserver")
        await found.__aenter__()
        server.spawn(_close_at_end(found), f"kubelet {host}:{port}")
    return found


async def _host(server: Server, node_name: str, asked: str) -> tuple[str, int]:
    """Upstream words what it does not find by the resource of the request, not by what it looked for."""
    try:
        node = await server.stores.store_for(resource_of(Node)).get(Key("", node_name))
    except NotFound:
        raise not_found(asked, "", node_name) from None
    return node_host(node, server.config.kubelet_preferred_address_types)


def _config(server: Server, host: str, port: int) -> Config:
    config = server.config
    files = (config.kubelet_certificate_authority, config.kubelet_client_certificate, config.kubelet_client_key)
    authority, certificate, key = (file.read_bytes() if file else None for file in files)
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return Config(f"https://{address}", "", authority, certificate, key, insecure=authority is None)


async def _close_at_end(kept: Client) -> None:
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        await kept.__aexit__()
