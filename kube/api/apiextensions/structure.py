"""Structure: a schema as server-side apply and managed fields need it — what merges by key, what is one piece.

https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy
apimachinery pkg/util/managedfields/internal/schema conversion
"""

from kube.api.apiextensions.structural import Schema
from kube.api.definitions import OBJECT_META, STRUCT, Type
from kube.api.meta import Tree

_EXTENSIONS = ("x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type", "default")
_IMPLICIT: Tree = {
    "apiVersion": {"type": "string"},
    "kind": {"type": "string"},
    "metadata": {"$ref": f"#/definitions/{OBJECT_META}"},
}


def structure_of(schema: Schema) -> Type:
    """Of a custom resource by its schema."""
    raw = _raw(schema)
    raw["properties"] = {**raw.get("properties", {}), **_IMPLICIT}
    return Type(STRUCT, "", raw, raw)


def _raw(schema: Schema) -> Tree:
    raw: Tree = {name: schema.raw[name] for name in _EXTENSIONS if name in schema.raw}
    if len(schema.types) == 1:
        raw["type"] = schema.types[0]
    if schema.properties or schema.embedded:
        raw["properties"] = {name: _raw(one) for name, one in schema.properties.items()}
    if schema.embedded:
        raw["properties"] = {**raw["properties"], **_IMPLICIT}
    elif schema.additional is not None:
        raw["additionalProperties"] = _raw(schema.additional)
    if schema.types == ("array",):
        raw["items"] = _raw(schema.items) if schema.items is not None else {}
    return raw
