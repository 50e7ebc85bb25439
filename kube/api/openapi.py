"""OpenAPI: the schemas of the built-in kinds as upstream's documents have them, in version 2 and version 3.

The source is `definitions`; what its package changed is put back: types that allow null, references, enumerations of kind and
apiVersion, and the two types that are two types at once. The paths of the documents are the API server's affair.
https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-interface-definition · kube-openapi pkg/common
"""

from collections.abc import Iterable
from functools import cache
from typing import Any

from kube.api.definitions import INT_OR_STRING, QUANTITY, definitions
from kube.api.meta import Tree
from kube.api.openapi_custom import KINDS, schema_name
from kube.api.openapi_custom import schemas as custom_schemas
from kube.api.resource import Resource

__all__ = ["V2_PREFIX", "V3_PREFIX", "schema_name", "swagger_definitions", "v3_schemas"]

V2_PREFIX, V3_PREFIX = "#/definitions/", "#/components/schemas/"

_INT_OR_STRING_TEXT = (
    "IntOrString is a type that can hold an int32 or a string.  When used in JSON or YAML marshalling and unmarshalling, it "
    "produces or consumes the inner type.  This allows you to have, for example, a JSON field that can accept a name or number."
)
_QUANTITY_TEXT = (
    "Quantity is a fixed-point representation of a number. It provides convenient marshaling/unmarshaling in JSON and "
    "YAML, in addition to String() and AsInt64() accessors.\n\nThe serialization format is:\n\n``` <quantity>        ::= "
    '<signedNumber><suffix>\n\n\t(Note that <suffix> may be empty, from the "" case in <decimalSI>.)\n\n<digit>          '
    " ::= 0 | 1 | ... | 9 <digits>          ::= <digit> | <digit><digits> <number>          ::= <digits> | "
    '<digits>.<digits> | <digits>. | .<digits> <sign>            ::= "+" | "-" <signedNumber>    ::= <number> | '
    "<sign><number> <suffix>          ::= <binarySI> | <decimalExponent> | <decimalSI> <binarySI>        ::= Ki | Mi | Gi "
    "| Ti | Pi | Ei\n\n\t(International System of units; See: "
    'http://physics.nist.gov/cuu/Units/binary.html)\n\n<decimalSI>       ::= m | "" | k | M | G | T | P | E\n\n\t(Note '
    'that 1024 = 1Ki but 1000 = 1k; I didn\'t choose the capitalization.)\n\n<decimalExponent> ::= "e" <signedNumber> | '
    '"E" <signedNumber> ```\n\nNo matter which of the three exponent forms is used, no quantity may represent a number '
    "greater than 2^63-1 in magnitude, nor may it have more than 3 decimal places. Numbers larger or more precise will be "
    "capped or rounded up. (E.g.: 0.1m will rounded up to 1m.) This may be extended in the future if we require larger or "
    "smaller quantities.\n\nWhen a Quantity is parsed from a string, it will remember the type of suffix it had, and will "
    'use the same type again when it is serialized.\n\nBefore serializing, Quantity will be put in "canonical form". '
    "This means that Exponent/suffix will be adjusted up or down (with a corresponding increase or decrease in Mantissa) "
    "such that:\n\n- No precision is lost - No fractional digits will be emitted - The exponent (or suffix) is as large as "
    "possible.\n\nThe sign will be omitted unless the number is negative.\n\nExamples:\n\n- 1.5 will be serialized as "
    '"1500m" - 1.5Gi will be serialized as "1536Mi"\n\nNote that the quantity will NEVER be internally represented by '
    "a floating point number. That is the whole point of this exercise.\n\nNon-canonical values will still parse as long "
    "as they are well formed, but will be re-emitted in their canonical form. (So always use canonical form, or don't "
    "diff.)\n\nThis format is intended to make it difficult to use these numbers without writing some sort of special "
    "handling code in the hopes that that will cause implementors to also use a fixed point implementation."
)
_TWO_TYPES_V2 = {
    INT_OR_STRING: {"description": _INT_OR_STRING_TEXT, "format": "int-or-string", "type": "string"},
    QUANTITY: {"description": _QUANTITY_TEXT, "type": "string"},
}
_TWO_TYPES_V3 = {
    INT_OR_STRING: {
        "description": _INT_OR_STRING_TEXT,
        "format": "int-or-string",
        "oneOf": [{"type": "integer"}, {"type": "string"}],
    },
    QUANTITY: {"description": _QUANTITY_TEXT, "oneOf": [{"type": "string"}, {"type": "number"}]},
}
_META = "io.k8s.apimachinery.pkg.apis.meta.v1."
# Types of every group, with a kind in each; a document names those of its own group.
_EVERYWHERE = tuple(_META + name for name in ("DeleteOptions", "WatchEvent"))


