"""Discovery: which resources a server serves, as rows.

https://kubernetes.io/docs/reference/using-api/api-concepts/#discovery-api
"""

from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.client.rest import Client

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"


async def discover(client: Client) -> list[Resource]:
    """Every served resource, in each of its versions; a group's preferred version first.

    A version whose own server does not answer (freshness Stale) may come without resources.
    """
    found: list[Resource] = []
    for root in ("/api", "/apis"):
        tree = (await client.request("GET", root, headers={"Accept": AGGREGATED})).tree()
        for group in tree.get("items") or ():
            for version in group["versions"]:
                name = group["metadata"].get("name", "")
                found += [_row(name, version["version"], one) for one in version.get("resources") or ()]
    return found


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
