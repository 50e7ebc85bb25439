"""Schema: whether a tree is what its kind says, told as upstream's decoder tells it, and the tree as that decoder leaves it.

    unknown fields    are named with their path (`spec.containers[0].imge`) and removed; strict or not is the caller's to decide
    wrong types       `json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32`
    null              is the absence of a field
    quantities        become canonical ("1000m" is "1"), and in lists of resources nothing is finer than "1m"
    times             are UTC with whole seconds, micro times with six digits

Required fields and enumerations are not the decoder's affair; kinds validate those themselves.
Nearly every object is right as it is: a compiled validator of the strict form tells so in a few microseconds, and only what it
refuses is walked. https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation · sigs.k8s.io/json
"""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

import jsonschema_rs

from kube.api import quantity
from kube.api.definitions import (
    BOOLEAN,
    BYTES,
    INT_OR_STRING,
    INTEGER,
    LIST,
    MAP,
    MICRO_TIME,
    NUMBER,
    OBJECT_META,
    QUANTITY,
    STRING,
    STRUCT,
    TIME,
    Type,
    named,
    of,
)
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.views import micro_timestamp, timestamp

Step = str | int | tuple[str]  # a field, an index, a key of a map

INT32, INT64 = 2**31, 2**63
_NO_VALUE: Any = object()

# What the compiled validator lets pass. Stricter than the rule where the rule is no regular expression: "1500m" is walked.
_CANONICAL_QUANTITY = "^(0|-?[1-9][0-9]{0,2}([numkMGTPE]|[KMGTP]i)?)$"
_CANONICAL_TIME = r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]%sZ$"
_BASE64 = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"


@dataclass
class Problems:
    """What was found, as upstream words it and in the order of the document."""

    unknown: list[str] = field(default_factory=list)  # paths of fields that were removed
    wrong_types: list[str] = field(default_factory=list)


def problems(resource: Resource, tree: Tree, before: Tree | None = None) -> Problems:
    """Check a tree and bring it into the decoder's form. Of a kind that is not built in, the metadata and what the row says.

    `before`: an object in that form. A built-in kind's fields that are those very ones are not looked at again.
    """
    if resource.own_problems is None and (kind := of(resource)) is not None:
        same = {name for name, value in tree.items() if before.get(name) is value} if before is not None else ()
        if not same:
            return _check(kind, tree)
        changed = {name: value for name, value in tree.items() if name not in same}
        found = _check(kind, changed)
        for name in tree.keys() - same:
            if name in changed:
                tree[name] = changed[name]
            else:
                del tree[name]
        return found
    found = metadata_problems(tree["metadata"], ["metadata"]) if isinstance(tree.get("metadata"), dict) else Problems()
    if resource.own_problems is not None:
        own: Problems = resource.own_problems(tree)
        found.unknown += own.unknown
        found.wrong_types += own.wrong_types
    return found


def metadata_problems(metadata: Tree, path: list[Step]) -> Problems:
    """The same for an object's metadata; `path` is where it stands."""
    found = Problems()
    _Walk(found, path).struct(named(OBJECT_META), metadata)
    return found


def check(definition: str, tree: Tree) -> Problems:
    """The same for a tree of a definition (`io.k8s.api.core.v1.PodTemplateSpec`)."""
    return _check(named(definition), tree)


def _check(kind: Type, tree: Tree) -> Problems:
    found = Problems()
    if not _right(kind.name)(tree):
        _Walk(found, []).struct(kind, tree)
    return found


