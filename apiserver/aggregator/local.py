"""Local: the APIServices of the group versions that this server serves itself — built in, and custom resources as they come and go.

Their label says who keeps them: `onstart` for what is built in, `true` for custom resources, whose APIServices go with them. An
APIService without the label is somebody else's and left alone.
kube-aggregator pkg/controllers/autoregister · kubernetes pkg/controlplane/apiserver/aggregator.go
"""

from collections.abc import Iterable, Mapping

from kube.api.meta import Tree
from kube.api.resource import Resource

LABEL = "kube-aggregator.kubernetes.io/automanaged"
ON_START, ALWAYS = "onstart", "true"
OWN_GROUP = "apiregistration.k8s.io"  # is not registered in itself
CUSTOM = (1000, 100)  # group and version priority of custom resources: below all that is built in
OTHER = (2000, 15)
CORE_GROUP = 18000
GROUPS = {  # upstream's groupPriorityMinimum
    "": CORE_GROUP, "apps": 17800, "events.k8s.io": 17750, "authentication.k8s.io": 17700, "authorization.k8s.io": 17600,
    "autoscaling": 17500, "batch": 17400, "certificates.k8s.io": 17300, "networking.k8s.io": 17200, "policy": 17100,
    "rbac.authorization.k8s.io": 17000, "storage.k8s.io": 16800, "apiextensions.k8s.io": 16700,
    "admissionregistration.k8s.io": 16700, "scheduling.k8s.io": 16600, "coordination.k8s.io": 16500, "node.k8s.io": 16300,
    "discovery.k8s.io": 16200, "flowcontrol.apiserver.k8s.io": 16100, "internal.apiserver.k8s.io": 16000, "resource.k8s.io": 15900,
    "storagemigration.k8s.io": 15800,
}  # fmt: skip
VERSIONS = {("", "v1"): 1, ("autoscaling", "v2"): 30, ("flowcontrol.apiserver.k8s.io", "v1"): 21}  # others: as OTHER


def built_in(rows: Iterable[Resource]) -> dict[str, Tree]:
    """By name, the APIServices of the table of kinds."""
    versions = {(row.group, row.version) for row in rows if row.group != OWN_GROUP and row.served_form is None}
    return dict(_named(group, version, ON_START, *_priorities(group, version)) for group, version in sorted(versions))


def custom(definitions: Iterable[Tree]) -> dict[str, Tree]:
    """By name, the APIServices of established CustomResourceDefinitions."""
    found: dict[str, Tree] = {}
    for definition in definitions:
        conditions = (definition.get("status") or {}).get("conditions") or ()
        if not any(one["type"] == "Established" and one["status"] == "True" for one in conditions):
            continue
        for version in definition["spec"]["versions"]:
            if version.get("served"):
                found |= dict([_named(definition["spec"]["group"], version["name"], ALWAYS, *CUSTOM)])
    return found


def to_make(wanted: Mapping[str, Tree], there: Mapping[str, Tree]) -> list[Tree]:
    return [tree for name, tree in wanted.items() if name not in there]


def to_remove(wanted: Mapping[str, Tree], there: Mapping[str, Tree]) -> list[Tree]:
    """Those that were made for custom resources which are no longer served."""
    return [
        tree for name, tree in there.items() if name not in wanted and (tree["metadata"].get("labels") or {}).get(LABEL) == ALWAYS
    ]


def _priorities(group: str, version: str) -> tuple[int, int]:
    return GROUPS.get(group, OTHER[0]), VERSIONS.get((group, version), OTHER[1])


def _named(group: str, version: str, managed: str, group_priority: int, version_priority: int) -> tuple[str, Tree]:
    name = f"{version}.{group}"
    spec = {"group": group, "version": version, "groupPriorityMinimum": group_priority, "versionPriority": version_priority}
    tree = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": name, "labels": {LABEL: managed}},
        "spec": {field: value for field, value in spec.items() if value != ""},
    }
    return name, tree
