"""Local: the APIServices of the group versions that this server serves itself — built in, and custom resources as they come and go.

Their label says who keeps them: `onstart` for what is built in, `true` for custom resources, whose APIServices go with them. An
APIService without the label is somebody else's and left alone.
kube-aggregator pkg/controllers/autoregister · kubernetes pkg/controlplane/apiserver/aggregator.go
"""

from collections.abc import Iterable, Mapping

from apiserver import group_priority
from apiserver.crd import conditions
from apiserver.group_priority import CUSTOM, Priority
from kube.api.meta import Tree
from kube.api.resource import Resource

LABEL = "kube-aggregator.kubernetes.io/automanaged"
ON_START, ALWAYS = "onstart", "true"
OWN_GROUP = "apiregistration.k8s.io"  # is not registered in itself


def built_in(rows: Iterable[Resource]) -> dict[str, Tree]:
    """By name, the APIServices of the table of kinds."""
    versions = {(row.group, row.version) for row in rows if row.group != OWN_GROUP and row.served_form is None}
    return dict(_named(group, version, ON_START, group_priority.of(group, version)) for group, version in sorted(versions))


def custom(definitions: Iterable[Tree]) -> dict[str, Tree]:
    """By name, the APIServices of established CustomResourceDefinitions."""
    found: dict[str, Tree] = {}
    for definition in definitions:
        if not conditions.is_true(definition, conditions.ESTABLISHED):
            continue
        for version in definition["spec"]["versions"]:
            if version.get("served"):
                found |= dict([_named(definition["spec"]["group"], version["name"], ALWAYS, CUSTOM)])
    return found


def to_make(wanted: Mapping[str, Tree], there: Mapping[str, Tree]) -> list[Tree]:
    return [tree for name, tree in wanted.items() if name not in there]


def to_remove(wanted: Mapping[str, Tree], there: Mapping[str, Tree]) -> list[Tree]:
    """Those that were made for custom resources which are no longer served."""
    return [
        tree for name, tree in there.items() if name not in wanted and (tree["metadata"].get("labels") or {}).get(LABEL) == ALWAYS
    ]


def _named(group: str, version: str, managed: str, priority: Priority) -> tuple[str, Tree]:
    name = f"{version}.{group}"
    spec = {"group": group, "version": version, "groupPriorityMinimum": priority.group, "versionPriority": priority.version}
    tree = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": name, "labels": {LABEL: managed}},
        "spec": {field: value for field, value in spec.items() if value != ""},
    }
    return name, tree
