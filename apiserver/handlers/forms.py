"""Forms: an object's bytes in the form a client asked for, each rendered once and kept with the object.

As it is stored; in another version of its kind; as PartialObjectMetadata; as a Table of one or many rows.
https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables
"""

from collections.abc import Iterable
from datetime import UTC, datetime

import orjson

from apiserver.handlers.negotiation import Form
from apiserver.storage.entry import Entry
from kube.api import table
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import BadRequest

INCLUDES = ("", "Metadata", "Object", "None")


def object_bytes(row: Resource, entry: Entry) -> bytes:
    """The object in this row's version."""
    if row.view_tree is None:
        return entry.data
    view = row.view_tree
    return entry.rendering((row.api_version, Form.OBJECT), lambda: orjson.dumps(view(entry.tree())))


def one(row: Resource, entry: Entry, form: Form, include: str, *, columns: bool = True, already_viewed: bool = False) -> bytes:
    """One object. `columns`: whether a Table says what its columns are."""
    if form is Form.OBJECT:
        return object_bytes(row, entry)
    tree = entry.tree() if already_viewed else orjson.loads(object_bytes(row, entry))
    if form is Form.METADATA:
        return orjson.dumps(table.partial_metadata(tree))
    metadata = {"resourceVersion": tree["metadata"].get("resourceVersion", "")}
    return orjson.dumps(_table(row, [tree], metadata, include, columns))


def many(row: Resource, entries: Iterable[Entry], metadata: Tree, form: Form, include: str) -> bytes:
    """A list that is not of whole objects."""
    trees = (orjson.loads(object_bytes(row, entry)) for entry in entries)  # one at a time: many trees at once cost ten times more
    if form is Form.TABLE:
        return orjson.dumps(_table(row, trees, metadata, include, True))
    return orjson.dumps(
        {
            "kind": "PartialObjectMetadataList",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": metadata,
            "items": [table.partial_metadata(tree) for tree in trees],
        }
    )


def _table(row: Resource, trees: Iterable[Tree], metadata: Tree, include: str, columns: bool) -> Tree:
    if include not in INCLUDES:
        raise BadRequest(f'unrecognized includeObject value: "{include}"')
    made = table.table(row, trees, now=datetime.now(UTC), include_object=include or "Metadata", with_columns=columns)
    made["metadata"] = metadata
    return made
