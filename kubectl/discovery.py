"""Discovery: which kinds the server serves, and which of them a word of the command line means.

Aggregated discovery answers with two small requests, so nothing is cached on disk (our choice; upstream keeps ~/.kube/cache).
https://kubernetes.io/docs/reference/using-api/api-concepts/#discovery-api
"""

import sys
from collections.abc import Iterable
from functools import cached_property
from typing import Any

from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import ApiError
from kubectl.errors import CommandError
from kubectl.transport import Server

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"


class Discovery:
    """The served kinds, asked for once, when first needed."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._warned: set[str] = set()

    @cached_property
    def resources(self) -> list[Resource]:
        """Every kind in each of its versions: the core group first, in each group the preferred version first."""
        found: list[Resource] = []
        for root in ("/api", "/apis"):
            tree = self._server.request("GET", root, headers={"Accept": AGGREGATED}).tree()
            found += _aggregated(tree) if tree.get("kind") == "APIGroupDiscoveryList" else self._each(root, tree)
        return found

    def find(self, word: str) -> Resource:
        """The kind that a word names: plural, singular, short name, or kind; with `.group` or `.version.group` if wanted."""
        found = self.lookup(word)
        if found is None:
            name, _, group = word.partition(".")
            told = f'"{name}" in group "{group}"' if group else f'"{name}"'
            raise CommandError(f"the server doesn't have a resource type {told}")
        return found

    def lookup(self, word: str) -> Resource | None:
        name, _, rest = word.lower().partition(".")
        for matches in (_by_name, _by_short_name):
            found = [one for one in self.resources if matches(one, name) and _qualifies(one, rest)]
            if found:
                if matches is _by_short_name:
                    self._warn(name, found)
                return found[0]
        return None

    def _warn(self, name: str, found: list[Resource]) -> None:
        """Once: a short name that kinds of several groups have means the first of them."""
        groups = dict.fromkeys(f"{one.plural}.{one.group}".rstrip(".") for one in found)
        for other in [one for one in groups if one not in self._warned][1:]:
            print(f'Warning: short name "{name}" could also match lower priority resource {other}', file=sys.stderr)
        self._warned.update(groups)

    def category(self, word: str) -> list[Resource]:
        """The kinds of a category (`all`), in upstream's order; none where it is no category."""
        rows = [one for one in self.preferred() if word in one.categories]
        return sorted(rows, key=lambda one: (one.group != "", ORDER.index(one.plural) if one.plural in ORDER else len(ORDER)))

    def preferred(self) -> list[Resource]:
        """Each kind once, in its preferred version."""
        once: dict[tuple[str, str], Resource] = {}
        for one in self.resources:
            once.setdefault((one.group, one.plural), one)
        return list(once.values())

    def kind(self, api_version: str, kind: str) -> Resource | None:
        """The row of an object's own apiVersion and kind."""
        return next((one for one in self.resources if one.api_version == api_version and one.kind == kind), None)

    def elsewhere(self, kind: str) -> Resource | None:
        """The same kind under another apiVersion."""
        return next((one for one in self.resources if one.kind == kind), None)

    def _each(self, root: str, tree: Tree) -> list[Resource]:
        """Servers without aggregated discovery: one request a group and version."""
        if root == "/api":
            versions = [("", version) for version in tree.get("versions") or ()]
        else:
            versions = [(group["name"], one["version"]) for group in tree.get("groups") or () for one in _preferred_first(group)]
        found: list[Resource] = []
        for group, version in versions:
            path = f"/apis/{group}/{version}" if group else f"/api/{version}"
            try:
                found += _listed(group, version, self._server.request("GET", path).tree())
            except ApiError:
                continue  # a group whose own server is away must not hide the others
        return found


# `kubectl get all` upstream follows the storage registration's order.
ORDER = ("pods", "replicationcontrollers", "services", "daemonsets", "deployments", "replicasets", "statefulsets")


def _preferred_first(group: Tree) -> list[Tree]:
    preferred = (group.get("preferredVersion") or {}).get("version")
    return sorted(group["versions"], key=lambda one: one["version"] != preferred)


def _aggregated(tree: Tree) -> list[Resource]:
    return [
        _row(
            group["metadata"].get("name", ""),
            version["version"],
            one["responseKind"]["kind"],
            one["resource"],
            one["scope"] == "Namespaced",
            one.get("singularResource", ""),
            one,
            [sub["subresource"] for sub in one.get("subresources") or ()],
        )
        for group in tree.get("items") or ()
        for version in group["versions"]
        for one in version.get("resources") or ()
        if one.get("responseKind")
    ]


def _listed(group: str, version: str, tree: Tree) -> list[Resource]:
    rows = tree.get("resources") or ()
    return [
        _row(
            one.get("group") or group,
            one.get("version") or version,
            one["kind"],
            one["name"],
            one["namespaced"],
            one.get("singularName", ""),
            one,
            [other["name"].partition("/")[2] for other in rows if other["name"].startswith(one["name"] + "/")],
        )
        for one in rows
        if "/" not in one["name"]
    ]


def _row(
    group: str, version: str, kind: str, plural: str, namespaced: bool, singular: str, tree: Any, subresources: Iterable[str]
) -> Resource:
    return Resource(
        group=group,
        version=version,
        kind=kind,
        plural=plural,
        namespaced=namespaced,
        singular=singular,
        short_names=tuple(tree.get("shortNames") or ()),
        categories=tuple(tree.get("categories") or ()),
        verbs=tuple(tree.get("verbs") or ()),
        subresources=tuple(subresources),
    )


def _by_name(row: Resource, name: str) -> bool:
    return name in (row.plural, row.singular_name, row.kind.lower())


def _by_short_name(row: Resource, name: str) -> bool:
    return name in row.short_names


def _qualifies(row: Resource, rest: str) -> bool:
    """`apps`, `v1.apps`, or for the core group `v1.`; upstream also takes the beginning of a group's name."""
    if not rest:
        return True
    version, dot, group = rest.partition(".")
    if dot and row.version == version and row.group == group:
        return True
    return row.group == rest or (bool(row.group) and row.group.startswith(rest + "."))
