"""Columns: what `kubectl get` shows of a custom resource, and the fields that selectors may name; both by JSONPath.

Without additionalPrinterColumns the age is shown. A cell that finds nothing, or a value of another type than the column's, is null.
https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#additional-printer-columns
KEP-4358 (selectable fields) · apiextensions-apiserver pkg/registry/customresource/tableconvertor
"""

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import orjson

from kube.api import duration
from kube.api.apiextensions.jsonpath import JsonPath
from kube.api.meta import Tree
from kube.api.resource import Column
from kube.api.table import CREATED_AT

TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}([.,]\d+)?(Z|[+-]\d{2}:\d{2})", re.ASCII)  # RFC 3339
AGE: Tree = {"name": "Age", "type": "date", "description": CREATED_AT, "jsonPath": ".metadata.creationTimestamp"}


def printed(version: Tree) -> tuple[Column, ...]:
    """The columns of one version of a definition."""
    return tuple(_column(one) for one in version.get("additionalPrinterColumns") or (AGE,))


def selectable(version: Tree) -> dict[str, Callable[[Tree], str]]:
    """The fields that selectors may name, without the leading dot, and their values as text."""
    paths = [one["jsonPath"] for one in version.get("selectableFields") or ()]
    return {path.removeprefix("."): _text_at(JsonPath(path)) for path in paths}


def _column(told: Tree) -> Column:
    path, kind = JsonPath(told["jsonPath"]), told["type"]

    def value(tree: Tree, now: datetime) -> Any:
        return cell(kind, path.find(tree), now)

    return Column(
        told["name"], value, kind, told.get("format") or "", told.get("priority") or 0, told.get("description") or "", empty=None
    )


def cell(kind: str, found: Iterable[Any], now: datetime) -> Any:
    """The first value found, as a column of this type shows it; None: nothing."""
    value = next(iter(found), None)
    if value is None:
        return None
    match kind:
        case "integer":
            return int(value) if _is_number(value) else None
        case "number":
            return value if _is_number(value) else None
        case "boolean":
            return value if isinstance(value, bool) else None
        case "date":
            return _age(value, now) if isinstance(value, str) else None
    return as_text(value)


def as_text(value: Any) -> str:
    """As JSONPath templates print it."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _age(text: str, now: datetime) -> str:
    if TIME.fullmatch(text) is None:
        return "<invalid>"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return "<invalid>"
    return duration.human((now - moment).total_seconds())


def _text_at(path: JsonPath) -> Callable[[Tree], str]:
    def value(tree: Tree) -> str:
        found = path.first(tree)
        return "" if found is None or isinstance(found, dict | list) else as_text(found)

    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
