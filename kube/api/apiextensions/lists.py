"""Lists: those of type set hold each value once, those of type map each key once.

https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy
apiextensions-apiserver pkg/apiserver/schema/listtype
"""

from collections.abc import Iterator
from typing import Any

import orjson

from kube.api.apiextensions.structural import Schema
from kube.api.apiextensions.values import item_key
from kube.api.status import FieldError, duplicate


def duplicates(value: Any, schema: Schema | None, path: str = "") -> Iterator[FieldError]:
    """Every item that is there twice, at its second place."""
    if schema is None or not schema.below.lists:
        return
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from duplicates(inner, schema.of_key(name), f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        yield from _twice(value, schema, path)
        for index, item in enumerate(value):
            yield from duplicates(item, schema.items, f"{path}[{index}]")


def _twice(value: list[Any], schema: Schema, path: str) -> Iterator[FieldError]:
    seen: set[bytes] = set()
    for index, item in enumerate(value):
        if schema.list_type == "map" and isinstance(item, dict):
            key, shown = item_key(schema, item), {name: item[name] for name in schema.map_keys if name in item}
        elif schema.list_type == "set":
            key, shown = orjson.dumps(item, option=orjson.OPT_SORT_KEYS), item
        else:
            continue
        if key in seen:
            yield duplicate(f"{path}[{index}]", shown)
        seen.add(key)
