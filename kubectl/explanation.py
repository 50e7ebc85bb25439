"""Explanations: a schema of an OpenAPI v3 document as the text of `kubectl explain`. Pure.

kubernetes/kubectl pkg/explain/v2/templates/plaintext.tmpl
"""

import textwrap
from typing import NamedTuple

from kube.api.meta import Tree
from kube.api.resource import Resource
from kubectl.errors import CommandError

WIDTH = 76  # of a line of description
PREFIX = "#/components/schemas/"
KINDS = "x-kubernetes-group-version-kind"


class Typed(NamedTuple):
    """A field's schema without references, its type in words, and what the reference said of itself."""

    schema: Tree
    name: str
    described: tuple[str, ...]


class Schemas:
    """The named schemas of one document."""

    def __init__(self, document: Tree) -> None:
        self._schemas: dict[str, Tree] = document["components"]["schemas"]

    def of(self, resource: Resource) -> Tree:
        """Raises CommandError where the document does not have the kind."""
        wanted = (resource.group, resource.version, resource.kind)
        for schema in self._schemas.values():
            if any((one["group"], one["version"], one["kind"]) == wanted for one in schema.get(KINDS) or ()):
                return schema
        raise CommandError(f"GVK {resource.api_version}, Kind={resource.kind} not found in OpenAPI schema")

    def typed(self, schema: Tree) -> Typed:
        """Follow references, lists and maps to what has the fields."""
        described: tuple[str, ...] = (schema["description"],) if schema.get("description") else ()
        reference = self._reference(schema)
        if reference:
            target = self._schemas[reference]
            more = (target["description"],) if target.get("description") else ()
            return Typed(target, _name_of(reference, target), described + more)
        items, values = schema.get("items"), schema.get("additionalProperties")
        if schema.get("type") == "array":
            inner = self.typed(items or {})
            return Typed(inner.schema, f"[]{inner.name}", described + inner.described)
        if schema.get("type") == "object" and values:
            inner = self.typed(values)
            return Typed(inner.schema, f"map[string]{inner.name}", described + inner.described)
        return Typed(schema, schema.get("type") or "Object", described)

    @staticmethod
    def _reference(schema: Tree) -> str:
        if "$ref" in schema:
            return str(schema["$ref"]).removeprefix(PREFIX)
        chosen: list[Tree] = schema.get("allOf") or []
        return str(chosen[0]["$ref"]).removeprefix(PREFIX) if len(chosen) == 1 and "$ref" in chosen[0] else ""


def _name_of(reference: str, target: Tree) -> str:
    """The schema's own name; a plain scalar (a time) is called by its JSON type, save for two that are always named."""
    name = reference.rpartition(".")[2]
    scalar = target.get("type") not in (None, "object") and name not in ("IntOrString", "Quantity")
    return str(target["type"]) if scalar else name


def explained(schemas: Schemas, resource: Resource, fields: list[str], *, recursive: bool) -> str:
    """The whole page. Raises CommandError for a field that is not there."""
    head = f"GROUP:      {resource.group}\n" if resource.group else ""
    head += f"KIND:       {resource.kind}\nVERSION:    {resource.version}\n\n"
    schema = schemas.of(resource)
    described: tuple[str, ...] = (schema["description"],) if schema.get("description") else ()
    found = Typed(schema, resource.kind, described)
    for name in fields:
        if name not in (found.schema.get("properties") or {}):
            raise FieldMissing(head, name)
        found = schemas.typed(found.schema["properties"][name])
    if fields:
        head += f"FIELD: {fields[-1]} <{found.name}>\n"
        head += _values(found.schema) + "\n\n"
    text = head + "DESCRIPTION:\n" + "".join(f"{_wrapped(one, 4)}\n" for one in found.described or ("<empty>",)) + "    \n"
    if found.schema.get("properties"):
        text += "FIELDS:\n" + _fields(schemas, found.schema, 1, recursive, ()) + ("" if recursive else "\n")
        return text + ("\n" if recursive else "")
    return text + "\n"


class FieldMissing(CommandError):
    """A field that is not there: the page's head is shown all the same."""

    def __init__(self, head: str, name: str) -> None:
        super().__init__(f'field "{name}" does not exist')
        self.head = head


def _values(schema: Tree) -> str:
    found = schema.get("enum") or ()
    if not found:
        return ""
    return "ENUM:\n" + "".join(f"    {value}\n" for value in found)


def _fields(schemas: Schemas, schema: Tree, level: int, recursive: bool, above: tuple[int, ...]) -> str:
    """Each field with its type; its description, or with --recursive its own fields. A schema within itself is not repeated."""
    space = "  " * level
    text = ""
    required = set(schema.get("required") or ())
    for name in sorted(schema["properties"]):
        field = schemas.typed(schema["properties"][name])
        text += f"{space}{name}\t<{field.name}>{' -required-' if name in required else ''}\n"
        if not recursive:
            text += (
                "".join(f"    {row}\n" for row in _enum(field.schema))
                + _wrapped(" ".join(field.described[:1]) or "<no description>", 4)
                + "\n\n"
            )
        elif field.schema.get("properties") and id(field.schema) not in above:
            text += _fields(schemas, field.schema, level + 1, recursive, (*above, id(field.schema)))
    return text


def _enum(schema: Tree) -> list[str]:
    return [f"enum: {', '.join(map(str, schema['enum']))}"] if schema.get("enum") else []


def _wrapped(text: str, indent: int) -> str:
    """Paragraphs as they are, their lines filled."""
    space = " " * indent
    lines = [textwrap.wrap(part, WIDTH, break_long_words=False, break_on_hyphens=False) or [""] for part in text.split("\n")]
    return "\n".join(space + line for part in lines for line in part)
