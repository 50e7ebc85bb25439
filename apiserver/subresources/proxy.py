"""nodes/proxy, pods/proxy, services/proxy: any HTTP request, through the API server, to where the client cannot reach itself.

The name may be `name`, `name:port` or `scheme:name:port`. A Service's request goes to one of its ready endpoints. Redirects
lead back through the proxy; links in pages are left as they are (our choice: upstream rewrites HTML). Upgrades are joined.
https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services/#manually-constructing-apiserver-proxy-urls
"""

import asyncio
import ipaddress
import random
import ssl
from collections.abc import AsyncIterator
from functools import cache
from urllib.parse import quote, urlsplit

import h11

from apiserver import kubelet
from apiserver.context import Request, Response, Server
from apiserver.upgrade import CHUNK, Backend, Connection, dial, join
from kube.api.meta import Key, Tree
from kube.api.resources import resource_of
from kube.api.status import BadRequest, InternalError, ServiceUnavailable
from kube.api.types import EndpointSlice, Pod, Service

SERVICE_NAME = "kubernetes.io/service-name"
HOP_BY_HOP = frozenset(("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te",
                        "trailer", "transfer-encoding", "upgrade"))  # fmt: skip
OURS = frozenset(("host", "authorization", "content-length"))  # meant for the API server
PRINTABLE = "/:?#[]@!$&'()*+,;=%~ "  # a path is decoded; a header is not

_random = random.SystemRandom()


async def node(server: Server, request: Request) -> Response | None:
    """Anything of a kubelet's API."""
    return await _forwarded(request, await kubelet.backend(server, request.info.name))


async def pod(server: Server, request: Request) -> Response | None:
    """Anything that a pod serves; without a port, at the first that its containers name."""
    scheme, name, port = split_name(request.info.name)
    found = await server.stores.store_for(resource_of(Pod)).get(Key(request.info.namespace, name))
    address = (found.get("status") or {}).get("podIP") or ""
    if not proxyable(address):
        raise BadRequest(f'address not allowed: "{address}"' if address else f'pod "{name}" has no IP address')
    number = int(port) if port.isdigit() else first_port(found)
    return await _forwarded(request, _unverified(scheme, address, number))


async def service(server: Server, request: Request) -> Response | None:
    """Anything that a Service's endpoints serve."""
    scheme, name, port = split_name(request.info.name)
    key = Key(request.info.namespace, name)
    found = await server.stores.store_for(resource_of(Service)).get(key)
    wanted = service_port(found, port)
    slices = server.stores.store_for(resource_of(EndpointSlice)).cached_list(key.namespace)
    targets = ready_targets([one for one in slices if (one["metadata"].get("labels") or {}).get(SERVICE_NAME) == name], wanted)
    if not targets:
        raise ServiceUnavailable(f'no endpoints available for service "{name}"')
    address, number = _random.choice(targets)
    if not proxyable(address):
        raise BadRequest(f'address not allowed: "{address}"')
    return await _forwarded(request, _unverified(scheme, address, number))


def split_name(text: str) -> tuple[str, str, str]:
    """Scheme, name and port of `name`, `name:port`, `scheme:name:port`. Raises BadRequest. Pure."""
    parts = text.split(":")
    match parts:
        case [name]:
            return "http", name, ""
        case [name, port]:
            return "http", name, port
        case ["http" | "https" | "" as scheme, name, port]:
            return scheme or "http", name, port
    raise BadRequest(f'invalid service request "{text}"')


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
    if not request.info.subpath and not request.info.path.endswith("/") and request.info.method in ("GET", "HEAD"):
        return Response(301, headers=[("location", f"{request.info.path}/")])  # so that relative links work
    try:
        exchange = _Exchange(*await dial(backend))
        answer = await exchange.asked(request, backend)
    except (OSError, h11.ProtocolError) as error:
        raise ServiceUnavailable(f"error trying to reach service: {error}") from None
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers]
    kind = next((value for name, value in headers if name == "content-type"), "text/plain; charset=utf-8")
    return Response(answer.status_code, b"", kind, _rewritten(headers, request, backend), exchange.body())


class _Exchange:
    """One request and its answer, on a connection of their own."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.CLIENT)

    async def asked(self, request: Request, backend: Backend) -> h11.Response:
        """The head of the answer."""
        try:
            head = h11.Request(method=request.info.method, target=target_of(request), headers=_asking(request, backend))
            await self._send(head)
            if {"content-length", "transfer-encoding"} & request.headers.keys():
                async for part in _body(request):
                    await self._send(h11.Data(data=part))
            await self._send(h11.EndOfMessage())
            while True:
                event = await self._next()
                if isinstance(event, h11.Response):
                    return event
                if not isinstance(event, h11.InformationalResponse):
                    raise h11.RemoteProtocolError("unexpected EOF")
        except BaseException:
            self._writer.close()
            raise

    async def body(self) -> AsyncIterator[bytes]:
        """The rest of the answer; then the connection is closed."""
        try:
            while isinstance(event := await self._next(), h11.Data):
                yield bytes(event.data)
        except (OSError, h11.ProtocolError) as error:
            raise InternalError(f"Internal error occurred: {error}") from None  # the answer is cut off
        finally:
            self._writer.close()

    async def _send(self, event: h11.Event) -> None:
        self._writer.write(self._http.send(event) or b"")
        await self._writer.drain()

    async def _next(self) -> object:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            self._http.receive_data(await self._reader.read(CHUNK))
        return event


def _asking(request: Request, backend: Backend) -> list[tuple[bytes, bytes]]:
    """The client's headers, without what is meant for the API server."""
    kept = [
        (name, value)
        for name, value in request.scope["headers"]
        if name.decode("latin-1") not in HOP_BY_HOP | OURS and not name.startswith(b"impersonate-")
    ]
    about = {
        "host": backend.address,
        "connection": "close",
        "x-forwarded-uri": request.info.path,
        "x-forwarded-host": request.headers.get("host", ""),
    }
    length = request.headers.get("content-length")
    if length is not None:
        about["content-length"] = length
    elif "transfer-encoding" in request.headers:
        about["transfer-encoding"] = "chunked"
    return [*kept, *((name.encode(), quote(value, safe=PRINTABLE).encode()) for name, value in about.items())]


async def _body(request: Request) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await request.receive()
        more = message.get("more_body", False)
        yield message.get("body", b"")


def _rewritten(headers: list[tuple[str, str]], request: Request, backend: Backend) -> list[tuple[str, str]]:
    """Without what the server tells itself; a redirect to the backend itself leads through the proxy again."""
    root = request.info.path.removesuffix(request.info.subpath).rstrip("/")
    kept = [pair for pair in headers if pair[0] not in HOP_BY_HOP | {"content-type", "cache-control"}]
    return [(name, _location(value, root, backend) if name == "location" else value) for name, value in kept]


def _location(value: str, root: str, backend: Backend) -> str:
    parts = urlsplit(value)
    if (parts.netloc and parts.netloc != backend.address) or not parts.path.startswith("/"):
        return value
    return root + parts.path + (f"?{parts.query}" if parts.query else "")


def _unverified(scheme: str, host: str, port: int) -> Backend:
    return Backend(host, port, _any_certificate() if scheme == "https" else None)


@cache
def _any_certificate() -> ssl.SSLContext:
    """A pod's certificate, if it has one, is its own: it is not checked, as upstream does not."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