class _Walk:
    """One pass over a tree, changing it in place."""

    def __init__(self, found: Problems, path: list[Step]) -> None:
        self.found = found
        self.path = path
        self.structs: list[str] = []  # the Go names of the structs that we are in

    def struct(self, kind: Type, tree: Tree) -> None:
        self.structs.append(kind.name.rpartition(".")[2])
        for name in list(tree):
            self.path.append(name)
            one = kind.fields.get(name)
            if one is None:
                self.found.unknown.append(self._where())
                value = _NO_VALUE
            else:
                value = self.value(one, tree[name])
            self.path.pop()
            if value is _NO_VALUE:
                del tree[name]
            else:
                tree[name] = value
        self.structs.pop()

    def value(self, kind: Type, value: Any) -> Any:
        """The value as it is to be; _NO_VALUE for null and for what is wrong."""
        if value is None:
            return _NO_VALUE
        match kind.form:
            case "struct" | "map" | "list":
                return self._container(kind, value)
            case "any":
                return value
        try:
            return _SCALARS[kind.form](kind, value)
        except _WrongType as wrong:
            self.found.wrong_types.append(wrong.text or self._mismatch(kind, value))
        return _NO_VALUE

    def _container(self, kind: Type, value: Any) -> Any:
        wanted: type[Any] = list if kind.form == LIST else dict
        if not isinstance(value, wanted):
            self.found.wrong_types.append(self._mismatch(kind, value))
            return _NO_VALUE
        match kind.form:
            case "struct":
                self.struct(kind, value)
            case "map":
                for key in value:
                    value[key] = self._item(kind.item, value[key], (key,))
                    if kind.item.form == QUANTITY:
                        value[key] = quantity.in_millis(value[key])
            case "list":
                value[:] = [self._item(kind.item, item, index) for index, item in enumerate(value)]
        return value

    def _item(self, kind: Type, value: Any, at: Step) -> Any:
        """An item of a list or a map: it has a place, so null is its zero value."""
        self.path.append(at)
        found = self.value(kind, value)
        self.path.pop()
        return _zero(kind) if found is _NO_VALUE else found

    def _where(self) -> str:
        text = ""
        for step in self.path:
            text += f"[{step}]" if isinstance(step, int) else f".{step[0] if isinstance(step, tuple) else step}"
        return text.removeprefix(".")

    def _mismatch(self, kind: Type, value: Any) -> str:
        """Go names the innermost struct, and the path by fields alone: no index, no key of a map."""
        shown = f"number {value}" if kind.form == INTEGER and _is_number(value) else json_type(value)
        fields = ".".join(step for step in self.path if isinstance(step, str))
        return f"json: cannot unmarshal {shown} into Go struct field {self.structs[-1]}.{fields} of type {_go_type(kind)}"


class _WrongType(Exception):
    """`text`: upstream's words where they are not those of a plain mismatch."""

    def __init__(self, text: str = "") -> None:
        super().__init__(text)
        self.text = text


def _string(kind: Type, value: Any) -> Any:
    if not isinstance(value, str):
        raise _WrongType
    return value


def _integer(kind: Type, value: Any) -> Any:
    limit = INT32 if kind.raw.get("format") == "int32" else INT64
    if not isinstance(value, int) or isinstance(value, bool) or not -limit <= value < limit:
        raise _WrongType
    return value


def _number(kind: Type, value: Any) -> Any:
    if not _is_number(value):
        raise _WrongType
    return value


def _boolean(kind: Type, value: Any) -> Any:
    if not isinstance(value, bool):
        raise _WrongType
    return value


def _int_or_string(kind: Type, value: Any) -> Any:
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool) and -INT32 <= value < INT32):
        return value
    shown = f"number {value}" if _is_number(value) else json_type(value)
    raise _WrongType(f"json: cannot unmarshal {shown} into Go value of type int32")


def _quantity(kind: Type, value: Any) -> Any:
    if not quantity.is_valid(value):
        raise _WrongType(quantity.INVALID)
    return quantity.canonical(value)


def _time(kind: Type, value: Any) -> Any:
    layout, written = "2006-01-02T15:04:05Z07:00", timestamp
    if kind.form == MICRO_TIME:
        layout, written = "2006-01-02T15:04:05.000000Z07:00", micro_timestamp
    if not isinstance(value, str):
        raise _WrongType(f"json: cannot unmarshal {json_type(value)} into Go value of type string")
    try:
        moment = datetime.fromisoformat(value) if re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", value) else None
        moment = moment.astimezone(UTC) if moment is not None and moment.tzinfo is not None else None
    except (ValueError, OverflowError):  # no such day; before the year 1 in UTC
        moment = None
    if moment is None:
        raise _WrongType(f'parsing time "{value}" as "{layout}": cannot parse "{value}" as "2006"')
    return written(moment)


