"""Migration: an object that was applied by the client becomes one that the server applies.

What `kubectl apply` without --server-side wrote belongs to a manager of updates, the one that owns the last-applied annotation. Its
fields are given to the server-side manager; after the object is then applied once more, fields that the file no longer has go away,
as they would have by the client's three-way merge. For the default manager the annotation stays (a manager of its own keeps it), so
that clients that know no server-side apply still find it. KEP-555; kubernetes/client-go util/csaupgrade
"""

from collections.abc import Sequence
from typing import Any

from kube.api.meta import Tree
from kube.api.patch.field_set import FieldSet
from kube.api.status import ApiError, Conflict
from kubectl.changes import LAST_APPLIED, Changes
from kubectl.selection import Item

DEFAULT = "kubectl"  # who applies on the server where --field-manager does not say
KEEPER = "kubectl-last-applied"
TRIES = 5
ANNOTATION = FieldSet.of(("f:metadata", "f:annotations", f"f:{LAST_APPLIED}"))
NOT_FATAL = "This is non-fatal and will be retried next time you apply. Error:"
NOT_KEPT = f"Warning: failed to migrate {LAST_APPLIED} for Server-Side Apply. {NOT_FATAL}"
NOT_MIGRATED = f"Warning: server rejected managed fields migration to Server-Side Apply. {NOT_FATAL}"


def keepers(tree: Tree, operation: str) -> set[str]:
    """The managers that own the last-applied annotation by Update or by Apply."""
    entries = tree["metadata"].get("managedFields") or ()
    return {one["manager"] for one in entries if one["operation"] == operation and _fields(one).overlaps(ANNOTATION)}


def migrated(entries: Sequence[Tree], manager: str, clients: set[str]) -> list[Tree] | None:
    """The managed fields when all that the clients' entries own is the server-side manager's; None: there is nothing to do."""
    taken = [one for one in entries if one["operation"] == "Update" and one["manager"] in clients and not one.get("subresource")]
    if not taken:
        return None
    applied = (one for one in entries if one["operation"] == "Apply" and one["manager"] == manager and not one.get("subresource"))
    heir = next(applied, taken[0])
    fields = _fields(heir)
    for one in taken:
        fields = fields | _fields(one)
    became = {**heir, "manager": manager, "operation": "Apply", "fieldsV1": fields.to_tree()}
    return [became if one is heir else one for one in entries if one is heir or one not in taken]


def migrate(changes: Changes, item: Item, tree: Tree) -> bool:
    """Migrate an object that was just applied, if it needs that. Whether it is to be applied again; a failure is only a warning."""
    try:
        kept = _kept(changes, item, tree)
    except ApiError as error:
        changes.session.tell(f"{NOT_KEPT} {error.message}")
        return False
    try:
        return _handed_over(changes, item, kept)
    except ApiError as error:
        changes.session.tell(f"{NOT_MIGRATED} {error.message}")
        return False


def _kept(changes: Changes, item: Item, tree: Tree) -> Tree:
    """The object with the annotation in the hands of its own manager; other managers' annotations nobody keeps up to date."""
    text = (tree["metadata"].get("annotations") or {}).get(LAST_APPLIED)
    if changes.manager != DEFAULT or text is None or keepers(tree, "Apply"):
        return tree
    metadata: Tree = {"annotations": {LAST_APPLIED: text}, "name": item.key.name}
    if item.key.namespace:
        metadata["namespace"] = item.key.namespace
    annotation = {"apiVersion": tree["apiVersion"], "kind": tree["kind"], "metadata": metadata}
    return _patch(changes, item, annotation, "application/apply-patch+yaml", KEEPER)


def _handed_over(changes: Changes, item: Item, tree: Tree) -> bool:
    clients = keepers(tree, "Update")
    for tries_left in reversed(range(TRIES)):
        metadata = tree["metadata"]
        entries = migrated(metadata.get("managedFields") or (), changes.manager, clients)
        if entries is None:
            return False
        patch = [
            {"op": "replace", "path": "/metadata/managedFields", "value": entries},
            {"op": "replace", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]},
        ]
        try:
            _patch(changes, item, patch, "application/json-patch+json", changes.manager)
            return True
        except Conflict:
            if not tries_left:
                raise
            tree = changes.session.server.request("GET", item.path).tree()
    return False


def _patch(changes: Changes, item: Item, body: Tree | list[Any], type: str, manager: str) -> Tree:
    params = {**changes.params, "fieldManager": manager}
    return changes.session.server.request("PATCH", item.path, params=params, body=body, headers={"Content-Type": type}).tree()


def _fields(entry: Tree) -> FieldSet:
    return FieldSet.from_tree(entry.get("fieldsV1") or {})
