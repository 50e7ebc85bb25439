"""Patches: what a mutation's expression makes, and how that changes the object. Pure.

    ApplyConfiguration   Object{spec: Object.spec{replicas: 3}}: merged into the object as server-side apply merges
    JSONPatch            [JSONPatch{op: "add", path: "/spec/replicas", value: 3}]: RFC 6902

An object literal's type says where it belongs: `Object.spec` may stand at spec only. An apply configuration may not set what
server-side apply sees as one value: atomic lists, maps and structs would be replaced, not merged.
https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/
apiserver pkg/admission/plugin/policy/mutating/patch, pkg/cel/mutation
"""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from apiserver.cel import DYN, STRING, EvaluationError, moments
from apiserver.cel.types import Field, Type, list_of, object_of
from apiserver.cel.values import MOST_PARTS, Duration, ObjectValue, Optional, Timestamp, weight
from kube.api.definitions import ANY, LIST, STRUCT, UNKNOWN, of
from kube.api.definitions import Type as FieldType
from kube.api.meta import Tree
from kube.api.patch import json_patch, structured
from kube.api.resource import Resource
from kube.api.status import ApiError

ROOT = "Object"
JSON_PATCH = object_of(
    "JSONPatch", {name: Field(kind, name) for name, kind in (("op", STRING), ("path", STRING), ("from", STRING), ("value", DYN))}
)


class _AnyField(dict[str, Field]):
    """An object's fields, whatever they are called: each is dyn."""

    def get(self, name: str, default: Any = None) -> Field:
        return Field(DYN, name)


OBJECT = Type("object", ROOT, fields=_AnyField())


def literal_type(name: str) -> Type | None:
    """The types that object literals of mutations may have."""
    if name == JSON_PATCH.name:
        return JSON_PATCH
    if name == ROOT or name.startswith(f"{ROOT}."):
        return Type("object", name, fields=_AnyField())
    return None


@dataclass(frozen=True)
class PatchType:
    field: str  # of a mutation that has it
    returns: Type


PATCH_TYPES: Mapping[str, PatchType] = {
    "ApplyConfiguration": PatchType("applyConfiguration", OBJECT),
    "JSONPatch": PatchType("jsonPatch", list_of(JSON_PATCH)),
}


def patched(patch_type: str, made: Any, tree: Tree, row: Resource) -> Tree:
    """The object after the mutation. Raises EvaluationError."""
    if weight(made) > MOST_PARTS:
        raise EvaluationError("the patch is too large")
    return _operated(made, tree) if patch_type == "JSONPatch" else _applied(made, tree, row)


def _applied(made: Any, tree: Tree, row: Resource) -> Tree:
    for complaint in _misplaced(made, ROOT):
        raise EvaluationError(complaint)
    applied = plain(made)
    if not applied:
        return tree
    for name in ("apiVersion", "kind"):
        if applied.setdefault(name, tree.get(name)) != tree.get(name):
            raise EvaluationError(f"invalid ApplyConfiguration: {name} must be {tree.get(name)}")
    kind = of(row) or UNKNOWN
    atomic = list(_atomic(kind, applied, ""))
    if atomic:
        raise EvaluationError(f"invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: {', '.join(atomic)}")
    try:
        merged: Tree = structured.merge(kind, tree, applied)
    except ApiError as error:
        raise EvaluationError(f"invalid ApplyConfiguration: {error.message}") from None
    return merged


def _misplaced(made: Any, path: str) -> Iterator[str]:
    """Object literals whose type names another place than the one where they stand."""
    if isinstance(made, ObjectValue) and made.type_name != path:
        yield f'unexpected type name "{made.type_name}", expected "{path}", which matches field name path from root Object type'
    if isinstance(made, ObjectValue):
        for name, value in made.items():
            yield from _misplaced(value, f"{path}.{name}")
    elif isinstance(made, list):
        for value in made:
            yield from _misplaced(value, path)
    elif isinstance(made, dict):
        for value in made.values():
            yield from _misplaced(value, path)


def _atomic(kind: FieldType, value: Any, path: str) -> Iterator[str]:
    """Paths of lists, maps and structs in an apply configuration that would be replaced."""
    if isinstance(value, dict):
        if path and kind.atomic and kind.form != ANY:
            yield path
            return
        for name, one in value.items():
            yield from _atomic(kind.field(name) or UNKNOWN, one, f"{path}.{name}")
    elif isinstance(value, list) and kind.form == LIST:
        if kind.atomic:
            yield path
        elif kind.item.form == STRUCT:
            for one in value:
                yield from _atomic(kind.item, one, path)


def _operated(made: Any, tree: Tree) -> Tree:
    operations = []
    for one in made:
        if not isinstance(one, ObjectValue):
            raise EvaluationError("type mismatch: JSONPatchType.expression should evaluate to array of JSONPatch")
        operations.append(plain(one))
    try:
        found = json_patch.apply(tree, operations)
    except ApiError as error:
        raise EvaluationError(f"JSON Patch: {error.message}") from None
    if not isinstance(found, dict):
        raise EvaluationError("JSON Patch: the patched object is no JSON object")
    return found


def plain(value: Any) -> Any:
    """A CEL value as JSON."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, Timestamp):
        return moments.show_timestamp(value)
    if isinstance(value, Duration):
        return moments.show_duration(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Optional):
        raise EvaluationError("an optional is no JSON")
    if value is None or isinstance(value, bool | float | str):
        return value
    if isinstance(value, int):
        return int(value)
    raise EvaluationError(f"type {value.type_name} is no JSON")
