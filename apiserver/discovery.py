"""Discovery: which groups, versions and resources are served, in the old form (one document a group version) and aggregated.

Computed from the served rows, once a change of them, and served as bytes; the aggregated document has an ETag.
https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api
"""

import base64
import hashlib
from collections.abc import Callable, Iterable

import orjson
from fastapi import APIRouter, Request, Response

from apiserver.context import Server
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import NotFound

AGGREGATED_KINDS = {"v2": "apidiscovery.k8s.io/v2", "v2beta1": "apidiscovery.k8s.io/v2beta1"}
GROUP_ORDER = (  # upstream's priority of groups; those not named come last
    "apiregistration.k8s.io", "apps", "events.k8s.io", "authentication.k8s.io", "authorization.k8s.io", "autoscaling",
    "batch", "certificates.k8s.io", "networking.k8s.io", "policy", "rbac.authorization.k8s.io", "storage.k8s.io",
    "admissionregistration.k8s.io", "apiextensions.k8s.io", "scheduling.k8s.io", "coordination.k8s.io", "node.k8s.io",
    "discovery.k8s.io", "flowcontrol.apiserver.k8s.io",
)  # fmt: skip
ANSWERS = {  # (group, plural, subresource): the kind that it takes and gives, where it is not the resource's own
    ("", "nodes", "proxy"): ("", "v1", "NodeProxyOptions"),
    ("", "pods", "attach"): ("", "v1", "PodAttachOptions"),
    ("", "pods", "binding"): ("", "v1", "Binding"),
    ("", "pods", "eviction"): ("policy", "v1", "Eviction"),
    ("", "pods", "exec"): ("", "v1", "PodExecOptions"),
    ("", "pods", "portforward"): ("", "v1", "PodPortForwardOptions"),
    ("", "pods", "proxy"): ("", "v1", "PodProxyOptions"),
    ("", "services", "proxy"): ("", "v1", "ServiceProxyOptions"),
    ("", "serviceaccounts", "token"): ("authentication.k8s.io", "v1", "TokenRequest"),
}
SUBRESOURCE_VERBS = {
    "attach": ("create", "get"), "binding": ("create",), "eviction": ("create",), "exec": ("create", "get"),
    "finalize": ("update",), "log": ("get",), "portforward": ("create", "get"),
    "proxy": ("create", "delete", "get", "patch", "update"), "token": ("create",),
}  # fmt: skip
DEFAULT_SUBRESOURCE_VERBS = ("get", "patch", "update")


def subresource_kind(row: Resource, name: str) -> tuple[str, str, str]:
    """Group, version and kind of a subresource."""
    if name == "scale":
        return "autoscaling", "v1", "Scale"
    return ANSWERS.get((row.group, row.plural, name), (row.group, row.version, row.kind))


def subresource_verbs(name: str) -> tuple[str, ...]:
    return SUBRESOURCE_VERBS.get(name, DEFAULT_SUBRESOURCE_VERBS)


def groups(rows: Iterable[Resource]) -> dict[str, list[str]]:
    """The versions of each group but core's, the preferred one first."""
    found: dict[str, list[str]] = {}
    for row in rows:
        if row.group and row.version not in found.setdefault(row.group, []):
            found[row.group].append(row.version)
    ordered = sorted(found, key=lambda group: (GROUP_ORDER.index(group) if group in GROUP_ORDER else len(GROUP_ORDER), group))
    return {group: sorted(found[group], key=_version_rank) for group in ordered}


def group_tree(group: str, versions: list[str]) -> Tree:
    """An APIGroup."""
    listed = [{"groupVersion": f"{group}/{version}", "version": version} for version in versions]
    return {"name": group, "versions": listed, "preferredVersion": listed[0]}


def resource_list(rows: Iterable[Resource], group: str, version: str) -> Tree:
    """The APIResourceList of a group version; None of its rows: an empty one."""
    known = tuple(rows)
    listed: list[Tree] = []
    for row in sorted((row for row in known if (row.group, row.version) == (group, version)), key=lambda row: row.plural):
        listed += [_resource(row, known), *(_subresource(row, name) for name in sorted(row.subresources))]
    name = f"{group}/{version}" if group else version
    head = {"kind": "APIResourceList", "groupVersion": name, "resources": listed}
    return head if not group else {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name, "resources": listed}


def aggregated(rows: Iterable[Resource], *, core: bool, form: str) -> Tree:
    """APIGroupDiscoveryList of /api (core) or /apis."""
    known = tuple(rows)
    found = {"": ["v1"]} if core else groups(known)
    items = [_aggregated_group(known, group, versions, form) for group, versions in found.items()]
    return {"kind": "APIGroupDiscoveryList", "apiVersion": AGGREGATED_KINDS[form], "metadata": {}, "items": items}


def router(server: Server) -> APIRouter:
    """/api, /apis and what is below them down to a group version."""
    documents = _Documents(server)
    routes = APIRouter()

    @routes.get("/api")
    @routes.get("/apis")
    async def roots(request: Request) -> Response:
        return documents.root(request)

    @routes.get("/api/{version}")
    async def core_version(version: str) -> Response:
        return documents.version("", version)

    @routes.get("/apis/{group}")
    async def one_group(group: str) -> Response:
        return documents.group(group)

    @routes.get("/apis/{group}/{version}")
    async def group_version(group: str, version: str) -> Response:
        return documents.version(group, version)

    return routes


