"""A small extension API server, after upstream's sample-apiserver: flunders of wardle.example.com/v1alpha1, kept in memory.

It serves over TLS, wants a client certificate of the front proxy's authority, and takes from headers who asks.
"""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from kube.api.meta import Tree
from kube.component import http_server
from kube.component.tls import ServerTLS
from tests.certificates import Authority

GROUP, VERSION = "wardle.example.com", "v1alpha1"
PATH = f"/apis/{GROUP}/{VERSION}"
FLUNDERS = {
    "name": "flunders",
    "singularName": "flunder",
    "namespaced": True,
    "kind": "Flunder",
    "verbs": ["create", "delete", "get", "list", "watch"],
    "shortNames": ["fl"],
}
OPENAPI = {"openapi": "3.0.0", "info": {"title": "wardle", "version": VERSION}, "paths": {}, "components": {"schemas": {}}}


@dataclass
class SampleServer:
    port: int
    ca_bundle: str
    healthy: bool = True
    flunders: dict[str, Tree] = field(default_factory=dict)
    users: list[Tree] = field(default_factory=list)  # who asked, as the headers and the certificate said
    watchers: list[asyncio.Queue[Tree]] = field(default_factory=list)

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Tree]:
        if not self.healthy:
            return 503, {"kind": "Status", "status": "Failure", "code": 503}
        if path == PATH:
            head = {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": f"{GROUP}/{VERSION}"}
            return 200, {**head, "resources": [FLUNDERS]}
        if path == f"/openapi/v3{PATH}":
            return 200, OPENAPI
        name = path.partition("/flunders/")[2]
        if method == "POST":
            tree = orjson.loads(body)
            self.flunders[tree["metadata"]["name"]] = tree
            for queue in self.watchers:
                queue.put_nowait({"type": "ADDED", "object": tree})
            return 201, tree
        if not name:
            items = list(self.flunders.values())
            return 200, {
                "kind": "FlunderList",
                "apiVersion": f"{GROUP}/{VERSION}",
                "metadata": {"resourceVersion": "1"},
                "items": items,
            }
        found = self.flunders.pop(name, None) if method == "DELETE" else self.flunders.get(name)
        return (200, found) if found else (404, {"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404})


@asynccontextmanager
async def sample_server(directory: Path, host: str, server_name: str, client_ca: Path) -> AsyncIterator[SampleServer]:
    authority = Authority(directory, "sample-ca")
    pair = authority.issue("sample", host=server_name)
    found = SampleServer(0, base64.b64encode(authority.certificate.read_bytes()).decode())

    async def app(scope: Any, receive: Any, send: Any) -> None:
        body = (await receive()).get("body", b"")
        headers = [(name.decode(), value.decode()) for name, value in scope["headers"]]
        told = [pair for pair in headers if pair[0].startswith(("x-remote", "authorization"))]
        subject = scope.get("extensions", {}).get("tls", {}).get("subject", {})
        if (scope["path"], "x-remote-user", "system:kube-aggregator") not in {(scope["path"], *one) for one in told}:
            found.users.append({"headers": told, "certificate": subject.get("CN")})
        json = [(b"content-type", b"application/json")]
        if b"watch=true" in scope["query_string"]:
            await send({"type": "http.response.start", "status": 200, "headers": json})
            queue: asyncio.Queue[Tree] = asyncio.Queue()
            found.watchers.append(queue)
            await send({"type": "http.response.body", "body": b"", "more_body": True})
            event = await queue.get()
            await send({"type": "http.response.body", "body": orjson.dumps(event) + b"\n"})
            return
        status, tree = found.answer(scope["method"], scope["path"], body)
        data = orjson.dumps(tree)
        await send({"type": "http.response.start", "status": status, "headers": [*json, (b"content-length", b"%d" % len(data))]})
        await send({"type": "http.response.body", "body": data})

    listener = await http_server.serve(app, host, 0, tls=ServerTLS(pair.certificate, pair.key, client_ca))
    found.port = listener.port
    try:
        yield found
    finally:
        await listener.close(within=0.2)
