"""Publication: a custom resource's schemas as the OpenAPI documents show them.

    definition_name(row)                     com.example.stable.v1.Foo: the group backwards, the version, the kind
    definitions_of(row, version=2 or 3)      the kind and its list, by such names

What version 2 cannot say is left out of it: allOf, anyOf, oneOf, not; the type of what may be null; what is inside of what takes
unknown fields. A kind that takes unknown fields at its root is a mere object there, or old kubectls would refuse them.
https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/custom-resources/#publish-validation-schema-in-openapi
apiextensions-apiserver pkg/controller/openapi/builder, .../openapi/v2/conversion.go
"""

from typing import Any

from kube.api.meta import Tree
from kube.api.resource import Resource

_META = "io.k8s.apimachinery.pkg.apis.meta.v1."
_PREFIXES = {2: "#/definitions/", 3: "#/components/schemas/"}
_CONVENTIONS = "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md"
_API_VERSION = (
    "APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the "
    f"latest internal value, and may reject unrecognized values. More info: {_CONVENTIONS}#resources"
)
_KIND = (
    "Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the "
    f"client submits requests to. Cannot be updated. In CamelCase. More info: {_CONVENTIONS}#types-kinds"
)
_OBJECT_METADATA = f"Standard object's metadata. More info: {_CONVENTIONS}#metadata"
_LIST_METADATA = f"Standard list metadata. More info: {_CONVENTIONS}#types-kinds"
_NOT_IN_V2 = ("allOf", "anyOf", "oneOf", "not", "nullable")
_JUNCTORS = ("allOf", "anyOf", "oneOf")


def definition_name(row: Resource, kind: str = "") -> str:
    return ".".join([*reversed(row.group.split(".")), row.version, kind or row.kind])


def definitions_of(row: Resource, *, version: int) -> dict[str, Tree]:
    """The schemas of the kind and of its list."""
    name = definition_name(row)
    return {name: _kind(row, version), definition_name(row, row.list_kind): _list(row, name, version)}


def _kind(row: Resource, version: int) -> Tree:
    raw: Tree = row.openapi_schema or {}
    if not raw or (version == 2 and raw.get("x-kubernetes-preserve-unknown-fields")):
        return {"type": "object", **_gvk(row, row.kind)}
    made = _converted(raw, version)
    made["properties"] = {**made.get("properties", {}), **_implicit(version)}
    return {**made, **_gvk(row, row.kind)}


def _list(row: Resource, name: str, version: int) -> Tree:
    items = {
        "description": f"List of {row.plural}. More info: {_CONVENTIONS}",
        "type": "array",
        "items": {"$ref": _PREFIXES[version] + name},
    }
    properties = {**_types(), "items": items, "metadata": _reference(_META + "ListMeta", _LIST_METADATA, version)}
    return {
        "description": f"{row.list_kind} is a list of {row.kind}",
        "type": "object",
        "required": ["items"],
        "properties": dict(sorted(properties.items())),
        **_gvk(row, row.list_kind),
    }


def _converted(raw: Tree, version: int) -> Tree:
    """A node of the schema. The user's own words stay as they are."""
    made = dict(raw)
    if version == 2:
        for name in _NOT_IN_V2:
            made.pop(name, None)
        if raw.get("nullable"):
            made.pop("type", None)
        if raw.get("nullable") or raw.get("x-kubernetes-preserve-unknown-fields"):
            for name in ("items", "properties", "additionalProperties"):
                made.pop(name, None)
        _forget_nullable(made)
    if isinstance(made.get("properties"), dict):
        made["properties"] = {name: _converted(one, version) for name, one in made["properties"].items()}
    for name in ("items", "additionalProperties", "not"):
        if isinstance(made.get(name), dict):
            made[name] = _converted(made[name], version)
    for name in _JUNCTORS:
        if name in made:
            made[name] = [_converted(one, version) for one in made[name]]
    if raw.get("x-kubernetes-embedded-resource") and "properties" in made:
        made["properties"] = {**made["properties"], **_implicit(version)}
    return made


def _forget_nullable(made: Tree) -> None:
    """A field that may be null cannot be required where null cannot be said."""
    properties: Any = made.get("properties") or {}
    required = [name for name in made.get("required") or () if not (properties.get(name) or {}).get("nullable")]
    if required:
        made["required"] = required
    else:
        made.pop("required", None)


def _implicit(version: int) -> Tree:
    return {**_types(), "metadata": _reference(_META + "ObjectMeta", _OBJECT_METADATA, version)}


def _types() -> Tree:
    return {"apiVersion": {"description": _API_VERSION, "type": "string"}, "kind": {"description": _KIND, "type": "string"}}


def _reference(name: str, description: str, version: int) -> Tree:
    reference = {"$ref": _PREFIXES[version] + name}
    return {"description": description, **reference} if version == 2 else {"description": description, "allOf": [reference]}


def _gvk(row: Resource, kind: str) -> Tree:
    return {"x-kubernetes-group-version-kind": [{"group": row.group, "kind": kind, "version": row.version}]}
