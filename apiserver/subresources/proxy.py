"""nodes/proxy, pods/proxy, services/proxy: any HTTP request, through the API server, to where the client cannot reach itself.

The name may be `name`, `name:port` or `scheme:name:port`. A Service's request goes to one of its ready endpoints. Redirects
lead back through the proxy, and so do the links of pages (html_links.py). Upgrades are joined.
https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services/#manually-constructing-apiserver-proxy-urls
"""

import ipaddress
import random
import ssl
import zlib
from collections.abc import AsyncIterator
from functools import cache

from apiserver import kubelet
from apiserver.context import Request, Response, Server
from apiserver.subresources.exchange import exchanged
from apiserver.subresources.html_links import Place, Rewriter
from apiserver.upgrade import Backend, Connection, join
from kube.api.meta import Key, Tree
from kube.api.resources import resource_of
from kube.api.status import BadRequest, InternalError, ServiceUnavailable
from kube.api.types import EndpointSlice, Pod, Service

SERVICE_NAME = "kubernetes.io/service-name"
KNOWN_PORTS = {"http": 80, "https": 443}  # a pod's port by name is looked up as any service's, not among the pod's ports
PACKINGS = {"": 0, "gzip": 31, "deflate": 15}  # of pages whose links are rewritten, by zlib's windows

_random = random.SystemRandom()


async def node(server: Server, request: Request) -> Response | None:
    """Anything of a kubelet's API; with a port, anything that the node serves there."""
    scheme, name, port = split_name(request.info.name, "node")
    backend = await kubelet.backend(server, name)
    if not port or port == str(backend.port):
        return await _forwarded(request, backend)
    if not proxyable(backend.host):
        raise BadRequest("address not allowed")
    return await _forwarded(request, _unverified(scheme, backend.host, _number(port)))


async def pod(server: Server, request: Request) -> Response | None:
    """Anything that a pod serves; without a port, at the first that its containers name."""
    scheme, name, port = split_name(request.info.name, "pod")
    found = await server.stores.store_for(resource_of(Pod)).get(Key(request.info.namespace, name))
    address = (found.get("status") or {}).get("podIP") or ""
    if not proxyable(address):
        raise BadRequest("address not allowed")
    return await _forwarded(request, _unverified(scheme, address, _number(port) if port else first_port(found)))


async def service(server: Server, request: Request) -> Response | None:
    """Anything that a Service's endpoints serve."""
    scheme, name, port = split_name(request.info.name, "service")
    key = Key(request.info.namespace, name)
    found = await server.stores.store_for(resource_of(Service)).get(key)
    wanted = service_port(found, port)
    slices = server.stores.store_for(resource_of(EndpointSlice)).cached_list(key.namespace)
    targets = ready_targets([one for one in slices if (one["metadata"].get("labels") or {}).get(SERVICE_NAME) == name], wanted)
    if not targets:
        raise ServiceUnavailable(f'no endpoints available for service "{name}"')
    address, number = _random.choice(targets)
    if not proxyable(address):
        raise BadRequest("address not allowed")
    return await _forwarded(request, _unverified(scheme, address, number))


def split_name(text: str, kind: str) -> tuple[str, str, str]:
    """Scheme, name and port of `name`, `name:port`, `scheme:name:port`. Raises BadRequest. Pure."""
    parts = text.split(":")
    match parts:
        case [name]:
            return "http", name, ""
        case [name, port]:
            return "http", name, port
        case ["http" | "https" | "" as scheme, name, port]:
            return scheme or "http", name, port
    raise BadRequest(f'invalid {kind} request "{text}"')


def _number(port: str) -> int:
    if port.isascii() and port.isdigit() and 0 < int(port) < 65536:
        return int(port)
    if port in KNOWN_PORTS:
        return KNOWN_PORTS[port]
    raise ServiceUnavailable(f"error trying to reach service: dial tcp: lookup tcp/{port}: unknown port")


def first_port(pod: Tree) -> int:
    """The first port that a pod's containers name. Pure."""
    ports = [port["containerPort"] for one in pod["spec"]["containers"] for port in one.get("ports") or ()]
    return int(ports[0]) if ports else 80


