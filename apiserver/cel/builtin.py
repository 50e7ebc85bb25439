"""Builtin: the type that a kind's definition declares, for kinds whose fields the server knows (kube/api/definitions.py).

What may be a number or a text (quantities, ports), and a type within itself (JSONSchemaProps), is dyn.
"""

from apiserver.cel import types
from apiserver.cel.schema import escape
from apiserver.cel.types import Field, Type, list_of, map_of, object_of
from kube.api import definitions
from kube.api.definitions import Type as Definition

_SCALARS = {
    definitions.STRING: types.STRING, definitions.INTEGER: types.INT, definitions.NUMBER: types.DOUBLE,
    definitions.BOOLEAN: types.BOOL, definitions.BYTES: types.BYTES, definitions.TIME: types.TIMESTAMP,
    definitions.MICRO_TIME: types.TIMESTAMP,
}  # fmt: skip


def declared(definition: Definition, name: str) -> Type:
    """`name` is what errors call the type."""
    return _type(definition, name, ())


def _type(definition: Definition, name: str, within: tuple[str, ...]) -> Type:
    if definition.form == definitions.LIST:
        return list_of(_type(definition.item, f"{name}.@idx", within))
    if definition.form == definitions.MAP:
        return map_of(types.STRING, _type(definition.item, f"{name}.@elem", within))
    if definition.form != definitions.STRUCT or (definition.name and definition.name in within):
        return _SCALARS.get(definition.form, types.DYN)
    inner = (*within, definition.name)
    fields: dict[str, Field] = {}
    for key, one in definition.fields.items():
        seen = escape(key)
        if seen is not None:
            fields[seen] = Field(_type(one, f"{name}.{key}", inner), key)
    return object_of(name, fields)
