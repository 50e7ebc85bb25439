"""Discovery: /api, /apis and what is below them down to a group version, in the old form and aggregated.

    Accept: application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList     all of it in one document, with an ETag
    Accept: application/json, or anything else that allows it                        one document a level

The documents (discovery_trees.py) are computed once a change of `server.routes` and served as bytes. What is told at run time:

    a custom resource       `server.routes.add(row)`; `row.stored_version` names the version in which its objects are stored
    another server's group  `server.routes.add_remote(RemoteVersion(...))`; its own document at /apis/<group>/<version> is fetched
                            from that server, by the aggregator, which answers that path before it comes here

Version v2beta1 of the aggregated form is not served, as upstream does since 1.33.
https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api · KEP-3352
"""

import hashlib
from collections.abc import Callable

import orjson
from fastapi import APIRouter, Request, Response

from apiserver import discovery_trees as trees
from apiserver.accept import Offer, chosen
from apiserver.context import Server
from apiserver.nowhere import no_method, nowhere
from kube.api.late import late
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import NotAcceptable

PLAIN, YAML = Offer("application/json"), Offer("application/yaml")
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]
AGGREGATED = Offer("application/json", {"g": "apidiscovery.k8s.io", "v": "v2", "as": "APIGroupDiscoveryList"})


def router(server: Server) -> APIRouter:
    """The paths. The lists of groups answer to any method, as upstream's do."""
    documents = _Documents(server)
    routes = APIRouter()

    @routes.api_route("/api", methods=METHODS)
    @routes.api_route("/api/", methods=METHODS)
    async def core(request: Request) -> Response:
        _check_method(request)
        return documents.root(request, core=True)

    @routes.api_route("/apis", methods=METHODS)
    @routes.api_route("/apis/", methods=METHODS)
    async def all_groups(request: Request) -> Response:
        return documents.root(request, core=False)

    @routes.api_route("/api/{version}", methods=METHODS)
    @routes.api_route("/api/{version}/", methods=METHODS)
    async def core_version(request: Request, version: str) -> Response:
        return documents.version(request, "", version)

    @routes.api_route("/apis/{group}", methods=METHODS)
    @routes.api_route("/apis/{group}/", methods=METHODS)
    async def one_group(request: Request, group: str) -> Response:
        return documents.group(request, group)

    @routes.api_route("/apis/{group}/{version}", methods=METHODS)
    @routes.api_route("/apis/{group}/{version}/", methods=METHODS)
    async def group_version(request: Request, group: str, version: str) -> Response:
        return documents.version(request, group, version)

    return routes


class _Documents:
    """The documents as bytes with their hashes, kept until what is served changes."""

    def __init__(self, server: Server) -> None:
        self._routes = server.routes
        self._config = server.config
        self._kept: dict[str, tuple[bytes, str]] = {}
        self._generation = -1

    def root(self, request: Request, *, core: bool) -> Response:
        offer = _offer(request, PLAIN, AGGREGATED, YAML)
        if offer is not AGGREGATED:
            body, _ = self._document(f"root {core}", self._versions if core else self._groups)
            return _plain(body, offer)
        body, digest = self._document(f"aggregated {core}", lambda: self._aggregated(core))
        headers = {"ETag": f'"{digest}"', "Vary": "Accept", "Cache-Control": "public", "Content-Type": AGGREGATED.written}
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers)

    def group(self, request: Request, group: str) -> Response:
        offer = _offer(request, PLAIN, YAML)
        versions = trees.groups(self._rows(), self._routes.remote()).get(group) if group else None
        if versions is None:
            raise nowhere()
        return _plain(orjson.dumps({"kind": "APIGroup", "apiVersion": "v1", **trees.group_tree(group, versions)}), offer)

    def version(self, request: Request, group: str, version: str) -> Response:
        offer = _offer(request, PLAIN, YAML)
        if not any((row.group, row.version) == (group, version) for row in self._rows()):
            raise nowhere()
        _check_method(request)
        body, _ = self._document(f"list {group}/{version}", lambda: trees.resource_list(self._rows(), group, version))
        return _plain(body, offer)

    def _versions(self) -> Tree:
        address = f"{self._config.advertise_address or '127.0.0.1'}:{self._config.secure_port}"
        clients = [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]
        return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": clients}

    def _groups(self) -> Tree:
        return trees.group_list(self._rows(), self._routes.remote())

    def _aggregated(self, core: bool) -> Tree:
        return trees.aggregated(self._rows(), self._routes.remote(), core=core)

    def _rows(self) -> tuple[Resource, ...]:
        return self._routes.rows()

    def _document(self, name: str, make: Callable[[], Tree]) -> tuple[bytes, str]:
        if self._generation != self._routes.generation:
            self._kept.clear()
            self._generation = self._routes.generation
        if name not in self._kept:
            body = orjson.dumps(make())
            self._kept[name] = (body, hashlib.sha512(body).hexdigest().upper())
        return self._kept[name]


def _check_method(request: Request) -> None:
    if request.method != "GET":
        raise no_method()


def _offer(request: Request, *offers: Offer) -> Offer:
    found = chosen(request.headers.get("accept", ""), offers)
    if found is None:
        kinds = dict.fromkeys(offer.kind for offer in offers)
        raise NotAcceptable(f"only the following media types are accepted: {', '.join(kinds)}")
    return found


def _plain(body: bytes, offer: Offer) -> Response:
    if offer is YAML:
        body = late("kube.api.go_yaml").as_yaml(orjson.loads(body)).encode()
    return Response(body, headers={"Content-Type": offer.kind, "Vary": "Accept", "Cache-Control": "no-cache, private"})
