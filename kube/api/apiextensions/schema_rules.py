"""Schema rules: what the schema of a custom resource may say, with upstream's words for what it may not.

    forbidden     fields of JSON schema that Kubernetes does not take ($ref, definitions, uniqueItems, ...)
    structural    every value has a type outside of allOf, anyOf, oneOf and not; those restrict and specify nothing
    lists         types and keys of lists fit their items
    defaults      fit the schema, and have nothing in them that would be pruned

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
apiextensions-apiserver pkg/apis/apiextensions/validation, pkg/apiserver/schema/validation.go
"""

from collections.abc import Iterator
from dataclasses import replace
from enum import Enum
from typing import Any

import orjson

from kube.api.apiextensions import embedded, values
from kube.api.apiextensions.list_rules import list_errors
from kube.api.apiextensions.patterns import PatternError, pattern
from kube.api.apiextensions.pruning import IMPLICIT, prune
from kube.api.apiextensions.structural import NO_DEFAULT, Schema, shared
from kube.api.meta import Tree
from kube.api.status import FieldError, forbidden, invalid, required, unsupported

TYPES = ("array", "boolean", "integer", "number", "object", "string")
UNSUPPORTED = ("additionalItems", "definitions", "dependencies", "id", "patternProperties", "$ref")
JUNCTORS = ("allOf", "anyOf", "oneOf", "not")
SPECIFYING = (  # what only the structure itself may say, and the words for it inside a junctor
    ("description", "must be empty to be structural"),
    ("title", "must be empty to be structural"),
    ("default", "must be undefined to be structural"),
    ("additionalProperties", "must be undefined to be structural"),
    ("type", "must be empty to be structural"),
    ("nullable", "must be false to be structural"),
    ("x-kubernetes-preserve-unknown-fields", "must be false to be structural"),
    ("x-kubernetes-embedded-resource", "must be false to be structural"),
    ("x-kubernetes-int-or-string", "must be false to be structural"),
    ("x-kubernetes-list-map-keys", "must be empty to be structural"),
    ("x-kubernetes-list-type", "must be undefined to be structural"),
    ("x-kubernetes-map-type", "must be undefined to be structural"),
)
IN_METADATA = "must not specify anything other than name and generateName, but metadata is implicitly specified"
_INT_OR_STRING = [{"type": "integer"}, {"type": "string"}]


class Level(Enum):
    """Where a node stands; the words for a type that is missing."""

    ROOT = "must not be empty at the root"
    FIELD = "must not be empty for specified object fields"
    ITEM = "must not be empty for specified array items"


def errors(raw: Tree, path: str) -> Iterator[FieldError]:
    """What is wrong with a whole schema."""
    if raw.get("nullable"):
        yield forbidden(f"{path}.nullable", "nullable cannot be true at the root")
    yield from _forbidden(raw, path)
    if _names_its_own(raw):
        yield invalid(path, "", "OpenAPIV3Schema 'schema' is not supported")
        return
    yield from _structural(raw, Level.ROOT, path)
    yield from _complete(raw, raw, path, path)
    yield from _defaults(shared(raw), path, is_root=True)


def _names_its_own(raw: Tree) -> bool:
    """Whether some node says with `$schema` what kind of schema it is."""
    inside = [one for one, _, _ in _inner(raw, "")] + [one for one, _ in _restricting(raw, "")]
    return bool(raw.get("$schema")) or any(map(_names_its_own, inside))


def _inner(raw: Tree, path: str) -> Iterator[tuple[Tree, Level, str]]:
    """The nodes of what is inside a value."""
    for name, one in (raw.get("properties") or {}).items():
        yield one, Level.FIELD, f"{path}.properties[{name}]"
    for name, level in (("additionalProperties", Level.FIELD), ("items", Level.ITEM)):
        if isinstance(raw.get(name), dict):
            yield raw[name], level, f"{path}.{name}"


def _restricting(raw: Tree, path: str) -> Iterator[tuple[Tree, str]]:
    """The nodes that restrict the same value."""
    for name in JUNCTORS[:3]:
        for index, one in enumerate(raw.get(name) or ()):
            yield one, f"{path}.{name}[{index}]"
    if isinstance(raw.get("not"), dict):
        yield raw["not"], f"{path}.not"


