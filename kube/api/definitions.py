"""Definitions: what is known of every field of every built-in kind — types, descriptions, list keys, patch strategies.

Read from the JSON schemas that the `kubernetes-validate` package carries, of release 1.36: the release whose behaviour is kept
and the newest that could be held against upstream's own swagger.json (they agree in every field). Nothing about a field is
written down twice: what validates, prunes, merges, applies and explains asks here.

Loading costs some 10 ms and 15 MB, on first use; programs that carry trees without looking into them never pay for it.
https://kubernetes.io/docs/reference/using-api/api-concepts/ · kube-openapi pkg/idl (the x-kubernetes- extensions)
"""

from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson

from kube.api.meta import Tree
from kube.api.resource import Resource

RELEASE = "1.36.0"

INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
TIME = "io.k8s.apimachinery.pkg.apis.meta.v1.Time"
MICRO_TIME = "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime"
OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"

# The forms a value can have. Those above are forms of their own.
STRUCT, MAP, LIST, STRING, INTEGER, NUMBER, BOOLEAN, BYTES, ANY = (
    "struct", "map", "list", "string", "integer", "number", "boolean", "bytes", "any",
)  # fmt: skip
BUILT_IN_KEY_DEFAULTS = {"protocol": "TCP"}  # the ports of containers and Services; the definitions do not say so
_OWN_FORMS = (INT_OR_STRING, QUANTITY, TIME, MICRO_TIME)


@cache
def definitions() -> dict[str, Tree]:
    """Every definition by its name (`io.k8s.api.core.v1.Pod`), as the package has it. Not to be changed."""
    package = find_spec("kubernetes_validate")  # found, not imported: its code is not needed
    assert package is not None, "a dependency of this project"
    file = Path(package.origin).parent / "kubernetes-json-schema" / f"v{RELEASE}-local" / "_definitions.json"
    found: dict[str, Tree] = orjson.loads(file.read_bytes())["$defs"]
    return found


@dataclass(frozen=True, eq=False)
class Type:
    """The type of a field: its form, what is in it, and how lists and maps of it merge."""

    form: str
    name: str = ""  # of the definition; empty for a type that is written where it is used
    raw: Tree = field(default_factory=dict, repr=False)  # the definition
    use: Tree = field(default_factory=dict, repr=False)  # what the field says that has this type; it overrides the definition

    @cached_property
    def fields(self) -> dict[str, "Type"]:
        """Of a struct."""
        return {name: _resolved(use) for name, use in (self.raw.get("properties") or {}).items()}

    @cached_property
    def item(self) -> "Type":
        """Of a list or a map."""
        return _resolved(self.raw["items" if self.form == LIST else "additionalProperties"])

    @property
    def description(self) -> str:
        return str(self.use.get("description") or self.raw.get("description") or "")

    @cached_property
    def atomic(self) -> bool:
        """Whether server-side apply sees one value in it: a scalar, an atomic map, a list without keys."""
        if self.form == LIST:
            return self.list_type == "atomic"
        return self.form not in (STRUCT, MAP) or self._says("x-kubernetes-map-type") == "atomic"

    @cached_property
    def list_type(self) -> str:
        """ "map", "set" or "atomic". Lists from before list types have it in their patch strategy (schemaconv)."""
        said = self._says("x-kubernetes-list-type")
        if said:
            return str(said)
        if "merge" not in self.patch_strategy:
            return "atomic"
        return "map" if self.merge_key else "set"

    @cached_property
    def splits_objects(self) -> bool:
        """Whether an object of this type falls apart into fields that are owned alone."""
        return self.form == ANY or (self.form in (STRUCT, MAP) and not self.atomic)

    @cached_property
    def splits_lists(self) -> str:
        """How a list of this type falls apart: "list" (by keys), "set", or empty."""
        return {"map": "list", "set": "set"}.get(self.list_type, "") if self.form == LIST else ""

    @cached_property
    def list_keys(self) -> tuple[str, ...]:
        """The fields that tell the items of a list of type "map" apart."""
        return tuple(self._says("x-kubernetes-list-map-keys") or ((self.merge_key,) if self.merge_key else ()))

    @cached_property
    def key_defaults(self) -> dict[str, Any]:
        """What those fields are in an item that leaves them out; None: it may not."""
        if self.item.name:
            return {name: BUILT_IN_KEY_DEFAULTS.get(name) for name in self.list_keys}
        own = {name: self.item.field(name) for name in self.list_keys}
        return {name: one.raw.get("default") if one is not None else None for name, one in own.items()}

    @cached_property
    def patch_strategy(self) -> frozenset[str]:
        """Of a strategic merge: "merge", "retainKeys", both or nothing (replace)."""
        return frozenset(str(self._says("x-kubernetes-patch-strategy") or "").split(",")) - {""}

    @property
    def merge_key(self) -> str:
        """The field by which a strategic merge tells items apart."""
        return str(self._says("x-kubernetes-patch-merge-key") or "")

    def field(self, name: str) -> "Type | None":
        """The type of what is called `name` in it: a field, or any key of a map."""
        if self.form == MAP:
            return self.item
        return self.fields.get(name) if self.form == STRUCT else None

    def _says(self, extension: str) -> Any:
        return self.use.get(extension) or self.raw.get(extension)


UNKNOWN = Type(ANY)


@cache
def named(name: str) -> Type:
    """The type of a definition."""
    raw = definitions()[name]
    return Type(_form(raw, name), name, raw)


@cache
def of_kind(group: str, version: str, kind: str) -> Type | None:
    """The type of a kind; None for kinds that are not built in."""
    name = _names().get((group, version, kind))
    return named(name) if name else None


def of(resource: Resource) -> Type | None:
    if resource.structure is not None:
        own: Type = resource.structure
        return own
    return of_kind(resource.group, resource.version, resource.kind)


@cache
def _names() -> dict[tuple[str, str, str], str]:
    return {
        (kind["group"], kind["version"], kind["kind"]): name
        for name, raw in definitions().items()
        for kind in raw.get("x-kubernetes-group-version-kind", ())
    }


def _resolved(use: Tree) -> Type:
    reference = use.get("$ref")
    if reference is None:
        return Type(_form(use, ""), "", use, use)
    target = named(reference.rpartition("/")[2])
    return Type(target.form, target.name, target.raw, use) if len(use) > 1 else target


def _form(raw: Tree, name: str) -> str:
    if name in _OWN_FORMS:
        return name
    kind = raw.get("type")
    if isinstance(kind, list):  # the package allows null beside the type, which upstream's documents leave unsaid
        kind = next(one for one in kind if one != "null")
    if kind == "object":
        return STRUCT if raw.get("properties") else MAP if raw.get("additionalProperties") else ANY
    if kind == "array":
        return LIST
    if kind == "string":
        return BYTES if raw.get("format") == "byte" else STRING
    return str(kind) if kind else ANY
