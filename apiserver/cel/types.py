"""Types: what the checker knows of an expression's value, and how one type stands for another.

A type is a value of `Type`; what a user of the package hands to `compile` for its variables are such values. Types made from a
schema (schema.py) carry, beside what CEL needs, how large their values may get: the static cost is estimated from that.

    DYN matches everything, both ways; a type parameter (A, B, K, V, T in signatures) stands for what it is first matched with;
    null is assignable to objects, timestamps, durations and the types of libraries; nothing else is converted.

https://github.com/google/cel-spec/blob/master/doc/langdef.md#gradual-type-checking · cel-go checker/types.go
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

DYN_NAME = "dyn"


@dataclass(frozen=True)
class Type:
    """`kind` is the constructor: a primitive's name, list, map, optional, type, object, opaque, parameter."""

    kind: str
    name: str = ""  # of objects, opaque types and parameters
    parameters: tuple["Type", ...] = ()
    fields: Mapping[str, "Field"] = field(default_factory=dict, compare=False, repr=False)  # of objects, by escaped name
    # How large a value may be (elements, characters); None: not known. And of lists, upstream's list-type with its keys.
    max_size: int | None = field(default=None, compare=False)
    list_type: str = field(default="", compare=False)
    list_keys: tuple[str, ...] = field(default=(), compare=False)
    # An object whose fields are known but whose values may have others, which CEL cannot see.
    min_bytes: int = field(default=1, compare=False)  # the least that a value takes in a request

    def __str__(self) -> str:
        if self.kind == "list" or self.kind == "map":
            return f"{self.kind}({', '.join(map(str, self.parameters))})"
        if self.kind == "optional":
            return f"optional_type({self.parameters[0]})"
        if self.kind == "type":
            return f"type({self.parameters[0]})" if self.parameters else "type"
        return self.name or self.kind

    @property
    def element(self) -> "Type":
        """Of a list or an optional."""
        return self.parameters[0]

    def sized(self, max_size: int | None) -> "Type":
        return replace(self, max_size=max_size)


@dataclass(frozen=True)
class Field:
    """A field of an object: its type, and its name in the tree, which CEL sees escaped."""

    type: Type
    key: str
    required: bool = False


Declared = Type

DYN = Type(DYN_NAME)
ERROR = Type("error", "!error!")  # of what did not check; matches everything, so that one mistake is told once
NULL = Type("null")
BOOL = Type("bool")
INT = Type("int")
UINT = Type("uint")
DOUBLE = Type("double")
STRING = Type("string")
BYTES = Type("bytes")
TIMESTAMP = Type("timestamp")
DURATION = Type("duration")
TYPE = Type("type")


def list_of(element: Type) -> Type:
    return Type("list", parameters=(element,))


def map_of(key: Type, value: Type) -> Type:
    return Type("map", parameters=(key, value))


def optional_of(value: Type) -> Type:
    return Type("optional", parameters=(value,))


def object_of(name: str, fields: Mapping[str, Field]) -> Type:
    return Type("object", name, fields=fields)


def opaque(name: str) -> Type:
    """A type of a library: `net.IP`, `kubernetes.Quantity`."""
    return Type("opaque", name)


def parameter(name: str) -> Type:
    return Type("parameter", name)


def type_of(described: Type) -> Type:
    """The type of a type's name where it stands for a value: `int` has type(int)."""
    return Type("type", parameters=(described,))


ANYTHING = ("dyn", "error")
NULLABLE = ("object", "opaque", "timestamp", "duration", "optional")

Bindings = dict[Type, Type]  # what type parameters stand for


def bound(kind: Type, bindings: Bindings) -> Type:
    """With type parameters replaced by what they stand for; those that stand for nothing stay."""
    if kind.kind == "parameter":
        found = bindings.get(kind)
        return bound(found, bindings) if found is not None else kind
    if not kind.parameters:
        return kind
    return replace(kind, parameters=tuple(bound(one, bindings) for one in kind.parameters))


def settled(kind: Type, bindings: Bindings) -> Type:
    """Like `bound`; a parameter that stands for nothing is DYN."""
    if kind.kind == "parameter":
        found = bindings.get(kind)
        return settled(found, bindings) if found is not None else DYN
    if not kind.parameters:
        return kind
    return replace(kind, parameters=tuple(settled(one, bindings) for one in kind.parameters))


def assign(wanted: Type, given: Type, bindings: Bindings) -> bool:
    """Whether a `given` may stand where a `wanted` is; learns what parameters stand for, also where the answer is no."""
    wanted, given = bound_head(wanted, bindings), bound_head(given, bindings)
    if wanted is given:
        return True
    if wanted.kind == "parameter" or given.kind == "parameter":
        return _learn(wanted, given, bindings)
    if wanted.kind in ANYTHING or given.kind in ANYTHING:
        return True
    if given.kind == "null":
        return wanted.kind == "null" or wanted.kind in NULLABLE
    if wanted.kind == "null":
        return given.kind in NULLABLE
    if wanted.kind != given.kind or wanted.name != given.name:
        return False
    if wanted.kind == "type":
        return True
    return all(assign(one, other, bindings) for one, other in zip(wanted.parameters, given.parameters, strict=True))


def bound_head(kind: Type, bindings: Bindings) -> Type:
    while kind.kind == "parameter" and kind in bindings:
        kind = bindings[kind]
    return kind


def _learn(wanted: Type, given: Type, bindings: Bindings) -> bool:
    name, value = (wanted, given) if wanted.kind == "parameter" else (given, wanted)
    if name == value:
        return True
    if _within(name, value, bindings):
        return False
    bindings[name] = value
    return True


def _within(name: Type, value: Type, bindings: Bindings) -> bool:
    value = bound_head(value, bindings)
    return value == name or any(_within(name, one, bindings) for one in value.parameters)


def joined(one: Type, other: Type, bindings: Bindings) -> Type | None:
    """The more general of two types, where one may stand for the other."""
    if assign(one, other, bindings):
        return other if other.kind in ANYTHING or one.kind == "null" else one
    return None
