"""Discovery: which resources a server serves, as rows.

A version whose own server does not answer is marked in the document (freshness Stale); what it serves is then not known, and
absence from the rows says nothing about it.
https://kubernetes.io/docs/reference/using-api/api-concepts/#discovery-api · client-go discovery/aggregated_discovery.go
"""

from dataclasses import dataclass

from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.client.rest import Client

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"


@dataclass(frozen=True)
class Discovered:
    """What is served, in each of its versions, a group's preferred version first; and the apiVersions that are not known."""

    resources: tuple[Resource, ...]
    stale: frozenset[str] = frozenset()

    @property
    def failure(self) -> str:
        """What could not be discovered, in upstream's words; nothing where all was."""
        if not self.stale:
            return ""
        told = ", ".join(f"{one}: stale GroupVersion discovery: {one}" for one in sorted(self.stale))
        return f"unable to retrieve the complete list of server APIs: {told}"

    def serves(self, row: Resource) -> bool:
        """Whether the row is served in its version still, as far as can be known: a stale one counts as served."""
        return row.api_version in self.stale or any(
            (one.api_version, one.plural, one.kind) == (row.api_version, row.plural, row.kind) for one in self.resources
        )


async def discover(client: Client) -> Discovered:
    found: list[Resource] = []
    stale: set[str] = set()
    for root in ("/api", "/apis"):
        tree = (await client.request("GET", root, headers={"Accept": AGGREGATED})).tree()
        for group in tree.get("items") or ():
            name = group["metadata"].get("name", "")
            for version in group["versions"]:
                if version.get("freshness") == "Stale":
                    stale.add(f"{name}/{version['version']}")
                else:
                    found += [_row(name, version["version"], one) for one in version.get("resources") or ()]
    return Discovered(tuple(found), frozenset(stale))


def _row(group: str, version: str, tree: Tree) -> Resource:
    kind = tree["responseKind"]
    return Resource(
        group=group,
        version=version,
        kind=kind["kind"],
        plural=tree["resource"],
        namespaced=tree["scope"] == "Namespaced",
        singular=tree.get("singularResource", ""),
        short_names=tuple(tree.get("shortNames") or ()),
        categories=tuple(tree.get("categories") or ()),
        verbs=tuple(tree.get("verbs") or ()),
        subresources=tuple(one["subresource"] for one in tree.get("subresources") or ()),
    )
