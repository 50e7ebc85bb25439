"""OpenAPI: /openapi/v2, the v3 index with content hashes, and one v3 document a group version.

Paths come from the served rows, schemas from kube.api.openapi; computed once a change of the rows, on first use, served as bytes.
What reads them: `kubectl explain` (v3), client-side checks of `apply` and `create`, client generators. The protobuf form of v2 is
refused (406), upon which clients take JSON.
https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-interface-definition
"""

import asyncio
import hashlib
import zlib
from collections.abc import Callable
from functools import partial

import orjson
from fastapi import APIRouter, Request, Response

from apiserver.context import Server
from apiserver.openapi_paths import path_items
from kube.api import openapi
from kube.api.definitions import of_kind
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.client.version import GIT_VERSION

V2_JSON = "application/com.github.proto-openapi.spec.v2.v1.0+json"
GZIP_WINDOW = 31
COMMON = (  # what documents of every group refer to
    "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Patch",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Status",
    "io.k8s.apimachinery.pkg.apis.meta.v1.WatchEvent",
    "io.k8s.apimachinery.pkg.apis.meta.v1.APIResourceList",
)


def router(server: Server) -> APIRouter:
    documents = Documents(server)
    routes = APIRouter()

    @routes.get("/openapi/v2")
    async def version_2(request: Request) -> Response:
        accept = request.headers.get("accept", "")
        if "json" not in accept and "*/*" not in accept and accept:
            return Response(status_code=406)
        return await documents.answer(request, "v2", partial(v2_document, server.routes.rows()), "application/json")

    @routes.get("/openapi/v3")
    async def index(request: Request) -> Response:
        return await documents.answer(request, "v3", documents.index, "application/json")

    @routes.get("/openapi/v3/{path:path}")
    async def version_3(request: Request, path: str) -> Response:
        group, version = _group_version(path)
        rows = [row for row in server.routes.rows() if (row.group, row.version) == (group, version)]
        if not rows:
            return Response("404 page not found\n", status_code=404, media_type="text/plain")
        return await documents.answer(request, path, partial(v3_document, rows, group, version), "application/json")

    return routes


class Documents:
    """The documents as bytes, with their hashes, kept until the served rows change."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._generation = -1
        self._kept: dict[str, tuple[bytes, bytes, str]] = {}  # plain, gzip, hash

    async def answer(self, request: Request, name: str, make: Callable[[], Tree], kind: str) -> Response:
        plain, packed, digest = await self._document(name, make)
        headers = {"ETag": f'"{digest}"', "Vary": "Accept", "Cache-Control": "no-cache, private", "Content-Type": kind}
        if request.headers.get("if-none-match") == f'"{digest}"':
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(packed, headers={**headers, "Content-Encoding": "gzip"})
        return Response(plain, headers=headers)

    def index(self) -> Tree:
        """Where each group version's document is; the hash of its content is part of the address."""
        paths = {}
        for group, version in sorted({(row.group, row.version) for row in self._server.routes.rows()}):
            path = f"apis/{group}/{version}" if group else f"api/{version}"
            rows = [row for row in self._server.routes.rows() if (row.group, row.version) == (group, version)]
            digest = self._make(path, partial(v3_document, rows, group, version))[2]
            paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={digest}"}
        return {"paths": paths}

    async def _document(self, name: str, make: Callable[[], Tree]) -> tuple[bytes, bytes, str]:
        """Made in a thread: the whole takes a second, in which requests must go on."""
        if self._generation != self._server.routes.generation:
            self._kept.clear()
            self._generation = self._server.routes.generation
        found = self._kept.get(name)
        return found if found is not None else await asyncio.to_thread(self._make, name, make)

    def _make(self, name: str, make: Callable[[], Tree]) -> tuple[bytes, bytes, str]:
        found = self._kept.get(name)
        if found is None:
            plain = orjson.dumps(make())
            packer = zlib.compressobj(6, zlib.DEFLATED, GZIP_WINDOW)
            packed = packer.compress(plain) + packer.flush()
            found = self._kept[name] = (plain, packed, hashlib.sha512(plain).hexdigest().upper())
        return found


def v2_document(rows: tuple[Resource, ...]) -> Tree:
    """The whole API as Swagger 2.0."""
    paths: Tree = {}
    for row in rows:
        paths |= path_items(row, "#/definitions/", version=2)
    names = openapi.closure([*COMMON, *(name for row in rows for name in _schemas_of(row))])
    return {
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": GIT_VERSION},
        "paths": paths,
        "definitions": {name: openapi.v2_schema(name) for name in names},
        "securityDefinitions": {"BearerToken": _bearer()},
        "security": [{"BearerToken": []}],
    }


def v3_document(rows: list[Resource], group: str, version: str) -> Tree:
    """One group version as OpenAPI 3.0."""
    paths: Tree = {}
    for row in rows:
        paths |= path_items(row, "#/components/schemas/", version=3)
    names = openapi.closure([*COMMON, *(name for row in rows for name in _schemas_of(row))])
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": GIT_VERSION},
        "paths": paths,
        "components": {
            "schemas": {name: openapi.v3_schema(name) for name in names},
            "securitySchemes": {"BearerToken": _bearer()},
        },
    }


def _schemas_of(row: Resource) -> list[str]:
    """The definitions of a row: its kind, its list, and what its subresources speak."""
    wanted = [(row.group, row.version, row.kind), (row.group, row.version, f"{row.kind}List"), ("autoscaling", "v1", "Scale")]
    wanted += [("policy", "v1", "Eviction"), ("", "v1", "Binding"), ("authentication.k8s.io", "v1", "TokenRequest")]
    found = [of_kind(*one) for one in (wanted if row.subresources else wanted[:2])]
    return [one.name for one in found if one is not None]


def _group_version(path: str) -> tuple[str, str]:
    parts = path.strip("/").split("/")
    if parts[0] == "api" and len(parts) == 2:
        return "", parts[1]
    if parts[0] == "apis" and len(parts) == 3:
        return parts[1], parts[2]
    return "?", "?"


def _bearer() -> Tree:
    return {"type": "apiKey", "name": "authorization", "in": "header", "description": "Bearer Token authentication"}