def _bytes(kind: Type, value: Any) -> Any:
    if not isinstance(value, str):
        raise _WrongType
    try:
        b64decode(value, validate=True)
    except (Base64Error, ValueError):
        bad = re.search("[^A-Za-z0-9+/]|$", value)
        raise _WrongType(f"illegal base64 data at input byte {bad.start() if bad else 0}") from None
    return value


_SCALARS: dict[str, Callable[[Type, Any], Any]] = {
    STRING: _string,
    INTEGER: _integer,
    NUMBER: _number,
    BOOLEAN: _boolean,
    BYTES: _bytes,
    INT_OR_STRING: _int_or_string,
    QUANTITY: _quantity,
    TIME: _time,
    MICRO_TIME: _time,
}

_ZEROS: dict[str, Any] = {STRING: "", INTEGER: 0, NUMBER: 0, BOOLEAN: False, BYTES: "", INT_OR_STRING: 0, QUANTITY: "0"}


def _zero(kind: Type) -> Any:
    if kind.form in (STRUCT, MAP):
        return {}
    return [] if kind.form == LIST else _ZEROS.get(kind.form)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def json_type(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    if isinstance(value, dict):
        return "object"
    return "array" if isinstance(value, list) else "number"


def _go_type(kind: Type) -> str:
    match kind.form:
        case "list":
            return f"[]{_go_type(kind.item)}"
        case "map":
            return f"map[string]{_go_type(kind.item)}"
        case "integer":
            return str(kind.raw.get("format") or "int64")
        case "number":
            return "float64"
        case "boolean":
            return "bool"
        case "bytes":
            return "[]uint8"
    if not kind.name:
        return "string"
    return ".".join(kind.name.split(".")[-2:])


@cache
def _right(name: str) -> Callable[[Any], bool]:
    """Tells of a tree whether there is nothing to find and nothing to change."""
    needed: dict[str, Tree] = {}
    root = _strict(named(name), needed)
    return jsonschema_rs.validator_for({**root, "$defs": needed}).is_valid


def _strict(kind: Type, needed: dict[str, Tree]) -> Tree:
    """The JSON schema of a type; those of the definitions below it are added to `needed`."""
    if not kind.name or kind.form not in (STRUCT, MAP, LIST):
        return _strict_in_place(kind, needed)
    if kind.name not in needed:
        needed[kind.name] = {}  # there is a way back to it in recursive types
        needed[kind.name] = _strict_in_place(kind, needed)
    return {"$ref": f"#/$defs/{kind.name}"}


def _strict_in_place(kind: Type, needed: dict[str, Tree]) -> Tree:
    match kind.form:
        case "struct":
            fields = {name: _strict(one, needed) for name, one in kind.fields.items()}
            return {"type": "object", "properties": fields, "additionalProperties": False}
        case "map":
            amounts = kind.item.form == QUANTITY
            return {"type": "object", "additionalProperties": _MILLIS if amounts else _strict(kind.item, needed)}
        case "list":
            return {"type": "array", "items": _strict(kind.item, needed)}
        case "integer":
            limit = INT32 if kind.raw.get("format") == "int32" else INT64
            return {"type": "integer", "minimum": -limit, "maximum": limit - 1}
        case "any":
            return {"not": {"type": "null"}}
    return _STRICT_SCALARS[kind.form]


_MILLIS: Tree = {"type": "string", "pattern": _CANONICAL_QUANTITY.replace("numk", "mk")}
_STRICT_SCALARS: dict[str, Tree] = {
    STRING: {"type": "string"},
    NUMBER: {"type": "number"},
    BOOLEAN: {"type": "boolean"},
    BYTES: {"type": "string", "pattern": _BASE64},
    INT_OR_STRING: {"anyOf": [{"type": "string"}, {"type": "integer", "minimum": -INT32, "maximum": INT32 - 1}]},
    QUANTITY: {"type": "string", "pattern": _CANONICAL_QUANTITY},
    TIME: {"type": "string", "pattern": _CANONICAL_TIME % ""},
    MICRO_TIME: {"type": "string", "pattern": _CANONICAL_TIME % r"\.[0-9]{6}"},
}
