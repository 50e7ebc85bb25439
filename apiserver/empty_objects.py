"""Empty objects: what Go writes of an object in which nothing is set — what is in every new object, so that nobody has set it.

    a struct that is no pointer                      what it is empty: `spec: {template: {metadata: {}, spec: {containers: null}}}`
    a list, map or pointer without `omitempty`       null
    a scalar without `omitempty`                     "", 0 or false

A new object's managed fields are what differs from its kind's empty object. Of custom resources the empty object is empty indeed.
apiserver pkg/endpoints/handlers/create.go (scope.Creater.New) · encoding/json
"""

from functools import cache
from typing import Any

from apiserver.openapi_defaults import ZEROS, fields_of, is_struct
from kube.api.definitions import STRUCT, Type, definitions, named, of_kind
from kube.api.meta import Tree
from kube.api.resource import Resource

ALWAYS, LISTS = "!", ("[", "{")
SCALARS = {"string": "string", "bool": "boolean", "int64": "integer"}


def empty(row: Resource) -> Tree:
    """Not to be changed: it is the same for all."""
    return _of_kind(row.group, row.version, row.kind)


@cache
def _of_kind(group: str, version: str, kind: str) -> Tree:
    found = of_kind(group, version, kind)
    return _of(found.name) if found is not None else {}


def _of(name: str) -> Tree:
    tree: Tree = {}
    known, needed = fields_of(name), definitions()[name].get("required", ())
    for field, kind in named(name).fields.items():
        go_type = known.get(field)
        if go_type is None:  # of a group whose Go types are not known: what is required is no pointer
            if kind.form == STRUCT and is_struct(kind.name) and (field in ("metadata", "spec", "status") or field in needed):
                tree[field] = _of(kind.name)
            continue
        value = _value(go_type, kind)
        if value is not None or go_type.startswith(ALWAYS):
            tree[field] = value
    return tree


def _value(go_type: str, kind: Type) -> Any:
    """None: left out, or null."""
    bare = go_type.lstrip(ALWAYS)
    if bare.startswith(("?", *LISTS)):
        return None
    if kind.form == STRUCT:
        return _of(kind.name) if is_struct(kind.name) else None
    return ZEROS.get(SCALARS.get(bare, "")) if go_type.startswith(ALWAYS) else None