def service_port(service: Tree, wanted: str) -> str:
    """The name of the Service's port that is meant by a name or a number; its only one where none is. Pure."""
    ports = service["spec"].get("ports") or []
    if not wanted and len(ports) == 1:
        return str(ports[0].get("name") or "")
    for port in ports:
        if wanted and wanted in (port.get("name"), str(port.get("port"))):
            return str(port.get("name") or "")
    raise ServiceUnavailable(f'no service port "{wanted}" found for service "{service["metadata"]["name"]}"')


def ready_targets(slices: list[Tree], port: str) -> list[tuple[str, int]]:
    """Addresses and ports of the ready endpoints. Pure."""
    return [
        (endpoint["addresses"][0], known["port"])
        for one in slices
        for known in one.get("ports") or ()
        if (known.get("name") or "") == port and known.get("port")
        for endpoint in one.get("endpoints") or ()
        if (endpoint.get("conditions") or {}).get("ready") is not False
    ]


def proxyable(address: str) -> bool:
    """Whether it is an address that a pod may have: neither this host's own nor a link's (upstream's IsProxyableIP). Pure."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return not (parsed.is_loopback or parsed.is_link_local or parsed.is_multicast or parsed.is_unspecified)


def target_of(request: Request) -> str:
    """Path and query behind `/proxy`, encoded as the client sent them."""
    info = request.info
    raw = request.scope.get("raw_path", info.path.encode()).decode("latin-1")
    depth = 5 if info.namespace == "" else 7  # /api/v1/nodes/<name>/proxy, /api/v1/namespaces/<namespace>/pods/<name>/proxy
    path = "/" + "/".join(raw.split("/")[depth + 1 :])
    query = request.scope["query_string"].decode("latin-1")
    return f"{path}?{query}" if query else path


async def _forwarded(request: Request, backend: Backend) -> Response | None:
    if isinstance(request.scope.get("extensions", {}).get("upgrade"), Connection):
        await join(request, backend, target_of(request))
        return None
    info = request.info
    if not info.subpath and not info.path.endswith("/") and info.method in ("GET", "HEAD"):
        query = request.scope["query_string"].decode("latin-1")
        return Response(301, headers=[("location", f"{info.path}/{'?' if query else ''}{query}")])  # so that relative links work
    exchange = await exchanged(request, backend, target_of(request))
    headers = dict(exchange.headers)
    place = Place(backend.address, info.path.removesuffix(info.subpath).rstrip("/"))
    body = exchange.body()
    kind = headers.get("content-type", "text/plain; charset=utf-8")
    left_out = {"content-type", "cache-control"}
    if kind.partition(";")[0].strip().lower() == "text/html" and headers.get("content-encoding", "") in PACKINGS:
        body = _linked(body, Rewriter(place), PACKINGS[headers.get("content-encoding", "")])
        left_out |= {"content-length", "content-encoding"}
    kept = [
        (name, place.through(value) if name == "location" else value) for name, value in exchange.headers if name not in left_out
    ]
    return Response(exchange.status, b"", kind, kept, body)


async def _linked(body: AsyncIterator[bytes], rewriter: Rewriter, window: int) -> AsyncIterator[bytes]:
    """A page with its links rewritten; bytes are taken for latin-1, which keeps every one of them as it is."""
    unpacker = zlib.decompressobj(window) if window else None
    try:
        async for data in body:
            plain = unpacker.decompress(data) if unpacker else data
            if text := rewriter.feed(plain.decode("latin-1")):
                yield text.encode("latin-1")
    except zlib.error as error:
        raise InternalError(f"Internal error occurred: {error}") from None  # the answer is cut off
    yield rewriter.end().encode("latin-1")


def _unverified(scheme: str, host: str, port: int) -> Backend:
    return Backend(host, port, _any_certificate() if scheme == "https" else None)


@cache
def _any_certificate() -> ssl.SSLContext:
    """A pod's certificate, if it has one, is its own: it is not checked, as upstream does not."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
