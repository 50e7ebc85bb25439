"""Values: whether a tree fits its schema, and upstream's words for where it does not.

`errors(schema, value, old)`: on an update a value that is as it was is not looked at, so an object that was stored before the
schema became stricter can still be changed elsewhere (ratcheting, KEP-4008). Items of lists have an earlier self only where the
list has keys.

Of anyOf and oneOf the alternative that was checked most deeply says what is wrong. Combinations that fail are told without a path,
which upstream prints as `<nil>`.
kube-openapi pkg/validation/validate · apiextensions-apiserver pkg/apiserver/validation
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from kube.api.apiextensions.formats import FORMATS
from kube.api.apiextensions.patterns import pattern
from kube.api.apiextensions.structural import Schema
from kube.api.meta import Tree
from kube.api.status import FieldError, invalid, required, too_long, too_many, unsupported, wrong_type

ABSENT: Any = object()  # of an old value: there is none to compare with
NOWHERE = "<nil>"  # upstream's path of what belongs to no single field
RANGES = {"int32": 2**31, "int64": 2**63}


def errors(schema: Schema, value: Any, old: Any = ABSENT) -> list[FieldError]:
    """What is wrong with an object."""
    found: list[FieldError] = []
    _check(schema, value, old, "", found)
    return found


def _check(schema: Schema, value: Any, old: Any, path: str, found: list[FieldError]) -> int:
    """Add what is wrong with a value; how many checks were made, which decides between alternatives."""
    if old is not ABSENT and old == value and type(old) is type(value):
        return 1
    kind = json_type(value)
    made = _check_type(schema, value, kind, path, found)
    if value is None:
        return made + _check_enum(schema, value, path, found)
    made += _check_combinations(schema, value, old, path, found)
    match kind:
        case "string":
            made += _check_string(schema, value, path, found)
        case "integer" | "number":
            made += _check_number(schema, value, path, found)
        case "array":
            made += _check_list(schema, value, old, path, found)
        case "object":
            made += _check_object(schema, value, old, path, found)
    return made + 1 + _check_enum(schema, value, path, found)


def _check_type(schema: Schema, value: Any, kind: str, path: str, found: list[FieldError]) -> int:
    types, form = schema.types, schema.raw.get("format") or ""
    if not types and not form:
        return 0
    if value is None:
        if types and not schema.nullable:
            found.append(_type_error(path, ",".join(types), "null"))
            return 1
        return 2
    whole = kind == "number" and "integer" in types and float(value).is_integer()
    fits = kind in types or whole or (kind == "integer" and "number" in types)
    if form and kind not in ("string", "array") and types and not fits:
        shown = {"integer": "int64", "number": "double"}.get(kind, "")
        found.append(_type_error(path, form, shown))
        return 1
    numeric = "number" in types or "integer" in types
    if (form and kind in ("string", "array") and not numeric) or fits:
        return 2
    found.append(_type_error(path, ",".join(types), kind))
    return 1


def _check_combinations(schema: Schema, value: Any, old: Any, path: str, found: list[FieldError]) -> int:
    made = 1
    if schema.any_of:
        made += _any_of(schema, value, path, found)
    if schema.one_of:
        made += _one_of(schema, value, path, found)
    if schema.all_of:
        fitting = 0
        for one in schema.all_of:
            before = len(found)
            made += _check(one, value, old, path, found)
            fitting += len(found) == before
        if fitting != len(schema.all_of):
            more = "" if fitting else ". None validated"
            found.append(_nowhere(f'"{path}" must validate all the schemas (allOf){more}'))
    if schema.negated is not None:
        against: list[FieldError] = []
        made += _check(schema.negated, value, ABSENT, path, against)
        if not against:
            found.append(_nowhere(f'"{path}" must not validate the schema (not)'))
    return made


def _any_of(schema: Schema, value: Any, path: str, found: list[FieldError]) -> int:
    best: list[FieldError] = []
    best_made = -1
    for one in schema.any_of:
        complaints: list[FieldError] = []
        made = _check(one, value, ABSENT, path, complaints)
        if not complaints:
            return made
        if made > best_made:
            best, best_made = complaints, made
    found.append(_nowhere(f'"{path}" must validate at least one schema (anyOf)'))
    found += best
    return best_made


def _one_of(schema: Schema, value: Any, path: str, found: list[FieldError]) -> int:
    best: list[FieldError] = []
    best_made, fitting, first = -1, 0, 0
    for one in schema.one_of:
        complaints: list[FieldError] = []
        made = _check(one, value, ABSENT, path, complaints)
        if not complaints:
            fitting += 1
            first = first or made
            best = []
        elif not fitting and made > best_made:
            best, best_made = complaints, made
    if fitting == 1:
        return first
    why = f"Found {fitting} valid alternatives" if fitting else "Found none valid"
    found.append(_nowhere(f'"{path}" must validate one and only one schema (oneOf). {why}'))
    found += best
    return max(best_made, 0)


def _check_string(schema: Schema, value: str, path: str, found: list[FieldError]) -> int:
    """The first thing that is wrong with its length or its look, and with its format."""
    raw = schema.raw
    longest, shortest, look, form = (raw.get(name) for name in ("maxLength", "minLength", "pattern", "format"))
    if longest is not None and len(value) > longest:
        found.append(too_long(_field(path), int(longest)))
    elif shortest is not None and len(value) < shortest:
        found.append(_invalid(path, value, f"should be at least {shortest} chars long"))
    elif look and not pattern(look).search(value):
        found.append(_invalid(path, value, f"should match '{look}'"))
    if form and (check := FORMATS.get(form)) is not None and not check(value):
        found.append(wrong_type(_field(path), value, _in_body(path, f"must be of type {form}: {_quoted(value)}")))
    return 1


def _check_number(schema: Schema, value: int | float, path: str, found: list[FieldError]) -> int:
    raw = schema.raw
    form = raw.get("format")
    limit = RANGES.get(form or "int64", RANGES["int64"])
    if "integer" in schema.types and not -limit <= value < limit:
        kind = f"with format {form} in {path}" if form else "(default format)"
        found.append(_nowhere(f"Checked value must be of type integer {kind}"))
    step = raw.get("multipleOf")
    if step and not _is_multiple(value, step):
        found.append(_invalid(path, value, f"should be a multiple of {number(step)}"))
    for name, excluded, breaks, words in (
        ("maximum", "exclusiveMaximum", _above, "should be less than"),
        ("minimum", "exclusiveMinimum", _below, "should be greater than"),
    ):
        bound = raw.get(name)
        if bound is None:
            continue
        strict = bool(raw.get(excluded))
        if breaks(value, bound) or (strict and value == bound):
            found.append(_invalid(path, value, f"{words}{'' if strict else ' or equal to'} {number(bound)}"))
    return 1


def _check_list(schema: Schema, value: list[Any], old: Any, path: str, found: list[FieldError]) -> int:
    made = 1
    if schema.items is not None:
        before = _earlier_items(schema, old)
        for index, item in enumerate(value):
            made += _check(schema.items, item, before(item), f"{path}[{index}]", found)
    least, most = schema.raw.get("minItems"), schema.raw.get("maxItems")
    if least is not None and len(value) < least:
        found.append(_invalid(path, len(value), f"should have at least {least} items"))
    if most is not None and len(value) > most:
        found.append(too_many(_field(path), len(value), int(most)))
    return made


def _earlier_items(schema: Schema, old: Any) -> Callable[[Any], Any]:
    """A function from an item to what it was before."""
    if schema.list_type != "map" or not isinstance(old, list) or schema.items is None:
        return lambda item: ABSENT
    keyed = {item_key(schema, item): item for item in old if isinstance(item, dict)}
    return lambda item: keyed.get(item_key(schema, item), ABSENT) if isinstance(item, dict) else ABSENT


def item_key(schema: Schema, item: Tree) -> bytes:
    """What tells an item of a list of type map from the others."""
    return orjson.dumps([item.get(name, _key_default(schema, name)) for name in schema.map_keys])


def _key_default(schema: Schema, name: str) -> Any:
    one = schema.items.properties.get(name) if schema.items is not None else None
    return one.raw.get("default") if one is not None else None


def _check_object(schema: Schema, value: Tree, old: Any, path: str, found: list[FieldError]) -> int:
    made = 1
    least, most = schema.raw.get("minProperties"), schema.raw.get("maxProperties")
    if least is not None and len(value) < least:
        found.append(_invalid(path, len(value), f"should have at least {least} properties"))
        return 0
    if most is not None and len(value) > most:
        found.append(too_many(_field(path), len(value), int(most)))
        return 0
    before: Mapping[str, Any] = old if isinstance(old, dict) else {}
    for name, inner in value.items():
        at = f"{path}.{name}" if path else name
        one = schema.properties.get(name)
        if one is None and schema.forbids_additional:
            found.append(invalid(_field(path), "", f"{path}.{name} in body is a forbidden property"))
        one = one or schema.additional
        if one is not None:
            made += _check(one, inner, before.get(name, ABSENT), at, found)
    for name in schema.required:
        if name not in value:
            found.append(required(f"{path}.{name}" if path else name))
        else:
            made += 1
    return made


def _check_enum(schema: Schema, value: Any, path: str, found: list[FieldError]) -> int:
    allowed = schema.raw.get("enum")
    if not allowed or (value is None and schema.nullable):
        return 1
    if any(same_value(value, one) for one in allowed):
        return 1
    shown = [one if isinstance(one, str) else orjson.dumps(one).decode() for one in allowed]
    found.append(unsupported(_field(path), value, shown))
    return 0


def same_value(one: Any, other: Any) -> bool:
    """Equality of JSON values: true is not 1."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def json_type(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    return "array" if isinstance(value, list) else "object"


def number(value: int | float) -> str:
    """As Go prints a float64."""
    if float(value).is_integer() and abs(value) < 1e21:
        return str(int(value))
    return repr(float(value))


def _is_multiple(value: int | float, step: int | float) -> bool:
    if isinstance(value, int) and float(step).is_integer():
        return value % int(step) == 0
    ratio = value / step
    return math.isclose(ratio, round(ratio), rel_tol=0, abs_tol=1e-9)


def _above(value: int | float, bound: int | float) -> bool:
    return value > bound


def _below(value: int | float, bound: int | float) -> bool:
    return value < bound


def _type_error(path: str, wanted: str, got: str) -> FieldError:
    return wrong_type(_field(path), got, _in_body(path, f"must be of type {wanted}: {_quoted(got)}"))


def _invalid(path: str, value: Any, words: str) -> FieldError:
    return invalid(_field(path), value, _in_body(path, words))


def _nowhere(text: str) -> FieldError:
    return invalid(NOWHERE, "", text)


def _in_body(path: str, words: str) -> str:
    return f"{path} in body {words}"


def _field(path: str) -> str:
    return path or NOWHERE


def _quoted(text: str) -> str:
    return orjson.dumps(text).decode()
