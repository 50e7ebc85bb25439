"""OpenAPI v2 in its protobuf form, which every kubectl before 1.27 asks for and takes nothing else in its place, and newer ones for
kinds that they do not know.

The messages are gnostic's openapi.v2: what in JSON is a map is there a list of (name, value), unions are messages with one field
set, and any value (a default, an extension) is YAML text, of which JSON is a part.
https://github.com/google/gnostic/blob/main/openapiv2/OpenAPIv2.proto
"""

import struct
from collections.abc import Callable, Iterable
from typing import Any

import orjson

from kube.api.meta import Tree
from kube.api.wire import FIXED64, VARINT, block, varint

MEDIA_TYPE = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"

# Message -> JSON name -> (field number, type). A type is a scalar, a message, or `[` and either for a list of it; `x-` stands
# for every extension of a message.
MESSAGES: dict[str, dict[str, tuple[int, str]]] = {
    "Document": {
        "swagger": (1, "string"), "info": (2, "Info"), "host": (3, "string"), "basePath": (4, "string"),
        "schemes": (5, "[string"), "consumes": (6, "[string"), "produces": (7, "[string"), "paths": (8, "Paths"),
        "definitions": (9, "NamedSchemas"), "security": (12, "[SecurityRequirement"),
        "securityDefinitions": (13, "SecurityDefinitions"), "x-": (16, "[NamedAny"),
    },
    "Info": {
        "title": (1, "string"), "version": (2, "string"), "description": (3, "string"), "termsOfService": (4, "string"),
        "x-": (7, "[NamedAny"),
    },
    "PathItem": {
        "$ref": (1, "string"), "get": (2, "Operation"), "put": (3, "Operation"), "post": (4, "Operation"),
        "delete": (5, "Operation"), "options": (6, "Operation"), "head": (7, "Operation"), "patch": (8, "Operation"),
        "parameters": (9, "[ParametersItem"), "x-": (10, "[NamedAny"),
    },
    "Operation": {
        "tags": (1, "[string"), "summary": (2, "string"), "description": (3, "string"), "operationId": (5, "string"),
        "produces": (6, "[string"), "consumes": (7, "[string"), "parameters": (8, "[ParametersItem"),
        "responses": (9, "Responses"), "schemes": (10, "[string"), "deprecated": (11, "bool"),
        "security": (12, "[SecurityRequirement"), "x-": (13, "[NamedAny"),
    },
    "JsonReference": {"$ref": (1, "string"), "description": (2, "string")},
    "BodyParameter": {
        "description": (1, "string"), "name": (2, "string"), "in": (3, "string"), "required": (4, "bool"),
        "schema": (5, "Schema"), "x-": (6, "[NamedAny"),
    },
    "QueryParameter": {
        "required": (1, "bool"), "in": (2, "string"), "description": (3, "string"), "name": (4, "string"),
        "allowEmptyValue": (5, "bool"), "type": (6, "string"), "format": (7, "string"), "items": (8, "PrimitivesItems"),
        "collectionFormat": (9, "string"), "default": (10, "any"), "uniqueItems": (20, "bool"), "enum": (21, "[any"),
        "x-": (23, "[NamedAny"),
    },
    "PathParameter": {  # and a header's
        "required": (1, "bool"), "in": (2, "string"), "description": (3, "string"), "name": (4, "string"),
        "type": (5, "string"), "format": (6, "string"), "items": (7, "PrimitivesItems"), "collectionFormat": (8, "string"),
        "default": (9, "any"), "uniqueItems": (19, "bool"), "enum": (20, "[any"), "x-": (22, "[NamedAny"),
    },
    "PrimitivesItems": {"type": (1, "string"), "format": (2, "string"), "default": (5, "any"), "enum": (16, "[any")},
    "Response": {"description": (1, "string"), "schema": (2, "SchemaItem"), "x-": (5, "[NamedAny")},
    "Schema": {
        "$ref": (1, "string"), "format": (2, "string"), "title": (3, "string"), "description": (4, "string"),
        "default": (5, "any"), "multipleOf": (6, "double"), "maximum": (7, "double"), "exclusiveMaximum": (8, "bool"),
        "minimum": (9, "double"), "exclusiveMinimum": (10, "bool"), "maxLength": (11, "int"), "minLength": (12, "int"),
        "pattern": (13, "string"), "maxItems": (14, "int"), "minItems": (15, "int"), "uniqueItems": (16, "bool"),
        "maxProperties": (17, "int"), "minProperties": (18, "int"), "required": (19, "[string"), "enum": (20, "[any"),
        "additionalProperties": (21, "AdditionalPropertiesItem"), "type": (22, "TypeItem"), "items": (23, "ItemsItem"),
        "allOf": (24, "[Schema"), "properties": (25, "NamedSchemas"), "discriminator": (26, "string"),
        "readOnly": (27, "bool"), "example": (30, "any"), "x-": (31, "[NamedAny"),
    },
    "ApiKeySecurity": {
        "type": (1, "string"), "name": (2, "string"), "in": (3, "string"), "description": (4, "string"), "x-": (5, "[NamedAny"),
    },
}  # fmt: skip
PARAMETERS = {"header": (1, "PathParameter"), "query": (3, "QueryParameter"), "path": (4, "PathParameter")}


