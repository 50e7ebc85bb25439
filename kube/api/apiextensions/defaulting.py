"""Defaulting: a field that is missing, or null where null is no value, gets its default; so do fields inside defaults.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#defaulting
apiextensions-apiserver pkg/apiserver/schema/defaulting
"""

from typing import Any

import orjson

from kube.api.apiextensions.structural import NO_DEFAULT, Schema


def fill_in(value: Any, schema: Schema | None) -> None:
    """Fill in the defaults, in place."""
    if schema is None or not schema.below.defaults:
        return
    if isinstance(value, dict):
        for name, one in schema.properties.items():
            if one.default is not NO_DEFAULT and (name not in value or _is_no_value(value[name], one)):
                value[name] = _copy(one.default)
        for name, inner in value.items():
            one = schema.of_key(name)
            if one is None:
                continue
            if one.default is not NO_DEFAULT and _is_no_value(inner, one):
                value[name] = inner = _copy(one.default)
            fill_in(inner, one)
    elif isinstance(value, list) and schema.items is not None:
        for index, item in enumerate(value):
            if schema.items.default is not NO_DEFAULT and _is_no_value(item, schema.items):
                value[index] = _copy(schema.items.default)
            fill_in(value[index], schema.items)


def _is_no_value(value: Any, schema: Schema) -> bool:
    return value is None and not schema.nullable


def _copy(value: Any) -> Any:
    return orjson.loads(orjson.dumps(value)) if isinstance(value, dict | list) else value
