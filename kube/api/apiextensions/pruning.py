"""Pruning: fields that the schema does not know are taken out, and nulls where null is no value.

What lies in a field with x-kubernetes-preserve-unknown-fields is kept, save below properties that are specified there after all.
`apiVersion`, `kind` and `metadata` of the object itself and of embedded resources are never unknown.
https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#field-pruning
apiextensions-apiserver pkg/apiserver/schema/pruning, .../schema/defaulting/prune.go
"""

from typing import Any

from kube.api.apiextensions.structural import NO_DEFAULT, Schema
from kube.api.meta import Tree

IMPLICIT = ("apiVersion", "kind", "metadata")


def prune(tree: Tree, schema: Schema) -> list[str]:
    """Take unknown fields out of an object; their paths, sorted."""
    unknown: list[str] = []
    _prune(tree, schema, True, "", unknown)
    return sorted(unknown)


def drop_nulls(tree: Any, schema: Schema | None) -> None:
    """Take out nulls that are no values; where there is a default, defaulting puts it in their place."""
    if schema is None:
        return
    if isinstance(tree, dict):
        for name in list(tree):
            one = schema.of_key(name)
            if one is None:
                continue
            if tree[name] is None:
                if not one.nullable and one.default is NO_DEFAULT:
                    del tree[name]
            else:
                drop_nulls(tree[name], one)
    elif isinstance(tree, list):
        for item in tree:
            drop_nulls(item, schema.items)


def _prune(value: Any, schema: Schema | None, is_resource: bool, path: str, unknown: list[str]) -> None:
    if isinstance(value, dict):
        _prune_fields(value, schema, is_resource, path, unknown)
    elif isinstance(value, list):
        items = schema.items if schema is not None else None
        if items is None and schema is not None and schema.preserves:
            return
        for index, item in enumerate(value):
            _prune(item, items, False, f"{path}[{index}]", unknown)


def _prune_fields(value: Tree, schema: Schema | None, is_resource: bool, path: str, unknown: list[str]) -> None:
    is_resource = is_resource or (schema is not None and schema.embedded)
    for name in list(value):
        if is_resource and name in IMPLICIT:
            continue
        one = schema.properties.get(name) if schema is not None else None
        at = f"{path}.{name}" if path else name
        if one is not None:
            _prune(value[name], one, False, at, unknown)
        elif schema is not None and schema.allows_additional and not (schema.additional is None and schema.preserves):
            _prune(value[name], schema.additional, False, at, unknown)
        elif schema is None or not schema.preserves:
            unknown.append(at)
            del value[name]
