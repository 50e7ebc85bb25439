"""Server: metrics.k8s.io/v1beta1 over HTTPS, for the API server's aggregation and for whoever has a token.

Served are `get` and `list` of nodes and pods (label selectors; field selectors by name and namespace; Tables), the discovery
documents, and the health pages, which alone need no credentials. https://github.com/kubernetes-sigs/metrics-server
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import orjson

from addons.metrics import objects
from addons.metrics.access import Access
from addons.metrics.usage import Nodes, Usage
from kube.api import fields, labels
from kube.api.meta import Key, Tree
from kube.api.status import ApiError, BadRequest, InternalError, MethodNotAllowed, NotFound
from kube.api.types import Node, Pod
from kube.client.cache import Cache
from kube.client.rest import Unreachable
from kube.component.health import Health

ROOT = "/apis/metrics.k8s.io"
VERSION = {"groupVersion": objects.GROUP_VERSION, "version": "v1beta1"}
GROUP: Tree = {
    "kind": "APIGroup", "apiVersion": "v1", "name": "metrics.k8s.io", "versions": [VERSION], "preferredVersion": VERSION,
}  # fmt: skip
RESOURCES: Tree = {
    "kind": "APIResourceList",
    "apiVersion": "v1",
    "groupVersion": objects.GROUP_VERSION,
    "resources": [
        {"name": plural, "singularName": "", "namespaced": plural == "pods", "kind": kind, "verbs": ["get", "list"]}
        for plural, kind in objects.KINDS.items()
    ],
}
DOCUMENTS: dict[str, Tree] = {
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": [GROUP]},
    ROOT: GROUP,
    f"{ROOT}/v1beta1": RESOURCES,
}
HEALTH = ("/healthz", "/livez", "/readyz")
JSON = "application/json"


@dataclass(frozen=True)
class Asked:
    """What a path is about."""

    plural: str
    namespace: str = ""
    name: str = ""


@dataclass(frozen=True)
class Server:
    """An ASGI app."""

    nodes: Nodes
    node_cache: Cache[Node]
    pod_cache: Cache[Pod]
    access: Access
    health: Health

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        try:
            status, kind, body = await self._answer(scope)
        except Unreachable as error:
            status, kind, body = _failure(InternalError(f"Internal error occurred: {error}"))
        except ApiError as error:
            status, kind, body = _failure(error)
        headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Any) -> tuple[int, str, bytes]:
        path, query = scope["path"].rstrip("/"), parse_qs(scope["query_string"].decode("latin-1"))
        if path.startswith(HEALTH):
            health = self.health if path.startswith("/readyz") else Health()  # a program without numbers yet lives all the same
            return await health.answer(path, query) or _failure(NotFound("the server could not find the requested resource"))
        headers = [(key.decode("latin-1"), value.decode("latin-1")) for key, value in scope["headers"]]
        subject = ((scope.get("extensions") or {}).get("tls") or {}).get("subject")
        user = await self.access.user(subject, headers)
        asked = asked_of(path)
        if asked is None:
            verb = scope["method"].lower()
            await self.access.demand(user, {"nonResourceAttributes": {"path": path, "verb": verb}}, f'cannot {verb} path "{path}"')
            if path == "/metrics":
                return await self.health.answer(path, query) or _failure(NotFound("no metrics"))
            if path not in DOCUMENTS:
                raise NotFound("the server could not find the requested resource")
            return 200, JSON, orjson.dumps(DOCUMENTS[path])
        verb = "get" if asked.name else "watch" if query.get("watch", [""])[0] in ("1", "true") else "list"
        attributes = {"group": "metrics.k8s.io", "version": "v1beta1", "resource": asked.plural, "verb": verb}
        more = {"namespace": asked.namespace, "name": asked.name}
        await self.access.demand(
            user,
            {"resourceAttributes": {**attributes, **{key: value for key, value in more.items() if value}}},
            f'cannot {verb} resource "{asked.plural}" in API group "metrics.k8s.io"',
        )
        if scope["method"] != "GET" or verb == "watch":
            raise MethodNotAllowed(f"{verb if verb == 'watch' else scope['method']} is not supported on resources of this kind")
        accept = next((value for key, value in headers if key == "accept"), "")
        return 200, JSON, orjson.dumps(self._found(asked, query, "as=Table" in accept.partition(",")[0]))

    def _found(self, asked: Asked, query: dict[str, list[str]], as_table: bool) -> Tree:
        """Raises NotFound for a name that is not measured, BadRequest for a selector that cannot be read."""
        now = datetime.now(UTC)
        items: Iterable[Tree] = self._nodes(now) if asked.plural == "nodes" else self._pods(asked.namespace, now)
        if asked.name:
            one = next((tree for tree in items if tree["metadata"]["name"] == asked.name), None)
            if one is None:
                kind = objects.KINDS[asked.plural].lower()
                named = f"{asked.namespace}/{asked.name}" if asked.namespace else asked.name
                details = {"name": named, "group": "metrics.k8s.io", "kind": kind}
                raise NotFound(f'{kind}.metrics.k8s.io "{named}" not found', details)
            return objects.table([one]) if as_table else one
        chosen = [tree for tree in items if selected(tree, query)]
        return objects.table(chosen) if as_table else objects.list_of(asked.plural, chosen)

    def _nodes(self, now: datetime) -> Iterator[Tree]:
        for node in sorted(self.node_cache, key=lambda one: one.metadata.name):
            usage = self.nodes.node(node.metadata.name)
            if usage is not None:
                yield objects.node_metrics(node.metadata.name, node.metadata.labels or {}, usage, now)

    def _pods(self, namespace: str, now: datetime) -> Iterator[Tree]:
        """Those whose containers are all measured."""
        found: dict[Key, dict[str, Usage | None]] = {}
        for one, usage in self.nodes.containers():
            if not namespace or one.namespace == namespace:
                found.setdefault(Key(one.namespace, one.pod), {})[one.name] = usage
        for key, usages in sorted(found.items()):
            pod = self.pod_cache.get(key)
            whole = {name: usage for name, usage in usages.items() if usage is not None}
            if pod is not None and len(whole) == len(usages):
                yield objects.pod_metrics(key.namespace, key.name, pod.metadata.labels or {}, whole, now)


def asked_of(path: str) -> Asked | None:
    """None for a path that is not one of a resource. Pure."""
    match path.removeprefix(f"{ROOT}/v1beta1/").split("/") if path.startswith(f"{ROOT}/v1beta1/") else []:
        case ["nodes" | "pods" as plural]:
            return Asked(plural)
        case ["nodes", name]:
            return Asked("nodes", "", name)
        case ["namespaces", namespace, "pods"]:
            return Asked("pods", namespace)
        case ["namespaces", namespace, "pods", name]:
            return Asked("pods", namespace, name)
    return None


def selected(tree: Tree, query: dict[str, list[str]]) -> bool:
    """Whether a list's selectors take it. Raises BadRequest. Pure."""
    metadata = tree["metadata"]
    try:
        by_label = labels.parse(query.get("labelSelector", [""])[0])
        by_field = fields.parse(query.get("fieldSelector", [""])[0])
    except ValueError as error:
        raise BadRequest(str(error)) from error
    names = {"metadata.name": metadata["name"], "metadata.namespace": metadata.get("namespace", "")}
    if unknown := [term.field for term in by_field.terms if term.field not in names]:
        raise BadRequest(f"field label not supported: {unknown[0]}")
    matches = all((names[term.field] == term.value) is term.equal for term in by_field.terms)
    return matches and by_label.matches(metadata.get("labels"))


def _failure(error: ApiError) -> tuple[int, str, bytes]:
    return error.code, JSON, orjson.dumps(error.status())
