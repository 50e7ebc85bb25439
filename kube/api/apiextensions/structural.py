"""Structural: the schema of a custom resource, read once from JSONSchemaProps into nodes that are quick to walk.

A structural schema says of every value which type it has, outside of allOf, anyOf, oneOf and not; those only restrict. So one
tree of nodes tells what to prune, what to fill in and how lists merge, and each node carries the restrictions beside it.

Reading takes about a tenth of a second a megabyte. So who wants the nodes of a schema that was read lately, or that somebody
still holds, gets those (`shared`): the check of a definition, its rows, and versions that do not differ.
https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
apiextensions-apiserver pkg/apiserver/schema
"""

import hashlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakValueDictionary

import orjson

from kube.api.meta import Tree

NO_DEFAULT: Any = object()
LATELY = 16  # schemas that are kept although nobody holds them


@dataclass(frozen=True, slots=True)
class Below:
    """What there is at a node or anywhere below it, so that a walk can skip what has nothing to do."""

    defaults: bool = False
    embedded: bool = False
    lists: bool = False  # of type map or set
    rules: bool = False


NOTHING = Below()


@dataclass(eq=False, slots=True, weakref_slot=True)
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
    below: Below = NOTHING

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


_known: WeakValueDictionary[bytes, Schema] = WeakValueDictionary()
_lately: deque[Schema] = deque(maxlen=LATELY)


def shared(raw: Tree) -> Schema:
    """The nodes of a whole schema, read once; nobody changes them."""
    data = orjson.dumps(raw)
    digest = hashlib.blake2b(data, digest_size=32).digest()
    schema = _known.get(digest)
    if schema is None:
        schema = _known[digest] = compiled(orjson.loads(data))
    _lately.append(schema)
    return schema


def compiled(raw: Tree) -> Schema:
    """The schema at `raw` and all below it."""
    given = raw.get
    kind = given("type")
    types: tuple[str, ...] = (str(kind),) if kind else ()
    if given("x-kubernetes-int-or-string"):
        types = ("integer", "string")
    schema = Schema(raw, types)
    if properties := given("properties"):
        schema.properties = {name: compiled(one) for name, one in properties.items()}
    if "additionalProperties" in raw:
        _read_additional(schema, raw["additionalProperties"])
    if isinstance(items := given("items"), dict):
        schema.items = compiled(items)
    for name, juncture in (("allOf", "all_of"), ("anyOf", "any_of"), ("oneOf", "one_of")):
        if some := given(name):
            setattr(schema, juncture, tuple(map(compiled, some)))
    if isinstance(negated := given("not"), dict):
        schema.negated = compiled(negated)
    schema.required = tuple(given("required") or ())
    schema.nullable = bool(given("nullable"))
    schema.default = given("default", NO_DEFAULT)
    _read_extensions(schema, raw)
    schema.below = _below(schema)
    return schema


def _read_additional(schema: Schema, told: Any) -> None:
    schema.forbids_additional = told is False
    schema.allows_additional = bool(told) or isinstance(told, dict)
    if isinstance(told, dict):
        schema.additional = compiled(told)


def _read_extensions(schema: Schema, raw: Tree) -> None:
    given = raw.get
    schema.preserves = bool(given("x-kubernetes-preserve-unknown-fields"))
    schema.embedded = bool(given("x-kubernetes-embedded-resource"))
    schema.list_type = str(given("x-kubernetes-list-type") or "")
    schema.map_keys = tuple(given("x-kubernetes-list-map-keys") or ())
    schema.rules = tuple(given("x-kubernetes-validations") or ())


def _below(schema: Schema) -> Below:
    defaults, embedded = schema.default is not NO_DEFAULT, schema.embedded
    lists, rules = schema.list_type in ("map", "set"), bool(schema.rules)
    for one in schema.children():
        inner = one.below
        if inner is not NOTHING:
            defaults |= inner.defaults
            embedded |= inner.embedded
            lists |= inner.lists
            rules |= inner.rules
    return Below(defaults, embedded, lists, rules) if defaults or embedded or lists or rules else NOTHING
