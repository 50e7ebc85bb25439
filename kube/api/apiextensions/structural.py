"""Structural: the schema of a custom resource, read once from JSONSchemaProps into nodes that are quick to walk.

A structural schema says of every value which type it has, outside of allOf, anyOf, oneOf and not; those only restrict. So one
tree of nodes tells what to prune, what to fill in and how lists merge, and each node carries the restrictions beside it.
https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
apiextensions-apiserver pkg/apiserver/schema
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from kube.api.meta import Tree

NO_DEFAULT: Any = object()


@dataclass(eq=False, slots=True)
class Schema:
    """One node. `raw` is the JSONSchemaProps it was made of."""

    raw: Tree
    types: tuple[str, ...] = ()  # empty: any; two for int-or-string
    properties: dict[str, "Schema"] = field(default_factory=dict)
    additional: "Schema | None" = None  # of the values of a map
    forbids_additional: bool = False  # additionalProperties: false
    allows_additional: bool = False  # additionalProperties is there, as true or as a schema
    items: "Schema | None" = None
    required: tuple[str, ...] = ()
    nullable: bool = False
    default: Any = NO_DEFAULT
    preserves: bool = False  # x-kubernetes-preserve-unknown-fields
    embedded: bool = False  # x-kubernetes-embedded-resource
    list_type: str = ""
    map_keys: tuple[str, ...] = ()
    all_of: tuple["Schema", ...] = ()
    any_of: tuple["Schema", ...] = ()
    one_of: tuple["Schema", ...] = ()
    negated: "Schema | None" = None
    rules: tuple[Tree, ...] = ()  # x-kubernetes-validations
    below: "Below" = field(default_factory=lambda: Below())

    def children(self) -> Iterator["Schema"]:
        """The nodes of what is inside a value; not those that merely restrict it."""
        yield from self.properties.values()
        if self.additional is not None:
            yield self.additional
        if self.items is not None:
            yield self.items

    def of_key(self, name: str) -> "Schema | None":
        """The schema of a field, or of any key of a map."""
        return self.properties.get(name) or self.additional


@dataclass(slots=True)
class Below:
    """What there is at a node or anywhere below it, so that a walk can skip what has nothing to do."""

    defaults: bool = False
    embedded: bool = False
    lists: bool = False  # of type map or set
    rules: bool = False


def compiled(raw: Tree) -> Schema:
    """The schema at `raw` and all below it."""
    types: tuple[str, ...] = (str(raw["type"]),) if raw.get("type") else ()
    if raw.get("x-kubernetes-int-or-string"):
        types = ("integer", "string")
    additional = raw.get("additionalProperties")
    schema = Schema(
        raw=raw,
        types=types,
        properties={name: compiled(one) for name, one in (raw.get("properties") or {}).items()},
        additional=compiled(additional) if isinstance(additional, dict) else None,
        forbids_additional=additional is False,
        allows_additional=bool(additional) or isinstance(additional, dict),
        items=compiled(raw["items"]) if isinstance(raw.get("items"), dict) else None,
        required=tuple(raw.get("required") or ()),
        nullable=bool(raw.get("nullable")),
        default=raw.get("default", NO_DEFAULT),
        preserves=bool(raw.get("x-kubernetes-preserve-unknown-fields")),
        embedded=bool(raw.get("x-kubernetes-embedded-resource")),
        list_type=str(raw.get("x-kubernetes-list-type") or ""),
        map_keys=tuple(raw.get("x-kubernetes-list-map-keys") or ()),
        all_of=tuple(compiled(one) for one in raw.get("allOf") or ()),
        any_of=tuple(compiled(one) for one in raw.get("anyOf") or ()),
        one_of=tuple(compiled(one) for one in raw.get("oneOf") or ()),
        negated=compiled(raw["not"]) if isinstance(raw.get("not"), dict) else None,
        rules=tuple(raw.get("x-kubernetes-validations") or ()),
    )
    schema.below = _below(schema)
    return schema


def _below(schema: Schema) -> Below:
    children = [one.below for one in schema.children()]
    return Below(
        defaults=schema.default is not NO_DEFAULT or any(one.defaults for one in children),
        embedded=schema.embedded or any(one.embedded for one in children),
        lists=schema.list_type in ("map", "set") or any(one.lists for one in children),
        rules=bool(schema.rules) or any(one.rules for one in children),
    )