def encode(document: Tree) -> bytes:
    """The document as a message openapi.v2.Document."""
    return _message("Document", document)


def _message(kind: str, tree: Tree) -> bytes:
    fields = MESSAGES[kind]
    parts: list[bytes] = []
    extensions = fields.get("x-")
    for name, value in tree.items():
        if name.startswith("x-") and extensions is not None:
            parts.append(block(extensions[0], _named(name, _any(value))))
        elif name in fields:
            number, form = fields[name]
            values: Iterable[Any] = value if form[0] == "[" else (value,)
            parts += [_field(number, form.lstrip("["), one) for one in values]
    return b"".join(parts)


def _field(number: int, form: str, value: Any) -> bytes:
    if form == "string":
        return block(number, value.encode())
    if form in ("bool", "int"):
        return varint(number << 3 | VARINT) + varint(int(value))
    if form == "double":
        return varint(number << 3 | FIXED64) + struct.pack("<d", value)
    return block(number, UNIONS[form](value) if form in UNIONS else _message(form, value))


def _any(value: Any) -> bytes:
    return block(2, orjson.dumps(value))


def _named(name: str, value: bytes) -> bytes:
    return block(1, name.encode()) + block(2, value)


def _schemas(tree: Tree) -> bytes:
    return b"".join(block(1, _named(name, _message("Schema", schema))) for name, schema in tree.items())


def _paths(tree: Tree) -> bytes:
    return b"".join(block(2, _named(path, _message("PathItem", item))) for path, item in tree.items())


def _responses(tree: Tree) -> bytes:
    return b"".join(block(1, _named(code, _reference_or(1, "Response", value))) for code, value in tree.items())


def _parameter(tree: Tree) -> bytes:
    if "$ref" in tree:
        return block(2, _message("JsonReference", tree))
    if tree["in"] == "body":
        return block(1, block(1, _message("BodyParameter", tree)))
    number, form = PARAMETERS[tree["in"]]
    return block(1, block(2, block(number, _message(form, tree))))


def _reference_or(number: int, form: str, tree: Tree) -> bytes:
    return block(2, _message("JsonReference", tree)) if "$ref" in tree else block(number, _message(form, tree))


def _additional(value: Any) -> bytes:
    return _field(2, "bool", value) if isinstance(value, bool) else _field(1, "Schema", value)


def _types(value: Any) -> bytes:
    return b"".join(block(1, one.encode()) for one in ([value] if isinstance(value, str) else value))


def _security(tree: Tree) -> bytes:
    return b"".join(block(1, _named(name, _types(scopes))) for name, scopes in tree.items())


def _security_definitions(tree: Tree) -> bytes:
    return b"".join(block(1, _named(name, _field(2, "ApiKeySecurity", one))) for name, one in tree.items())


UNIONS: dict[str, Callable[[Any], bytes]] = {
    "any": _any,
    "NamedSchemas": _schemas,
    "Paths": _paths,
    "Responses": _responses,
    "ParametersItem": _parameter,
    "SchemaItem": lambda schema: _field(1, "Schema", schema),
    "AdditionalPropertiesItem": _additional,
    "TypeItem": _types,
    "ItemsItem": lambda schema: _field(1, "Schema", schema),
    "SecurityRequirement": _security,
    "SecurityDefinitions": _security_definitions,
}
