"""Proxy: a request for a remote group version, passed on to the server behind it.

It goes out over our own TLS connection, which shows the front proxy's certificate; who asks is told in headers (X-Remote-User and
the like), and whatever a client sent under these names, or to authenticate itself, is left out. Watches and other streams are
passed on as they come, upgrades are joined. While the APIService is not available, the answer is 503.
https://kubernetes.io/docs/tasks/extend-kubernetes/configure-aggregation-layer/#kubernetes-apiserver-proxies-the-request
kube-aggregator pkg/apiserver/handler_proxy.go · apimachinery pkg/util/proxy/transport
"""

from collections.abc import AsyncIterator
from urllib.parse import quote

from apiserver.aggregator.registry import Remote, aggregator_of
from apiserver.context import Request, Response, Server, User
from apiserver.upgrade import Backend, Connection, join
from apiserver.webhooks.client import connections_of
from apiserver.webhooks.connections import Answer, CallFailed, Destination, Headers
from apiserver.webhooks.resolver import resolve
from kube.api.status import InternalError, ServiceUnavailable

HOP_BY_HOP = frozenset(
    (b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection", b"te", b"trailer",
     b"transfer-encoding", b"upgrade")
)  # fmt: skip
NOT_PASSED = HOP_BY_HOP | {b"host", b"authorization", b"content-length"}
NOT_ANSWERED = HOP_BY_HOP | {b"content-length", b"content-type", b"cache-control", b"audit-id", b"date"}
OURS = (b"x-remote-", b"impersonate-")  # beginnings of headers that only we may say
TOKEN = "!#$&'*+-.^_`|~"  # beside letters and digits, what the name of a header may hold


async def forward(server: Server, request: Request, remote: Remote) -> Response | None:
    """The remote server's answer."""
    if not remote.available:
        raise ServiceUnavailable("service unavailable")
    try:
        place = resolve(server, remote.namespace, remote.service, remote.port)
        trust = aggregator_of(server).trust(remote)
        if isinstance(request.scope.get("extensions", {}).get("upgrade"), Connection):
            backend = Backend(place.host, place.port, connections_of(server).context(trust), remote.host)
            await join(request, backend, target_of(request), identity(request.user))
            return None
        destination = Destination(place.host, place.port, remote.host, trust)
        body = await request.body()
        answer = await connections_of(server).request(
            destination, request.info.method, target_of(request), headers_of(request, remote), body
        )
    except CallFailed as error:
        raise ServiceUnavailable(f"error trying to reach service: {error}") from None
    kind = next((value.decode("latin-1") for name, value in answer.headers if name == b"content-type"), "")
    kept = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers if name not in NOT_ANSWERED]
    return Response(answer.status, b"", kind, kept, _body(answer))


async def _body(answer: Answer) -> AsyncIterator[bytes]:
    try:
        async for chunk in answer.chunks():
            yield chunk
    except CallFailed as error:
        raise InternalError(f"Internal error occurred: {error}") from None  # the answer is cut off
    finally:
        answer.close()


def target_of(request: Request) -> str:
    """Path and query as the client sent them."""
    path = request.scope.get("raw_path", request.info.path.encode()).decode("latin-1").partition("?")[0]
    query = request.scope["query_string"].decode("latin-1")
    return f"{path}?{query}" if query else path


def headers_of(request: Request, remote: Remote) -> Headers:
    """What the remote server is sent. Pure."""
    kept = [
        (name, value) for name, value in request.scope["headers"] if name not in NOT_PASSED and not name.startswith(OURS)
    ]  # fmt: skip
    client = request.scope.get("client")
    about = [(b"host", remote.host.encode()), (b"x-forwarded-host", request.headers.get("host", "").encode("latin-1"))]
    if client:
        about.append((b"x-forwarded-for", str(client[0]).encode()))
    return [*kept, *about, *identity(request.user)]


def identity(user: User) -> Headers:
    """Who asks, in headers. Pure."""
    found = [("x-remote-user", user.name)]
    if user.uid:
        found.append(("x-remote-uid", user.uid))
    found += [("x-remote-group", group) for group in user.groups]
    found += [(f"x-remote-extra-{quote(key.lower(), safe=TOKEN)}", value) for key, values in user.extra.items() for value in values]
    return [(name.encode(), value.encode()) for name, value in found]
