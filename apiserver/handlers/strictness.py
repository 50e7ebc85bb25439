"""Strictness: what is told of fields that are unknown or came twice, and in which order. Pure.

    a built-in kind in JSON      as the document has them; of an unknown field it is not told that it came twice
    in YAML, and after a patch   what came twice; then the unknown fields by name
    custom resources             what came twice; then the unknown fields as their schema finds them

Each is told once. https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation · sigs.k8s.io/json
"""

import json
from collections.abc import Collection, Iterator
from typing import Any


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with each of its pairs."""


def duplicates(data: bytes) -> list[str]:
    return in_document_order(data, ())


def in_document_order(data: bytes, unknown: Collection[str]) -> list[str]:
    """What is to be said of a JSON text, whose unknown fields have these paths."""
    root = json.loads(data.decode("utf-8", "replace"), object_pairs_hook=_Pairs, parse_int=float)  # whatever a number's length
    return list(dict.fromkeys(_walk(root, "", unknown)))


def by_name(came_twice: list[str], unknown: list[str]) -> list[str]:
    return came_twice + unknown_fields(sorted(unknown))


def unknown_fields(paths: list[str]) -> list[str]:
    return list(dict.fromkeys(f'unknown field "{path}"' for path in paths))


def in_go_yaml_words(came_twice: list[str]) -> str:
    """All that came twice, as go-yaml tells of it at once."""
    return "yaml: unmarshal errors:\n  " + "\n  ".join(came_twice)


def _walk(value: Any, path: str, unknown: Collection[str]) -> Iterator[str]:
    if isinstance(value, _Pairs):
        seen = set()
        for name, child in value:
            where = f"{path}.{name}" if path else name
            if where in unknown:
                yield f'unknown field "{where}"'
                continue
            if name in seen:
                yield f'duplicate field "{where}"'
            seen.add(name)
            yield from _walk(child, where, unknown)
    elif isinstance(value, list):
        for place, child in enumerate(value):
            yield from _walk(child, f"{path}[{place}]", unknown)