class _Documents:
    """The documents as bytes, kept until the served rows change."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._kept: dict[str, bytes] = {}
        self._generation = -1

    def root(self, request: Request) -> Response:
        core = request.url.path == "/api"
        form = _wanted_form(request.headers.get("accept", ""))
        if form is None:
            return Response(self._bytes(f"root {core}", self._legacy_root(core)), media_type="application/json")
        body = self._bytes(f"aggregated {core} {form}", lambda: aggregated(self._rows(), core=core, form=form))
        etag = '"' + hashlib.sha512(body).hexdigest().upper() + '"'
        headers = {"ETag": etag, "Vary": "Accept", "Cache-Control": "public"}
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        kind = f"application/json;g=apidiscovery.k8s.io;v={form};as=APIGroupDiscoveryList"
        return Response(body, headers={**headers, "Content-Type": kind})

    def group(self, group: str) -> Response:
        versions = groups(self._rows()).get(group)
        if versions is None:
            raise NotFound("the server could not find the requested resource")
        tree = {"kind": "APIGroup", "apiVersion": "v1", **group_tree(group, versions)}
        return Response(orjson.dumps(tree), media_type="application/json")

    def version(self, group: str, version: str) -> Response:
        if not any((row.group, row.version) == (group, version) for row in self._rows()):
            raise NotFound("the server could not find the requested resource")
        body = self._bytes(f"list {group}/{version}", lambda: resource_list(self._rows(), group, version))
        return Response(body, media_type="application/json")

    def _legacy_root(self, core: bool) -> Callable[[], Tree]:
        if core:
            address = f"{self._server.config.advertise_address or '127.0.0.1'}:{self._server.config.secure_port}"
            clients = [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]
            return lambda: {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": clients}
        listed = [group_tree(group, versions) for group, versions in groups(self._rows()).items()]
        return lambda: {"kind": "APIGroupList", "apiVersion": "v1", "groups": listed}

    def _rows(self) -> tuple[Resource, ...]:
        return self._server.routes.rows()

    def _bytes(self, name: str, make: Callable[[], Tree]) -> bytes:
        if self._generation != self._server.routes.generation:
            self._kept.clear()
            self._generation = self._server.routes.generation
        if name not in self._kept:
            self._kept[name] = orjson.dumps(make())
        return self._kept[name]


def _resource(row: Resource, rows: tuple[Resource, ...]) -> Tree:
    tree: Tree = {
        "name": row.plural,
        "singularName": row.singular_name,
        "namespaced": row.namespaced,
        "kind": row.kind,
        "verbs": sorted(row.verbs),
    }
    if row.short_names:
        tree["shortNames"] = list(row.short_names)
    if row.categories:
        tree["categories"] = list(row.categories)
    if "watch" in row.verbs:  # it is stored
        tree["storageVersionHash"] = storage_hash(stored_form(row, rows))
    return tree


def _subresource(row: Resource, name: str) -> Tree:
    group, version, kind = subresource_kind(row, name)
    tree: Tree = {"name": f"{row.plural}/{name}", "singularName": "", "namespaced": row.namespaced}
    if (group, version) != (row.group, row.version):
        tree |= {"group": group, "version": version}
    return {**tree, "kind": kind, "verbs": sorted(subresource_verbs(name))}


def stored_form(row: Resource, rows: Iterable[Resource]) -> Resource:
    """The row in whose form a row's objects are stored: nearly always its own."""
    return next((one for one in rows if row.view_tree and one.kind == row.kind and not one.view_tree), row)


def storage_hash(row: Resource) -> str:
    """The name of the form in which objects are stored (apiserver StorageVersionHash)."""
    text = f"{row.group}/{row.version}/{row.kind}"
    return base64.b64encode(hashlib.sha256(text.encode()).digest()[:8]).decode()


def _aggregated_group(rows: tuple[Resource, ...], group: str, versions: list[str], form: str) -> Tree:
    listed = []
    for version in versions:
        own = sorted((row for row in rows if (row.group, row.version) == (group, version)), key=lambda row: row.plural)
        listed.append({"version": version, "resources": [_aggregated_resource(row) for row in own], "freshness": "Current"})
    return {"metadata": {"name": group} if group else {}, "versions": listed}


def _aggregated_resource(row: Resource) -> Tree:
    tree: Tree = {
        "resource": row.plural,
        "responseKind": {"group": "", "version": "", "kind": row.kind},  # empty: those of the document
        "scope": "Namespaced" if row.namespaced else "Cluster",
        "singularResource": row.singular_name,
        "verbs": sorted(row.verbs),
    }
    if row.short_names:
        tree["shortNames"] = list(row.short_names)
    if row.categories:
        tree["categories"] = list(row.categories)
    if row.subresources:
        tree["subresources"] = [_aggregated_subresource(row, name) for name in sorted(row.subresources)]
    return tree


def _aggregated_subresource(row: Resource, name: str) -> Tree:
    group, version, kind = subresource_kind(row, name)
    own = (group, version) == (row.group, row.version)
    response = {"group": "" if own else group, "version": "" if own else version, "kind": kind}
    return {"subresource": name, "responseKind": response, "verbs": sorted(subresource_verbs(name))}


def _wanted_form(accept: str) -> str | None:
    """The first aggregated form that the client accepts."""
    for part in accept.split(","):
        words = {word.strip() for word in part.split(";")}
        if "as=APIGroupDiscoveryList" in words and "g=apidiscovery.k8s.io" in words and "application/json" in words:
            form = next((word.removeprefix("v=") for word in words if word.startswith("v=")), "")
            if form in AGGREGATED_KINDS:
                return form
        elif "application/json" in words and len(words) == 1:
            return None
    return None


def _version_rank(version: str) -> tuple[int, str]:
    """v2 before v1, stable before beta before alpha."""
    stability = 0 if "beta" not in version and "alpha" not in version else 1 if "beta" in version else 2
    digits = "".join(filter(str.isdigit, version.partition("beta")[0].partition("alpha")[0]))
    return stability, f"{999 - int(digits or 0):03}"
