"""What a description needs beside the object: gathered first, so that describers stay pure."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import ApiError

if TYPE_CHECKING:
    from kubectl.selection import Item
    from kubectl.session import Session

EVENTS = Resource("", "v1", "Event", "events")


@dataclass(frozen=True)
class Around:
    """`events` None: not asked for."""

    now: datetime
    events: list[Tree] | None = None
    pods: list[Tree] = field(default_factory=list)
    replica_sets: list[Tree] = field(default_factory=list)
    slices: list[Tree] = field(default_factory=list)
    quotas: list[Tree] = field(default_factory=list)
    limits: list[Tree] = field(default_factory=list)
    lease: Tree | None = None


def gather(session: "Session", item: "Item", *, events: bool) -> Around:
    """Ask the server for what goes with an object. What may not be read is left out, as upstream does."""
    tree, kind, namespace = item.tree, item.resource.kind, item.key.namespace
    found: dict[str, list[Tree]] = {}
    lease: Tree | None = None
    if kind == "Node":
        selector = f"spec.nodeName={item.key.name},status.phase!=Failed,status.phase!=Succeeded"
        found["pods"] = _list(session, Resource("", "v1", "Pod", "pods"), "", field=selector)
        lease = _get(session, Resource("coordination.k8s.io", "v1", "Lease", "leases"), "kube-node-lease", item.key.name)
    elif kind == "Deployment":
        found["replica_sets"] = _list(
            session, Resource("apps", "v1", "ReplicaSet", "replicasets"), namespace, label=_labels(tree["spec"].get("selector"))
        )
    elif kind in ("ReplicaSet", "ReplicationController", "DaemonSet", "StatefulSet"):
        found["pods"] = _list(session, Resource("", "v1", "Pod", "pods"), namespace, label=_labels(tree["spec"].get("selector")))
    elif kind == "Service":
        row = Resource("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices")
        found["slices"] = _list(session, row, namespace, label=f"kubernetes.io/service-name={item.key.name}")
    elif kind == "Ingress":
        found["slices"] = _list(session, Resource("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices"), namespace)
    elif kind == "PersistentVolumeClaim":
        found["pods"] = _list(session, Resource("", "v1", "Pod", "pods"), namespace)
    elif kind == "Namespace":
        found["quotas"] = _list(session, Resource("", "v1", "ResourceQuota", "resourcequotas"), item.key.name)
        found["limits"] = _list(session, Resource("", "v1", "LimitRange", "limitranges"), item.key.name)
    told = None
    if events:
        told = _list(session, EVENTS, namespace, field=_about(item))
    return Around(session.now, told, lease=lease, **found)


def _about(item: "Item") -> str:
    """The field selector for an object's events. A Node's events carry its name as their uid, too."""
    selector = f"involvedObject.name={item.key.name},involvedObject.kind={item.resource.kind}"
    if item.resource.kind == "Node":
        return selector
    if item.key.namespace:
        selector += f",involvedObject.namespace={item.key.namespace}"
    return f"{selector},involvedObject.uid={item.tree['metadata'].get('uid', '')}"


def _labels(selector: Tree | None) -> str:
    from kubectl.describe.words import selector_text

    return selector_text(selector)


def _list(session: "Session", row: Resource, namespace: str, *, label: str = "", field: str = "") -> list[Tree]:
    params = {"labelSelector": label or None, "fieldSelector": field or None}
    try:
        items: list[Tree] = session.server.request("GET", row.path(namespace), params=params).tree().get("items") or []
    except ApiError:
        return []
    return items


def _get(session: "Session", row: Resource, namespace: str, name: str) -> Tree | None:
    try:
        return session.server.request("GET", row.path(namespace, name)).tree()
    except ApiError:
        return None