@cache
def _swagger() -> dict[str, Tree]:
    return {name: _TWO_TYPES_V2.get(name) or _converted(raw, V2_PREFIX) for name, raw in definitions().items()}


def swagger_definitions(rows: Iterable[Resource], spoken_of: Tree) -> dict[str, Tree]:
    """The `definitions` of the version 2 document: all that its paths speak of. Not to be changed."""
    own: dict[str, Tree] = {}
    for row in rows:
        if row.openapi_schema is not None:
            own |= custom_schemas(row, V2_PREFIX, version=2)
    found = {name: _swagger()[name] for name in _reachable(_references([spoken_of, own]), own)}
    return dict(sorted((found | own).items()))


def v3_schemas(rows: Iterable[Resource], group: str, version: str, spoken_of: Tree) -> dict[str, Tree]:
    """The `components.schemas` of a group version's document in version 3: all that its paths speak of. Not to be changed."""
    own: dict[str, Tree] = {}
    for row in rows:
        if row.openapi_schema is not None:
            own |= custom_schemas(row, V3_PREFIX, version=3)
    found = {name: _v3(name, group, version) for name in _reachable(_references([spoken_of, own]), own)}
    return dict(sorted((found | own).items()))


def _v3(name: str, group: str, version: str) -> Tree:
    made = _v3_built_in(name)
    if name not in _EVERYWHERE or KINDS not in made:
        return made
    here = (("", "v1"), (group, version))
    return {**made, KINDS: [one for one in made[KINDS] if (one["group"], one["version"]) in here]}


@cache
def _v3_built_in(name: str) -> Tree:
    made = _TWO_TYPES_V3.get(name)
    return made or _converted(definitions()[name], V3_PREFIX)


def _reachable(names: Iterable[str], but: Iterable[str]) -> set[str]:
    """The names of built-in definitions that those names lead to."""
    found: set[str] = set()
    others = set(but)
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found and name not in others:
            found.add(name)
            waiting += _references(definitions()[name])
    return found


def _references(raw: Any) -> list[str]:
    if isinstance(raw, list):
        return [name for one in raw for name in _references(one)]
    if not isinstance(raw, dict):
        return []
    own = [raw["$ref"].rpartition("/")[2]] if isinstance(raw.get("$ref"), str) else []
    return own + [name for one in raw.values() for name in _references(one)]


def _converted(raw: Tree, prefix: str) -> Tree:
    """A schema as upstream writes it."""
    made: Tree = {}
    for name, value in raw.items():
        if name == "properties":
            made[name] = {field: _field(field, one, prefix) for field, one in value.items()}
        elif name in ("items", "additionalProperties") and isinstance(value, dict):
            made[name] = _converted(value, prefix)
        elif name == "type" and isinstance(value, list):
            made[name] = next(one for one in value if one != "null")
        elif name == "$ref":
            made[name] = prefix + value.rpartition("/")[2]
        else:
            made[name] = value
    if prefix == V3_PREFIX and "$ref" in made and len(made) > 1:
        made["allOf"] = [{"$ref": made.pop("$ref")}]  # beside a reference nothing else counts in version 3
    return made


def _field(name: str, raw: Tree, prefix: str) -> Tree:
    made = _converted(raw, prefix)
    if name in ("kind", "apiVersion"):
        made.pop("enum", None)  # the package says there which kind it is
    return made
