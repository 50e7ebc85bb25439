"""OpenAPI schemas of the built-in kinds, in the two forms that servers publish, from the one source of field knowledge.

The definitions are JSON Schema: a type may be null, references go to #/$defs, int-or-string and quantity are alternatives. OpenAPI
v2 (`definitions`) knows no null and no alternatives; v3 (`components.schemas`) has a reference beside other words in an allOf.
https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-interface-definition
"""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from kube.api.definitions import INT_OR_STRING, QUANTITY, definitions
from kube.api.meta import Tree

_PREFIX = "#/$defs/"
_V2_OWN: dict[str, Tree] = {INT_OR_STRING: {"type": "string", "format": "int-or-string"}, QUANTITY: {"type": "string"}}
_V3_OWN: dict[str, Tree] = {
    INT_OR_STRING: {"oneOf": [{"type": "integer"}, {"type": "string"}], "format": "int-or-string"},
    QUANTITY: {"oneOf": [{"type": "string"}, {"type": "number"}]},
}
_KEPT_OUT = ("enum",)  # of apiVersion and kind, where the package adds it


@cache
def v2_schema(name: str) -> Tree:
    """A definition for `/openapi/v2`."""
    return {**_described(name), **_V2_OWN[name]} if name in _V2_OWN else _converted(definitions()[name], _v2_reference)


@cache
def v3_schema(name: str) -> Tree:
    """A schema for `/openapi/v3`."""
    return {**_described(name), **_V3_OWN[name]} if name in _V3_OWN else _converted(definitions()[name], _v3_reference)


def closure(names: Iterable[str]) -> list[str]:
    """These definitions and all that they refer to, sorted."""
    found: set[str] = set()
    waiting = [name for name in names if name in definitions()]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _references(definitions()[name])
    return sorted(found)


def _described(name: str) -> Tree:
    description = definitions()[name].get("description")
    return {"description": description} if description else {}


def _converted(schema: Any, reference: Callable[[str, Tree], Tree]) -> Any:
    if isinstance(schema, list):
        return [_converted(one, reference) for one in schema]
    if not isinstance(schema, dict):
        return schema
    tree = {name: _word(name, value, reference) for name, value in schema.items() if name != "$ref"}
    for name in _KEPT_OUT:
        for field in ("apiVersion", "kind"):
            if isinstance(tree.get("properties"), dict) and isinstance(tree["properties"].get(field), dict):
                tree["properties"][field].pop(name, None)
    if "$ref" in schema:
        return reference(schema["$ref"].removeprefix(_PREFIX), tree)
    return tree


def _word(name: str, value: Any, reference: Callable[[str, Tree], Tree]) -> Any:
    if name == "type" and isinstance(value, list):
        return next(one for one in value if one != "null")
    if name == "properties" and isinstance(value, dict):
        return {field: _converted(one, reference) for field, one in value.items()}
    return _converted(value, reference) if name in ("items", "additionalProperties", "allOf", "oneOf", "anyOf") else value


def _v2_reference(name: str, beside: Tree) -> Tree:
    return {**beside, "$ref": f"#/definitions/{name}"}


def _v3_reference(name: str, beside: Tree) -> Tree:
    pointer = {"$ref": f"#/components/schemas/{name}"}
    return {**beside, "allOf": [pointer]} if beside else pointer


def _references(schema: Any) -> list[str]:
    if isinstance(schema, list):
        return [name for one in schema for name in _references(one)]
    if not isinstance(schema, dict):
        return []
    own = [schema["$ref"].removeprefix(_PREFIX)] if isinstance(schema.get("$ref"), str) else []
    return own + [name for one in schema.values() for name in _references(one)]
