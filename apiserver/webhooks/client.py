"""Client: one call of a webhook — a JSON object is posted, a JSON object comes back.

    answer = await call(server, webhook["clientConfig"], review, timeout_seconds=10, name="w.example.com")

The client configuration is as in WebhookClientConfig: a url, or a service reference (namespace, name, path, port), whose
certificate must name `<service>.<namespace>.svc`; and a caBundle. Whatever goes wrong, for which reason ever, is CallFailed with
the text `Post "https://...?timeout=10s": <why>`; the caller puts before it whose webhook this was.
https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#contacting-the-webhook
apiserver pkg/util/webhook/client.go
"""

import asyncio
import base64
import binascii
from urllib.parse import urlsplit

import orjson

from apiserver.context import Server
from apiserver.handlers.body import TYPE_META
from apiserver.webhooks.connections import CallFailed, Connections, Destination, Trust
from apiserver.webhooks.resolver import Place, resolve
from kube.api import go_json
from kube.api.meta import Tree
from kube.api.schema import json_type
from kube.client.version import user_agent

LARGEST_ANSWER_BYTES = 16 << 20
SERVICE_PORT = 443
GENERIC = {  # what an answer without a Status means; apimachinery NewGenericServerResponse
    401: "the server has asked for the client to provide credentials",
    403: "the server does not allow access to the requested resource",
    404: "the server could not find the requested resource",
    405: "the server does not allow this method on the requested resource",
    406: "the server was unable to respond with a content type that the client supports",
    409: "the server reported a conflict",
    415: "the body of the request was in an unknown format",
    429: "the server has received too many requests and has asked us to try again later",
    503: "the server is currently unable to handle the request",
    504: "the server was unable to return a response in the time allotted, but may still be processing the request",
}

__all__ = ["CallFailed", "call", "connections_of", "refusal", "url_of"]


async def call(server: Server, client_config: Tree, body: Tree, *, timeout_seconds: float, name: str) -> Tree:
    """The answer of the webhook called `name`. Raises CallFailed."""
    url = url_of(client_config, timeout_seconds)
    try:
        async with asyncio.timeout(timeout_seconds):
            return await _called(server, client_config, url, orjson.dumps(body))
    except TimeoutError:
        raise CallFailed(f'Post "{url}": context deadline exceeded') from None


def connections_of(server: Server) -> Connections:
    """The server's connections to others, closed at its end."""
    found: Connections | None = server.state.get("connections")
    if found is None:
        found = server.state["connections"] = Connections()
        server.spawn(_close_at_end(found), "connections to webhooks")
    return found


def url_of(client_config: Tree, timeout_seconds: float) -> str:
    """The URL as messages have it. Pure."""
    service = client_config.get("service")
    if service is None:
        url = str(client_config.get("url") or "")
    else:
        path = (service.get("path") or "").lstrip("/")
        url = f"https://{service['name']}.{service['namespace']}.svc:{service.get('port') or SERVICE_PORT}/{path}"
    return f"{url}{'&' if '?' in url else '?'}timeout={timeout_seconds:g}s"


async def _called(server: Server, client_config: Tree, url: str, body: bytes) -> Tree:
    parts = urlsplit(url)
    target = f"{parts.path or '/'}?{parts.query}"
    headers = [
        (b"host", parts.netloc.encode()),
        (b"user-agent", user_agent("kube-apiserver-admission").encode()),
        (b"accept", b"application/json, */*"),
        (b"content-type", b"application/json"),
    ]
    try:
        destination = _destination(server, client_config)
        answer = await connections_of(server).request(destination, "POST", target, headers, body)
        data = await answer.read(LARGEST_ANSWER_BYTES)
    except CallFailed as error:
        raise CallFailed(f'Post "{url}": {error}') from None
    content_type = next((value.decode("latin-1") for name, value in answer.headers if name.lower() == b"content-type"), "")
    if answer.status not in (200, 201, 202):
        raise CallFailed(refusal(answer.status, data, content_type))
    if not data:
        raise CallFailed(f"0-length response with status code: {answer.status} and content type: {content_type}")
    try:
        tree = go_json.loads(data)
    except go_json.Malformed as error:
        raise CallFailed(f"couldn't get version/kind; json parse error: {error}") from None
    if not isinstance(tree, dict):
        wrong = f"json: cannot unmarshal {json_type(tree)} into Go value of type {TYPE_META}"
        raise CallFailed(f"couldn't get version/kind; json parse error: {wrong}")
    return tree


def _destination(server: Server, client_config: Tree) -> Destination:
    trust = Trust(_decoded(client_config.get("caBundle")))
    service = client_config.get("service")
    if service is None:
        parts = urlsplit(str(client_config.get("url") or ""))
        host = parts.hostname or ""
        place, server_name = Place(host, parts.port or SERVICE_PORT), host
    else:
        place = resolve(server, service["namespace"], service["name"], int(service.get("port") or SERVICE_PORT))
        server_name = f"{service['name']}.{service['namespace']}.svc"
    return Destination(place.host, place.port, server_name, trust)


def refusal(status: int, data: bytes, content_type: str) -> str:
    """What an answer other than success means: its Status' message, or what its code means; a text is quoted. Pure."""
    try:
        tree = orjson.loads(data)
    except orjson.JSONDecodeError:
        tree = None
    if isinstance(tree, dict) and tree.get("kind") == "Status" and tree.get("message"):
        return str(tree["message"])
    if status >= 500 and status not in GENERIC:
        text = (data.decode("utf-8", "replace").strip() if content_type.startswith("text/") else "") or "unknown"
        return f'an error on the server ("{text[:2048]}") has prevented the request from succeeding'
    return GENERIC.get(status, f"the server responded with the status code {status} but did not return more information")


def _decoded(bundle: str | None) -> bytes:
    try:
        return base64.b64decode(bundle or "")
    except (binascii.Error, ValueError):
        raise CallFailed("unable to load root certificates: unable to parse bytes as PEM block") from None


async def _close_at_end(connections: Connections) -> None:
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        connections.close()
