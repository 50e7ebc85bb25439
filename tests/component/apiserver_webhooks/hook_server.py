"""A webhook server in the test process: real TLS, real HTTP, answers by plain functions of the AdmissionReview."""

import base64
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from kube.api.meta import Tree
from kube.component import http_server
from kube.component.tls import ServerTLS
from tests.certificates import Authority

Respond = Callable[[Tree], Awaitable[Tree]]  # from the body to the answer's body


@dataclass
class HookServer:
    """Where it is, what makes it trusted, and what it was asked."""

    port: int
    ca_bundle: str
    asked: list[tuple[str, Tree]] = field(default_factory=list)  # (path, body)
    connections: set[tuple[str, int]] = field(default_factory=set)

    def config(self, path: str, **more: Any) -> Tree:
        """A WebhookClientConfig by URL."""
        return {"url": f"https://127.0.0.1:{self.port}{path}", "caBundle": self.ca_bundle, **more}

    def requests(self, path: str) -> list[Tree]:
        """The requests of the AdmissionReviews that a path got."""
        return [body["request"] for where, body in self.asked if where == path]


@asynccontextmanager
async def hook_server(
    directory: Path, routes: Mapping[str, Respond], *, host: str = "127.0.0.1", server_name: str = ""
) -> AsyncIterator[HookServer]:
    """Serve until the end of the block. `server_name`: what the certificate names, the host where empty."""
    authority = Authority(directory, "hook-ca")
    pair = authority.issue("hook", host=server_name or host)
    found = HookServer(0, base64.b64encode(authority.certificate.read_bytes()).decode())

    async def app(scope: Any, receive: Any, send: Any) -> None:
        data, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            data, more = data + message.get("body", b""), message.get("more_body", False)
        found.connections.add(tuple(scope["client"]))
        body: Tree = orjson.loads(data)
        found.asked.append((scope["path"], body))
        respond = routes.get(scope["path"])
        status, answer = (404, b"404 page not found\n") if respond is None else (200, orjson.dumps(await respond(body)))
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    listener = await http_server.serve(app, host, 0, tls=ServerTLS(pair.certificate, pair.key))
    found.port = listener.port
    try:
        yield found
    finally:
        await listener.close(within=0.2)


def review_answer(review: Tree, *, allowed: bool = True, patch: list[Tree] | None = None, **more: Any) -> Tree:
    """An AdmissionReview that answers `review`; `more` goes into its response."""
    response: Tree = {"uid": review["request"]["uid"], "allowed": allowed, **more}
    if patch is not None:
        response |= {"patchType": "JSONPatch", "patch": base64.b64encode(orjson.dumps(patch)).decode()}
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}