def _forbidden(raw: Tree, path: str) -> Iterator[FieldError]:
    kind = raw.get("type") or ""
    if raw.get("uniqueItems"):
        text = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        yield forbidden(f"{path}.uniqueItems", text)
    if raw.get("additionalProperties") not in (None, True) and raw.get("properties"):
        yield forbidden(f"{path}.additionalProperties", "additionalProperties and properties are mutual exclusive")
    for name in UNSUPPORTED:
        if raw.get(name) or (name == "additionalItems" and raw.get(name) is False):
            yield forbidden(f"{path}.{name}", f"{name} is not supported")
    if isinstance(raw.get("items"), list):
        yield forbidden(f"{path}.items", "items must be a schema object and not an array")
    if kind == "null":
        yield forbidden(f"{path}.type", "type cannot be set to null, use nullable as an alternative")
    elif kind and kind not in TYPES:
        yield unsupported(f"{path}.type", kind, TYPES)
    if raw.get("pattern"):
        try:
            pattern(raw["pattern"])
        except PatternError as error:
            yield invalid(f"{path}.pattern", raw["pattern"], f"must be a valid regular expression, but isn't: {error}")
    if raw.get("x-kubernetes-preserve-unknown-fields") is False:
        yield invalid(f"{path}.x-kubernetes-preserve-unknown-fields", False, "must be true or undefined")
    yield from list_errors(raw, path)
    for one, _, at in _inner(raw, path):
        yield from _forbidden(one, at)
    for one, at in _restricting(raw, path):
        yield from _forbidden(one, at)


def _structural(raw: Tree, level: Level, path: str) -> Iterator[FieldError]:
    kind = raw.get("type") or ""
    if kind == "array" and not isinstance(raw.get("items"), dict | list):
        yield required(f"{path}.items", "must be specified")
    for one, at_level, at in _inner(raw, path):
        yield from _structural(one, at_level, at)
    if level is Level.ROOT and raw.get("additionalProperties") is not None:
        yield forbidden(f"{path}.additionalProperties", "must not be used at the root")
    yield from _type_errors(raw, kind, level, path)
    yield from _metadata_errors(raw, level, path)
    for name in JUNCTORS:
        restricting = [raw["not"]] if name == "not" and isinstance(raw.get("not"), dict) else raw.get(name) or ()
        for index, one in enumerate(restricting if isinstance(restricting, list) else ()):
            at = f"{path}.not" if name == "not" else f"{path}.{name}[{index}]"
            exempt = bool(raw.get("x-kubernetes-int-or-string")) and _is_int_or_string(raw, name, one)
            yield from _only_restricts(one, at, exempt=exempt)


def _type_errors(raw: Tree, kind: str, level: Level, path: str) -> Iterator[FieldError]:
    is_embedded = bool(raw.get("x-kubernetes-embedded-resource"))
    if raw.get("x-kubernetes-int-or-string"):
        for name in ("x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"):
            if raw.get(name):
                yield invalid(f"{path}.{name}", True, "must be false if x-kubernetes-int-or-string is true")
    if is_embedded and kind != "object":
        text = "must be object if x-kubernetes-embedded-resource is true"
        yield invalid(f"{path}.type", kind, text) if kind else required(f"{path}.type", text)
    elif not kind and not raw.get("x-kubernetes-int-or-string") and not raw.get("x-kubernetes-preserve-unknown-fields"):
        yield required(f"{path}.type", level.value)
    if is_embedded and raw.get("additionalProperties"):
        yield forbidden(f"{path}.additionalProperties", "must not be used if x-kubernetes-embedded-resource is set")
    if level is Level.ROOT and kind and kind != "object":
        yield invalid(f"{path}.type", kind, "must be object at the root")
    if is_embedded and not raw.get("x-kubernetes-preserve-unknown-fields") and not raw.get("properties"):
        text = "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields"
        yield required(f"{path}.properties", text)


