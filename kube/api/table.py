"""Table: objects as rows of cells, the form that kubectl asks for (meta.k8s.io/v1); and the metadata-only form of an object.

Name is the first column, unless the kind has its own idea of it. A kind without columns has one more, when it was created.
https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables · pkg/printers/internalversion
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from kube.api.meta import Tree
from kube.api.resource import Column, Resource
from kube.api.views import lenient_view

NAME = (
    "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client "
    "to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and "
    "configuration definition. Cannot be updated. "
    "More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names"
)
CREATED_AT = (
    "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be "
    "set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form "
    "and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: "
    "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata"
)


def table(
    resource: Resource, objects: Iterable[Tree], *, now: datetime, include_object: str = "Metadata", with_columns: bool = True,
    version: str = "v1",
) -> Tree:  # fmt: skip
    """The objects as a Table. `include_object`: what each row carries of its object — Metadata, Object or None."""
    return {
        "kind": "Table",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": {},
        "columnDefinitions": _definitions(resource.columns) if with_columns else None,
        "rows": [row(resource, tree, now, include_object, version) for tree in objects],
    }


def partial_metadata(tree: Tree, version: str = "v1") -> Tree:
    """What generic clients need of an object."""
    return {"kind": "PartialObjectMetadata", "apiVersion": f"meta.k8s.io/{version}", "metadata": tree["metadata"]}


def row(resource: Resource, tree: Tree, now: datetime, include_object: str, version: str) -> Tree:
    """One row, as `table` makes them."""
    metadata = tree["metadata"]
    if resource.columns is None:
        cells = [metadata.get("name", ""), metadata.get("creationTimestamp", "<unknown>")]
    else:
        shown = tree if resource.view is None else lenient_view(resource.view, tree)
        cells = [_cell(column, shown, now) for column in resource.columns]
        if not _names_itself(resource.columns):
            cells.insert(0, metadata.get("name", ""))
    made: Tree = {"cells": cells, "object": None}
    if include_object == "Object":
        made["object"] = tree
    elif include_object == "Metadata":
        made["object"] = partial_metadata(tree, version)
    conditions = resource.row_conditions(tree)
    if conditions:
        made["conditions"] = conditions
    return made


def _cell(column: Column, shown: Any, now: datetime) -> Any:
    value = column.value(shown, now)
    return column.empty if value is None else value


def _definitions(columns: tuple[Column, ...] | None) -> list[Tree]:
    name = _definition("Name", "string", "name", NAME, 0)
    if columns is None:
        return [name, _definition("Created At", "date", "", CREATED_AT, 0)]
    made = [_definition(one.name, one.type, one.format, one.description, one.priority) for one in columns]
    return made if _names_itself(columns) else [name, *made]


def _names_itself(columns: tuple[Column, ...]) -> bool:
    return any(column.name == "Name" for column in columns)


def _definition(name: str, kind: str, form: str, description: str, priority: int) -> Tree:
    return {"name": name, "type": kind, "format": form, "description": description, "priority": priority}
