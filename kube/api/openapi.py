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
from kube.api.resources import RESOURCES

V2_PREFIX, V3_PREFIX = "#/definitions/", "#/components/schemas/"

_INT_OR_STRING_TEXT = (
    "IntOrString is a type that can hold an int32 or a string.  When used in JSON or YAML marshalling and unmarshalling, it "
    "produces or consumes the inner type.  This allows you to have, for example, a JSON field that can accept a name or number."
)
_QUANTITY_TEXT = (
    "Quantity is a fixed-point representation of a number. It provides convenient marshaling/unmarshaling in JSON and YAML, in "
    "addition to String() and AsInt64() accessors.\n\nThe serialization format is:\n\n"
    '``` <quantity>        ::= <signedNumber><suffix>\n\n\t(Note that <suffix> may be empty, from the "" case in <decimalSI>.)\n\n'
    "<digit>           ::= 0 | 1 | ... | 9 <digits>          ::= <digit> | <digit><digits> <number>          ::= <digits> | "
    '<digits>.<digits> | <digits>. | .<digits> <sign>            ::= "+" | "-" <signedNumber>    ::= <number> | <sign><number> '
    "<suffix>          ::= <binarySI> | <decimalExponent> | <decimalSI> <binarySI>        ::= Ki | Mi | Gi | Ti | Pi | Ei\n\n"
    "\t(International System of units; See: http://physics.nist.gov/cuu/Units/binary.html)\n\n"
    '<decimalSI>       ::= m | "" | k | M | G | T | P | E\n\n'
    "\t(Note that 1024 = 1Ki but 1000 = 1k; I didn't choose the capitalization.)\n\n"
    '<decimalExponent> ::= "e" <signedNumber> | "E" <signedNumber> ```'
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
# What every group's paths speak of, beside the group's own kinds.
_META = "io.k8s.apimachinery.pkg.apis.meta.v1."
_EVERYWHERE = tuple(_META + name for name in ("APIResourceList", "DeleteOptions", "Patch", "Status", "WatchEvent"))
_OF_SUBRESOURCE = {
    "scale": "io.k8s.api.autoscaling.v1.Scale",
    "eviction": "io.k8s.api.policy.v1.Eviction",
    "token": "io.k8s.api.authentication.v1.TokenRequest",
}


@cache
def swagger_definitions() -> dict[str, Tree]:
    """The `definitions` of the version 2 document. Not to be changed."""
    return {name: _TWO_TYPES_V2.get(name) or _converted(raw, V2_PREFIX) for name, raw in definitions().items()}


@cache
def v3_schemas(group: str, version: str) -> dict[str, Tree]:
    """The `components.schemas` of a group and version's document in version 3. Not to be changed."""
    return {name: _v3(name) for name in sorted(_reachable(_roots(group, version)))}


@cache
def _v3(name: str) -> Tree:
    return _TWO_TYPES_V3.get(name) or _converted(definitions()[name], V3_PREFIX)


def _roots(group: str, version: str) -> set[str]:
    found = {
        name
        for name, raw in definitions().items()
        for kind in raw.get("x-kubernetes-group-version-kind", ())
        if (kind["group"], kind["version"]) == (group, version)
    }
    for row in RESOURCES:
        if (row.group, row.version) == (group, version):
            found |= {_OF_SUBRESOURCE[one] for one in row.subresources if one in _OF_SUBRESOURCE}
    return found.union(_EVERYWHERE)


def _reachable(names: Iterable[str]) -> set[str]:
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
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