def _metadata_errors(raw: Tree, level: Level, path: str) -> Iterator[FieldError]:
    if level is not Level.ROOT and not raw.get("x-kubernetes-embedded-resource"):
        return
    properties = raw.get("properties") or {}
    for name in ("apiVersion", "kind"):
        if name in properties and properties[name].get("type") != "string":
            yield invalid(f"{path}.properties[{name}].type", properties[name].get("type") or "", "must be string")
    metadata = properties.get("metadata")
    if metadata is None:
        return
    at = f"{path}.properties[metadata]"
    if metadata.get("type") != "object":
        yield invalid(f"{at}.type", metadata.get("type") or "", "must be object")
    allowed = {"type", "description", "title", "properties", "required"}
    if set(metadata.get("properties") or {}) - {"name", "generateName"} or set(metadata) - allowed - set(JUNCTORS):
        yield forbidden(at, IN_METADATA)


def _is_int_or_string(raw: Tree, junctor: str, one: Tree) -> bool:
    """The ways to say int-or-string twice: anyOf, or anyOf as the first of allOf."""
    if junctor == "anyOf":
        return bool(raw.get("anyOf") == _INT_OR_STRING)
    return junctor == "allOf" and one is raw["allOf"][0] and one.get("anyOf") == _INT_OR_STRING


def _only_restricts(raw: Tree, path: str, *, exempt: bool = False) -> Iterator[FieldError]:
    """A node in a junctor. `exempt`: it may name the two types of int-or-string."""
    for name, text in SPECIFYING:
        given = raw.get(name)
        if given in (None, "", False, [], {}) and not (name == "default" and name in raw):
            continue
        if not (exempt and name == "type"):
            yield forbidden(f"{path}.{name}", text)
    for one, _, at in _inner(raw, path):
        if not at.endswith("additionalProperties"):
            yield from _only_restricts(one, at)
    for one, at in _restricting(raw, path):
        yield from _only_restricts(one, at, exempt=exempt)


def _complete(node: Tree | None, restricting: Tree, path: str, at: str) -> Iterator[FieldError]:
    """What a junctor restricts must be specified in the structure."""
    for one, where in _restricting(restricting, at):
        yield from _specified(node, one, path, where)
    if node is restricting:
        for one, _, where in _inner(restricting, path):
            yield from _complete(one, one, where, where)


def _specified(node: Tree | None, restricting: Tree, path: str, at: str) -> Iterator[FieldError]:
    if isinstance(restricting.get("items"), dict):
        if not isinstance((node or {}).get("items"), dict):
            yield required(f"{path}.items", f"because it is defined in {at}.items")
        else:
            yield from _specified(node["items"], restricting["items"], f"{path}.items", f"{at}.items")
    for name, one in (restricting.get("properties") or {}).items():
        properties = (node or {}).get("properties") or {}
        where = f"{path}.properties[{name}]"
        if name in properties:
            yield from _specified(properties[name], one, where, f"{at}.properties[{name}]")
        elif not isinstance((node or {}).get("additionalProperties"), dict):
            yield required(where, f"because it is defined in {at}.properties[{name}]")
    for one, where in _restricting(restricting, at):
        yield from _specified(node, one, path, where)


def _defaults(schema: Schema, path: str, *, is_root: bool = False) -> Iterator[FieldError]:
    if schema.default is not NO_DEFAULT:
        yield from _default_errors(schema, schema.default, f"{path}.default")
    for name, one in schema.properties.items():
        if not (is_root and name in IMPLICIT):
            yield from _defaults(one, f"{path}.properties[{name}]")
    if schema.additional is not None:
        yield from _defaults(schema.additional, f"{path}.additionalProperties")
    if schema.items is not None:
        yield from _defaults(schema.items, f"{path}.items")


def _default_errors(schema: Schema, default: Any, path: str) -> Iterator[FieldError]:
    if isinstance(default, dict | list):
        tree: Tree = {"default": orjson.loads(orjson.dumps(default))}
        holder = Schema({}, properties={"default": schema})
        if prune(tree, holder):
            yield invalid(path, default, "must not have unknown fields")
    found = list(embedded.errors(default, schema)) or values.errors(schema, default)
    for error in found:
        inside = "" if error.path in ("", values.NOWHERE) else f".{error.path}"
        yield replace(error, path=path + inside)
