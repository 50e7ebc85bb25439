"""OpenAPI: /openapi/v2, the v3 index with content hashes, and one v3 document a group version.

Paths come from the served rows, schemas from kube.api.openapi; computed once a change of the rows, on first use, served as bytes.
What reads them: `kubectl explain` (v3), client-side checks of `apply` and `create` (older kubectls take v2 in protobuf alone),
client generators.
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
from apiserver.openapi_paths import discovery_item, path_items
from apiserver.protobuf import openapi_v2
from kube.api import openapi
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import NotAcceptable, NotFound
from kube.client.version import GIT_VERSION

GZIP_WINDOW = 31
PROTOBUF = (openapi_v2.MEDIA_TYPE, openapi_v2.MEDIA_TYPE.replace("@", "."))  # as asked for by most, and as answered


def router(server: Server) -> APIRouter:
    documents = Documents(server)
    routes = APIRouter()

    @routes.get("/openapi/v2")
    async def version_2(request: Request) -> Response:
        accept = request.headers.get("accept", "")
        if not accept or "json" in accept or "*/*" in accept:
            return await documents.answer(request, "v2", documents.v2_json, "application/json")
        if not any(one in accept for one in PROTOBUF):
            raise NotAcceptable(f"only the following media types are accepted: application/json, {', '.join(PROTOBUF)}")
        return await documents.answer(request, "v2 protobuf", documents.v2_protobuf, PROTOBUF[1])

    @routes.get("/openapi/v3")
    async def index(request: Request) -> Response:
        return await documents.answer(request, "v3", lambda: orjson.dumps(documents.index()), "application/json")

    @routes.get("/openapi/v3/{path:path}")
    async def version_3(request: Request, path: str) -> Response:
        group, version = _group_version(path)
        rows = [row for row in server.routes.rows() if (row.group, row.version) == (group, version)]
        if not rows:
            raise NotFound("the server could not find the requested resource")
        return await documents.answer(request, path, partial(v3_json, rows, group, version), "application/json")

    return routes


class Documents:
    """The documents as bytes, with their hashes, kept until the served rows change."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._generation = -1
        self._kept: dict[str, tuple[bytes, bytes, str]] = {}  # plain, gzip, hash

    async def answer(self, request: Request, name: str, make: Callable[[], bytes], kind: str) -> Response:
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
            digest = self._make(path, partial(v3_json, rows, group, version))[2]
            paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={digest}"}
        return {"paths": paths}

    def v2_json(self) -> bytes:
        return orjson.dumps(v2_document(self._server.routes.rows()))

    def v2_protobuf(self) -> bytes:
        return openapi_v2.encode(v2_document(self._server.routes.rows()))

    async def _document(self, name: str, make: Callable[[], bytes]) -> tuple[bytes, bytes, str]:
        """Made in a thread: the whole takes a second, in which requests must go on."""
        if self._generation != self._server.routes.generation:
            self._kept.clear()
            self._generation = self._server.routes.generation
        found = self._kept.get(name)
        return found if found is not None else await asyncio.to_thread(self._make, name, make)

    def _make(self, name: str, make: Callable[[], bytes]) -> tuple[bytes, bytes, str]:
        found = self._kept.get(name)
        if found is None:
            plain = make()
            packer = zlib.compressobj(6, zlib.DEFLATED, GZIP_WINDOW)
            packed = packer.compress(plain) + packer.flush()
            found = self._kept[name] = (plain, packed, hashlib.sha512(plain).hexdigest().upper())
        return found


def v2_document(rows: tuple[Resource, ...]) -> Tree:
    """The whole API as Swagger 2.0."""
    paths: Tree = {}
    for group, version in {(row.group, row.version): None for row in rows}:
        paths |= discovery_item(group, version, openapi.V2_PREFIX, form=2)
    for row in rows:
        paths |= path_items(row, openapi.V2_PREFIX, version=2)
    return {
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": GIT_VERSION},
        "paths": paths,
        "definitions": openapi.swagger_definitions(),
        "securityDefinitions": {"BearerToken": _bearer()},
        "security": [{"BearerToken": []}],
    }


def v3_json(rows: list[Resource], group: str, version: str) -> bytes:
    return orjson.dumps(v3_document(rows, group, version))


def v3_document(rows: list[Resource], group: str, version: str) -> Tree:
    """One group version as OpenAPI 3.0."""
    paths = discovery_item(group, version, openapi.V3_PREFIX, form=3)
    for row in rows:
        paths |= path_items(row, openapi.V3_PREFIX, version=3)
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": GIT_VERSION},
        "paths": paths,
        "components": {
            "schemas": openapi.v3_schemas(group, version),
            "securitySchemes": {"BearerToken": _bearer()},
        },
    }


def _group_version(path: str) -> tuple[str, str]:
    parts = path.strip("/").split("/")
    if parts[0] == "api" and len(parts) == 2:
        return "", parts[1]
    if parts[0] == "apis" and len(parts) == 3:
        return parts[1], parts[2]
    return "?", "?"


def _bearer() -> Tree:
    return {"type": "apiKey", "name": "authorization", "in": "header", "description": "Bearer Token authentication"}
