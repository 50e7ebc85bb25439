"""OpenAPI of custom resources: the schemas of a row as both documents have them, from the schema that its definition gives. Pure.

    version 3    the schema as it stands, with the properties that every object has
    version 2    without what Swagger cannot say (oneOf, anyOf, allOf, not, nullable); where unknown fields are kept, nothing
                 is told of the known ones, since kubectl would refuse the others

A definition without a schema, and in version 2 one whose root keeps unknown fields, is any object.
https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#publish-validation-schema-in-openapi
"""

from collections.abc import Callable
from typing import Any

from kube.api.meta import Tree
from kube.api.resource import Resource

KINDS = "x-kubernetes-group-version-kind"
KEEPS, EMBEDDED, SELECTABLE = (
    "x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource", "x-kubernetes-selectable-fields",
)  # fmt: skip
META = "io.k8s.apimachinery.pkg.apis.meta.v1."
CONVENTIONS = "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md"
API_VERSION: Tree = {
    "type": "string",
    "description": "APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized "
    f"schemas to the latest internal value, and may reject unrecognized values. More info: {CONVENTIONS}#resources",
}
KIND: Tree = {
    "type": "string",
    "description": "Kind is a string value representing the REST resource this object represents. Servers may infer this from the "
    f"endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: {CONVENTIONS}#types-kinds",
}
METADATA = f"Standard object's metadata. More info: {CONVENTIONS}#metadata"
LIST_METADATA = f"Standard list metadata. More info: {CONVENTIONS}#types-kinds"
NOT_IN_V2 = ("oneOf", "anyOf", "allOf", "not", "nullable")


def schema_name(group: str, version: str, kind: str) -> str:
    """`com.example.stable.v1.CronTab`: the group's parts, from behind."""
    return ".".join([*reversed(group.split(".")), version, kind])


def schemas(row: Resource, prefix: str, *, version: int) -> dict[str, Tree]:
    """The row's own schema and its list's, by name."""

    def reference(name: str, text: str) -> Tree:
        where = {"$ref": prefix + name}
        return {"description": text, "allOf": [where]} if version == 3 else {"description": text, **where}

    name = schema_name(row.group, row.version, row.kind)
    items = {"description": f"List of {row.plural}. More info: {CONVENTIONS}", "type": "array", "items": {"$ref": prefix + name}}
    properties = {"apiVersion": API_VERSION, "kind": KIND, "items": items, "metadata": reference(META + "ListMeta", LIST_METADATA)}
    whole: Tree = {
        "description": f"{row.list_kind} is a list of {row.kind}",
        "type": "object",
        "required": ["items"],
        "properties": properties,
        KINDS: [_kind(row, row.list_kind)],
    }
    one = _object(row, reference(META + "ObjectMeta", METADATA), version)
    return {name: one, schema_name(row.group, row.version, row.list_kind): whole}


def _object(row: Resource, metadata: Tree, version: int) -> Tree:
    raw = row.openapi_schema or {}
    if not raw or (version == 2 and raw.get(KEEPS)):
        made: Tree = {"type": "object"}
    else:
        made = in_version_2(raw) if version == 2 else dict(raw)
        made = _with_embedded(made, metadata, version)
        made["properties"] = {**made.get("properties", {}), "apiVersion": API_VERSION, "kind": KIND, "metadata": metadata}
    if row.field_selectors and version == 3:
        made[SELECTABLE] = [{"fieldPath": f".{path}"} for path in row.field_selectors]
    return {**made, KINDS: [_kind(row, row.kind)]}


def in_version_2(raw: Tree) -> Tree:
    """A structural schema as Swagger can have it."""
    made = {name: value for name, value in raw.items() if name not in NOT_IN_V2}
    if raw.get("nullable"):
        for name in ("type", "items", "properties"):
            made.pop(name, None)
    if raw.get(KEEPS):
        for name in ("items", "properties", "type" if raw.get("type") == "object" else ""):
            made.pop(name, None)
    if made.get("type") == "array" and "items" not in made:
        del made["type"]
    if "required" in made:
        nullable = {name for name, one in raw.get("properties", {}).items() if one.get("nullable")}
        made["required"] = [name for name in made["required"] if name not in nullable]
        if not made["required"]:
            del made["required"]
    return _within(made, in_version_2)


def _with_embedded(schema: Tree, metadata: Tree, version: int) -> Tree:
    """Whole objects within have what every object has."""
    made = _within(schema, lambda one: _with_embedded(one, metadata, version))
    if not schema.get(EMBEDDED) or (version == 2 and schema.get(KEEPS)):
        return made
    return {**made, "properties": {**made.get("properties", {}), "apiVersion": API_VERSION, "kind": KIND, "metadata": metadata}}


def _within(schema: Tree, change: Callable[[Tree], Tree]) -> Tree:
    """The schema with those in it changed."""
    made: dict[str, Any] = dict(schema)
    if isinstance(made.get("properties"), dict):
        made["properties"] = {name: change(one) for name, one in made["properties"].items()}
    for name in ("items", "additionalProperties"):
        if isinstance(made.get(name), dict):
            made[name] = change(made[name])
    return made


def _kind(row: Resource, kind: str) -> Tree:
    return {"group": row.group, "version": row.version, "kind": kind}
