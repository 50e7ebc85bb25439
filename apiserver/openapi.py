"""OpenAPI: /openapi/v2, the v3 index with content hashes, and one v3 document a group version.

The documents (openapi_documents.py) are made on first use, again when the rows that they are of have changed, and served as bytes:
plain and gzip, with an ETag that is a hash of the content. The index says each document's address with its hash; asked by that
address a document never changes (a client may keep it for good), and an older address leads to the newer one.

What reads them: `kubectl explain` (v3), client-side checks of `apply` and `create` (older kubectls take v2 in protobuf alone),
client generators. How rooms publish there:

    a custom resource       `row.openapi_schema`: its version's openAPIV3Schema as the user wrote it ({} where it gives none)
    another server's group  `server.routes.add_remote(RemoteVersion(..., openapi_v3=bytes, openapi_v2=tree))`

https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-interface-definition · kube-openapi pkg/handler3
"""

import asyncio
import hashlib
import zlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from typing import Any, NamedTuple

import orjson
from fastapi import APIRouter, Request, Response

from apiserver import openapi_documents as documents
from apiserver.accept import Offer, chosen
from apiserver.context import Server
from apiserver.nowhere import nowhere
from apiserver.protobuf import openapi_v2
from apiserver.routes import Routes
from kube.api.meta import Tree
from kube.api.status import NotAcceptable

GZIP_WINDOW = 31
JSON = Offer("application/json")
PROTOBUF_AS_ASKED = Offer(openapi_v2.MEDIA_TYPE)
PROTOBUF = Offer(openapi_v2.MEDIA_TYPE.replace("@", "."))  # as answered: `@` may not stand in a media type
FOR_GOOD = timedelta(days=365)

Of = Sequence[Any]  # what a document is made of: it is stale once one of these is another


class Document(NamedTuple):
    plain: bytes
    packed: bytes
    digest: str


def router(server: Server) -> APIRouter:
    published = Published(server.routes)
    routes = APIRouter()

    @routes.get("/openapi/v2")
    async def version_2(request: Request) -> Response:
        offers = (JSON, PROTOBUF_AS_ASKED, PROTOBUF)
        offer = chosen(request.headers.get("accept", ""), offers)
        if offer is None:
            raise NotAcceptable(f"only the following media types are accepted: {', '.join(one.kind for one in offers)}")
        as_json = offer is JSON
        document = await asyncio.to_thread(published.version_2, as_json=as_json)
        return answer(request, document, JSON.kind if as_json else PROTOBUF.kind)

    @routes.get("/openapi/v3")
    @routes.get("/openapi/v3/")
    async def index(request: Request) -> Response:
        return answer(request, await asyncio.to_thread(published.index))

    @routes.get("/openapi/v3/{path:path}")
    async def version_3(request: Request, path: str) -> Response:
        document = await asyncio.to_thread(published.version_3, path)
        if document is None:
            raise nowhere()
        asked = request.query_params.get("hash")
        if asked and asked != document.digest:
            return Response(status_code=301, headers={"Location": address(path, document)})
        return answer(request, document, for_good=bool(asked))

    return routes


def address(path: str, document: Document) -> str:
    """Where a document is that has this content."""
    return f"/openapi/v3/{path}?hash={document.digest}"


def answer(request: Request, document: Document, kind: str = JSON.kind, *, for_good: bool = False) -> Response:
    headers = {"ETag": f'"{document.digest}"', "Vary": "Accept", "Content-Type": kind}
    if for_good:
        headers |= {"Cache-Control": "public, immutable", "Expires": format_datetime(datetime.now(UTC) + FOR_GOOD, usegmt=True)}
    else:
        headers["Cache-Control"] = "no-cache, private"
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(document.packed, headers={**headers, "Content-Encoding": "gzip"})
    return Response(document.plain, headers=headers)


class Published:
    """The documents as bytes, kept until what they are made of changes. To be asked in a thread: all of them take half a second."""

    def __init__(self, routes: Routes) -> None:
        self._routes = routes
        self._kept: dict[str, tuple[Of, Document]] = {}

    def index(self) -> Document:
        """Where each document is."""
        paths = self._paths()
        found = {path: self.version_3(path) for path in paths}
        known = [one for one in found.values() if one is not None]
        listed = {path: {"serverRelativeURL": address(path, one)} for path, one in found.items() if one is not None}
        return self._document("index", known, lambda: orjson.dumps({"paths": listed}))

    def version_3(self, path: str) -> Document | None:
        """The document that the index has under this path; None: there is none."""
        path = path.strip("/")
        if path not in self._paths():
            return None
        parts = path.split("/")
        if parts[0] not in ("api", "apis"):
            return self._tree(path, (), partial(documents.version_3_of_other, path))
        group, version = ("", *parts[1:], "")[:2] if parts[0] == "api" else (*parts[1:], "", "")[:2]
        if not version:
            name = "*" if path == "apis" else group
            return self._tree(path, (), partial(documents.version_3_of_group, name))
        rows = [row for row in self._routes.rows() if (row.group, row.version) == (group, version)]
        if rows:
            return self._tree(path, rows, partial(documents.version_3, rows, group, version))
        remote = next(one.openapi_v3 for one in self._routes.remote() if (one.group, one.version) == (group, version))
        return self._document(path, [remote], lambda: remote or b"")

    def version_2(self, *, as_json: bool) -> Document:
        rows, remote = self._routes.rows(), self._routes.remote()
        others = [one.openapi_v2 for one in remote if one.openapi_v2 is not None]

        def make() -> bytes:
            tree = documents.merged_version_2(documents.version_2(rows), others)
            return orjson.dumps(tree) if as_json else openapi_v2.encode(tree)

        return self._document(f"v2 {as_json}", [*rows, *others], make)

    def _paths(self) -> list[str]:
        """Of the index, in its order."""
        served = {(row.group, row.version) for row in self._routes.rows()}
        served |= {(one.group, one.version) for one in self._routes.remote() if one.openapi_v3 is not None}
        found = {"api", "apis", *documents.other_items(documents.V3)}
        for group, version in served:
            found |= {f"apis/{group}", f"apis/{group}/{version}"} if group else {f"api/{version}"}
        return sorted(found)

    def _tree(self, name: str, of: Of, make: Callable[[], Tree]) -> Document:
        return self._document(name, of, lambda: orjson.dumps(make()))

    def _document(self, name: str, of: Of, make: Callable[[], bytes]) -> Document:
        kept = self._kept.get(name)
        if kept is not None and len(kept[0]) == len(of) and all(old is new for old, new in zip(kept[0], of, strict=True)):
            return kept[1]
        plain = make()
        packer = zlib.compressobj(6, zlib.DEFLATED, GZIP_WINDOW)
        document = Document(plain, packer.compress(plain) + packer.flush(), hashlib.sha512(plain).hexdigest().upper())
        self._kept[name] = (of, document)
        return document
