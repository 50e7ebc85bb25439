"""Schema: the type that a structural schema (OpenAPI v3, as in a CustomResourceDefinition) declares.

    declared(schema, root=True)   the object's type, with apiVersion, kind and metadata's name and generateName always there
    escape("x-y")                 the name by which an expression reads a property: `x__dash__y`; None: it cannot

int-or-string is dyn. A property without a type, or whose values have none (preserve-unknown-fields), is not to be seen. Texts of
the formats byte, date, date-time and duration are what they say. maxLength, maxItems and maxProperties bound sizes, from which
the static cost comes; without them what fits into a request does.
https://kubernetes.io/docs/reference/using-api/cel/#type-system-integration
apiserver pkg/cel/common/schemas.go, pkg/cel/escaping.go
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from apiserver.cel import types
from apiserver.cel.types import Field, Type, object_of

MAX_REQUEST_BYTES = 3 * 1024 * 1024
MAX_DURATION_LENGTH = 32
DATE_LENGTH = 10
MIN_DURATION_BYTES, MIN_DATE_BYTES, MIN_DATETIME_BYTES = 4, 12, 22  # with quotes
LONGEST_DATETIME = 35  # RFC 3339 with nanoseconds and a zone

_IDENTIFIER = re.compile(r"[_a-zA-Z][_a-zA-Z0-9./-]*")
_SPECIAL = re.compile(r"__|[./-]")
_ESCAPES = {"__": "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__"}
RESERVED = frozenset(
    (
        "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop",
        "package", "namespace", "return", "var", "void", "while",
    )
)  # fmt: skip
_METADATA = {"type": "object", "properties": {"name": {"type": "string"}, "generateName": {"type": "string"}}}

Schema = Mapping[str, Any]


def escape(name: str) -> str | None:
    if _IDENTIFIER.fullmatch(name) is None:
        return None
    if name in RESERVED:
        return f"__{name}__"
    return _SPECIAL.sub(lambda match: _ESCAPES[match[0]], name)


def declared(schema: Schema, *, root: bool = False, name: str = "object") -> Type | None:
    """The type; None where the schema gives none. `root`: of a whole resource. `name` is how errors call an object."""
    if schema.get("x-kubernetes-int-or-string"):
        return replace(types.DYN, max_size=MAX_REQUEST_BYTES - 2)
    if root or schema.get("x-kubernetes-embedded-resource"):
        schema = _with_metadata(schema)
    kind = schema.get("type")
    if kind == "array":
        return _array(schema, name)
    if kind == "object":
        return _object(schema, name)
    if kind == "string":
        return _string(schema)
    return {"boolean": replace(types.BOOL, min_bytes=4), "number": types.DOUBLE, "integer": types.INT}.get(kind or "")


def _with_metadata(schema: Schema) -> Schema:
    properties = schema.get("properties") or {}
    text = {"type": "string"}
    return {**schema, "type": "object", "properties": {**properties, "kind": text, "apiVersion": text, "metadata": _METADATA}}


def _array(schema: Schema, name: str) -> Type | None:
    items = declared(schema.get("items") or {}, name=f"{name}.@idx")
    if items is None:
        return None
    most = schema.get("maxItems")
    return Type(
        "list",
        parameters=(items,),
        max_size=most if most is not None else _most(items),
        list_type=schema.get("x-kubernetes-list-type") or "",
        list_keys=tuple(schema.get("x-kubernetes-list-map-keys") or ()),
        min_bytes=2,
    )


def _object(schema: Schema, name: str) -> Type | None:
    values = schema.get("additionalProperties")
    if isinstance(values, Mapping):
        kind = declared(values, name=f"{name}.@elem")
        if kind is None:
            return None
        most = schema.get("maxProperties")
        return Type("map", parameters=(types.STRING, kind), max_size=most if most is not None else _most(kind), min_bytes=2)
    required = frozenset(schema.get("required") or ())
    fields: dict[str, Field] = {}
    least = 2
    for key, one in (schema.get("properties") or {}).items():
        kind, seen = declared(one, name=f"{name}.{key}"), escape(key)
        if kind is None:
            continue
        if key in required and "default" not in one:
            least += len(key) + kind.min_bytes + 4  # quotes, a colon and a comma
        if seen is not None:
            fields[seen] = Field(kind, key, key in required)
    return replace(object_of(name, fields), min_bytes=least)


def _string(schema: Schema) -> Type:
    form = schema.get("format")
    if form == "byte":
        return Type("bytes", max_size=_length(schema, MAX_REQUEST_BYTES - 2), min_bytes=2)
    if form == "duration":
        return Type("duration", max_size=MAX_DURATION_LENGTH, min_bytes=MIN_DURATION_BYTES)
    if form == "date":
        return Type("timestamp", max_size=DATE_LENGTH, min_bytes=MIN_DATE_BYTES)
    if form == "date-time":
        return Type("timestamp", max_size=LONGEST_DATETIME, min_bytes=MIN_DATETIME_BYTES)
    return Type("string", max_size=_string_length(schema), min_bytes=2)


def _string_length(schema: Schema) -> int:
    if "maxLength" in schema:
        return _length(schema, 0)
    if schema.get("enum"):
        return max(len(one) for one in schema["enum"] if isinstance(one, str))
    return MAX_REQUEST_BYTES - 2


def _length(schema: Schema, otherwise: int) -> int:
    """In bytes: a character may take four."""
    most = schema.get("maxLength")
    return 4 * int(most) if most is not None else otherwise


def _most(kind: Type) -> int:
    """How many such values fit into a request."""
    return MAX_REQUEST_BYTES // (kind.min_bytes + 1)
