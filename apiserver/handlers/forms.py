"""Forms: an object's bytes in the form a client asked for, each rendered once and kept with the object.

As it is stored; in another version of its kind; as PartialObjectMetadata; as a Table of one or many rows.
https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables
"""

import asyncio
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import orjson

from apiserver.handlers.negotiation import Accepted, Form
from apiserver.storage.entry import Entry
from kube.api import table
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import BadRequest, NotAcceptable, go_quoted

INCLUDES = ("", "Metadata", "Object", "None")
AT_ONCE = 50  # objects of a list, about two milliseconds


def object_bytes(row: Resource, entry: Entry) -> bytes:
    """The object in this row's version."""
    if row.view_tree is None:
        return entry.data
    view = row.view_tree
    return entry.rendering((row.api_version, Form.OBJECT), lambda: orjson.dumps(view(entry.tree())))


def one(row: Resource, entry: Entry, form: Accepted, include: str, *, columns: bool = True, already_viewed: bool = False) -> bytes:
    """One object. `columns`: whether a Table says what its columns are. Raises NotAcceptable where a list is wanted of it."""
    if form.form is Form.OBJECT:
        return object_bytes(row, entry)
    if form.kind == "PartialObjectMetadataList":
        raise NotAcceptable(f"you requested {form.kind}, but the requested object is not a list (*{_go_type(row)})")
    tree = entry.tree() if already_viewed else orjson.loads(object_bytes(row, entry))
    if form.form is Form.METADATA:
        return orjson.dumps(table.partial_metadata(tree, form.version))
    metadata = {"resourceVersion": tree["metadata"].get("resourceVersion", "")}
    return orjson.dumps(_table(row, [tree], metadata, include, columns, form.version))


async def many(row: Resource, entries: Iterable[Entry], metadata: Tree, form: Accepted, include: str) -> bytes:
    """A list that is not of whole objects. Raises NotAcceptable where one object is wanted of it."""
    if form.kind == "PartialObjectMetadata":
        raise NotAcceptable(f"you requested {form.kind}, but the requested object is a list (*{_go_type(row)}List)")
    if form.form is Form.TABLE:
        shown, now = _table(row, [], metadata, include, True, form.version), datetime.now(UTC)
        shown["rows"] = await _each(row, entries, lambda tree: table.row(row, tree, now, include or "Metadata", form.version))
        return orjson.dumps(shown)
    return orjson.dumps(
        {
            "kind": "PartialObjectMetadataList",
            "apiVersion": f"meta.k8s.io/{form.version}",
            "metadata": metadata,
            "items": await _each(row, entries, lambda tree: table.partial_metadata(tree, form.version)),
        }
    )


async def _each(row: Resource, entries: Iterable[Entry], make: Callable[[Tree], Tree]) -> list[Tree]:
    """What `make` makes of each object; others have their turn in between. One tree at a time: many at once cost ten times more."""
    made: list[Tree] = []
    for number, entry in enumerate(entries, 1):
        made.append(make(orjson.loads(object_bytes(row, entry))))
        if number % AT_ONCE == 0:
            await asyncio.sleep(0)
    return made


def _go_type(row: Resource) -> str:
    """What upstream's server calls the type of its objects."""
    if row.view is None:
        return "unstructured.Unstructured"
    return f"{row.stored_in.partition('.')[0] or row.group.partition('.')[0] or 'core'}.{row.kind}"


def _table(row: Resource, trees: Iterable[Tree], metadata: Tree, include: str, columns: bool, version: str) -> Tree:
    if include not in INCLUDES:
        why = f"includeObject: Invalid value: {go_quoted(include)}: must be 'Metadata', 'Object', 'None', or empty"
        raise BadRequest(f"Unable to convert to Table as requested: {why}")
    made = table.table(
        row, trees, now=datetime.now(UTC), include_object=include or "Metadata", with_columns=columns, version=version
    )
    made["metadata"] = metadata
    return made
