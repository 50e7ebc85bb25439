"""Metadata: the fields of every object that only the server writes. Pure, but for a new object's uid and time.

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/
apiserver pkg/registry/rest/create.go, update.go
"""

from datetime import datetime

from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.uid import new_uid
from kube.api.views import timestamp

MAY_BE_EMPTY = ("labels", "annotations", "finalizers", "ownerReferences")  # and is then left out
SERVER_WRITTEN = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "selfLink")


def fill_new(tree: Tree, resource: Resource, namespace: str, now: datetime) -> None:
    """Make a client's object a new one: whatever it says of uid, times and generation is replaced."""
    metadata = tree.setdefault("metadata", {})
    for field in SERVER_WRITTEN:
        metadata.pop(field, None)
    metadata.pop("resourceVersion", None)
    if resource.namespaced:
        metadata["namespace"] = namespace
    else:
        metadata.pop("namespace", None)
    metadata["uid"] = new_uid()
    metadata["creationTimestamp"] = timestamp(now)
    if resource.has_generation:
        metadata["generation"] = 1
    tree["apiVersion"], tree["kind"] = resource.api_version, resource.kind


def keep_old(new: Tree, old: Tree, resource: Resource) -> None:
    """What an update cannot change stays as it was."""
    metadata, before = new.setdefault("metadata", {}), old["metadata"]
    for field in (*SERVER_WRITTEN, "resourceVersion"):
        if field in before:
            metadata[field] = before[field]
        else:
            metadata.pop(field, None)
    new["apiVersion"], new["kind"] = resource.api_version, resource.kind


def drop_empty(metadata: Tree) -> None:
    """An empty map or list and none at all are the same thing; upstream writes neither."""
    for field in MAY_BE_EMPTY:
        if field in metadata and not metadata[field]:
            del metadata[field]


def count_generation(new: Tree, old: Tree, resource: Resource, *, annotations: bool = False) -> None:
    """`generation` counts changes outside metadata and, where it is a subresource, status; of some kinds those of annotations."""
    if resource.generation_stays:
        return
    besides = () if resource.generation_counts_status else ("status",)
    told = annotations and (new["metadata"].get("annotations") or {}) != (old["metadata"].get("annotations") or {})
    if told or _desired(new, besides) != _desired(old, besides):
        new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1


def _desired(tree: Tree, besides: tuple[str, ...]) -> Tree:
    return {name: value for name, value in tree.items() if name not in ("metadata", "apiVersion", "kind", *besides)}
