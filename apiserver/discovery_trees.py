"""Discovery trees: which groups, versions and resources are served, as the documents of discovery have it. Pure.

What other servers serve stands beside our own rows; of a version that both have, ours is told.
https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api
"""

import base64
import hashlib
from collections.abc import Iterable

from apiserver import group_priority
from apiserver.routes import RemoteVersion
from kube.api.meta import Tree
from kube.api.resource import Resource

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
HASHED_VERSIONS = {  # whose storageVersionHash upstream computes of another version than the one that we store
    ("apiextensions.k8s.io", "CustomResourceDefinition"): "v1beta1",
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicy"): "v1beta1",
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding"): "v1beta1",
}


def subresource_kind(row: Resource, name: str) -> tuple[str, str, str]:
    """Group, version and kind of a subresource."""
    if name == "scale":
        return "autoscaling", "v1", "Scale"
    return ANSWERS.get((row.group, row.plural, name), (row.group, row.version, row.kind))


def subresource_verbs(name: str) -> tuple[str, ...]:
    return SUBRESOURCE_VERBS.get(name, DEFAULT_SUBRESOURCE_VERBS)


def groups(rows: Iterable[Resource], remote: Iterable[RemoteVersion] = ()) -> dict[str, list[str]]:
    """The versions of each group, both in the order of their priority; core's under the empty name."""
    served = {(row.group, row.version): group_priority.of(row.group, row.version) for row in rows}
    served = {(one.group, one.version): one.priority for one in remote} | served
    return group_priority.ordered((group, version, priority) for (group, version), priority in served.items())


def group_tree(group: str, versions: list[str]) -> Tree:
    """An APIGroup."""
    listed = [{"groupVersion": f"{group}/{version}", "version": version} for version in versions]
    return {"name": group, "versions": listed, "preferredVersion": listed[0]}


def group_list(rows: Iterable[Resource], remote: Iterable[RemoteVersion]) -> Tree:
    """The APIGroupList of /apis."""
    listed = [group_tree(group, versions) for group, versions in groups(rows, remote).items() if group]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": listed}


def resource_list(rows: Iterable[Resource], group: str, version: str) -> Tree:
    """The APIResourceList of a group version; None of its rows: an empty one."""
    known = tuple(rows)
    listed: list[Tree] = []
    for row in sorted((row for row in known if (row.group, row.version) == (group, version)), key=lambda row: row.plural):
        listed += [_resource(row, known), *(_subresource(row, name) for name in sorted(row.subresources))]
    name = f"{group}/{version}" if group else version
    if not group:  # the core group's has no apiVersion, by upstream's early clients
        return {"kind": "APIResourceList", "groupVersion": name, "resources": listed}
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name, "resources": listed}


def aggregated(rows: Iterable[Resource], remote: Iterable[RemoteVersion] = (), *, core: bool) -> Tree:
    """APIGroupDiscoveryList of /api (core) or /apis."""
    known, others = tuple(rows), {(one.group, one.version): one for one in remote}
    items = []
    for group, versions in groups(known, others.values()).items():
        if core == (group == ""):
            listed = [_aggregated_version(known, others.get((group, version)), group, version) for version in versions]
            items.append({"metadata": {"name": group} if group else {}, "versions": listed})
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}


def as_aggregated(resource_list: Tree) -> tuple[Tree, ...]:
    """The APIResourceDiscovery trees of another server's APIResourceList."""
    group, _, version = str(resource_list.get("groupVersion", "")).rpartition("/")
    found: dict[str, Tree] = {}
    for told in resource_list.get("resources") or ():
        name, _, subresource = told["name"].partition("/")
        kind = {"group": told.get("group") or group, "version": told.get("version") or version, "kind": told["kind"]}
        one = found.setdefault(name, {"resource": name})
        if subresource:
            one.setdefault("subresources", []).append({"subresource": subresource, "responseKind": kind, "verbs": told["verbs"]})
            continue
        scope = "Namespaced" if told.get("namespaced") else "Cluster"
        one |= {"responseKind": kind, "scope": scope, "singularResource": told.get("singularName", ""), "verbs": told["verbs"]}
        one |= {field: told[field] for field in ("shortNames", "categories") if told.get(field)}
    return tuple(one for one in found.values() if "verbs" in one)


def stored_form(row: Resource, rows: Iterable[Resource]) -> Resource:
    """The row in whose form a row's objects are stored: nearly always its own."""
    return next((one for one in rows if row.view_tree and one.kind == row.kind and not one.view_tree), row)


def storage_hash(row: Resource) -> str:
    """The name of the form in which objects are stored (apiserver StorageVersionHash)."""
    version = row.stored_version or HASHED_VERSIONS.get((row.group, row.kind), row.version)
    text = f"{row.group}/{version}/{row.kind}"
    return base64.b64encode(hashlib.sha256(text.encode()).digest()[:8]).decode()


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


def _aggregated_version(rows: tuple[Resource, ...], remote: RemoteVersion | None, group: str, version: str) -> Tree:
    own = sorted((row for row in rows if (row.group, row.version) == (group, version)), key=lambda row: row.plural)
    if own or remote is None:
        return {"version": version, "resources": [_aggregated_resource(row) for row in own], "freshness": "Current"}
    tree: Tree = {"version": version, "freshness": "Stale" if remote.stale else "Current"}
    return {**tree, "resources": list(remote.resources)} if remote.resources else tree


def _aggregated_resource(row: Resource) -> Tree:
    tree: Tree = {
        "resource": row.plural,
        "responseKind": {"group": "", "version": "", "kind": row.kind},  # empty: those of the document
        "scope": "Namespaced" if row.namespaced else "Cluster",
        "singularResource": row.singular_name,
        "verbs": sorted(row.verbs),
    }
    if row.served_form is not None:  # a custom resource says all of it
        tree["responseKind"] |= {"group": row.group, "version": row.version}
    if row.short_names:
        tree["shortNames"] = list(row.short_names)
    if row.categories:
        tree["categories"] = list(row.categories)
    if row.subresources:
        tree["subresources"] = [_aggregated_subresource(row, name) for name in sorted(row.subresources)]
    return tree


def _aggregated_subresource(row: Resource, name: str) -> Tree:
    group, version, kind = subresource_kind(row, name)
    own = (group, version) == (row.group, row.version) and row.served_form is None
    response = {"group": "" if own else group, "version": "" if own else version, "kind": kind}
    return {"subresource": name, "responseKind": response, "verbs": sorted(subresource_verbs(name))}
