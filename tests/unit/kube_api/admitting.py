"""What the API server does with an object between decoding and storing, for tests that speak YAML."""

from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import yaml

from kube.api import schema, table
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.resources import resource_for_kind
from kube.api.views import lenient_view

NOW = datetime(2026, 1, 1, 1, tzinfo=UTC)


def seen(row: Resource, made: Tree) -> Any:
    """As the row's rules are given it."""
    return made if row.validates_trees else lenient_view(row.view, made)


def row_of(tree: Tree) -> Resource:
    row = resource_for_kind(tree["apiVersion"], tree["kind"])
    assert row is not None, f"{tree['apiVersion']} {tree['kind']}"
    return row


def tree(text: str) -> Tree:
    made: Tree = yaml.safe_load(text)
    metadata = made.setdefault("metadata", {})
    for field, value in (("name", "x"), ("namespace", "d"), ("uid", "u"), ("creationTimestamp", "2026-01-01T00:00:00Z")):
        metadata.setdefault(field, value)
    found = schema.problems(row_of(made), made)
    assert not found.unknown
    assert not found.wrong_types
    return made


def new(text: str) -> Tree:
    """As it would be stored by a create."""
    made = tree(text)
    row = row_of(made)
    row.set_defaults(made)
    row.prepare(made, None)
    return made


def complaints(text: str, old: str = "") -> list[str]:
    """What validation says of a create, or of an update of `old`."""
    made = new(text)
    row = row_of(made)
    if not old:
        return [str(error) for error in row.validate(seen(row, made), None)]
    before = new(old)
    made = tree(text)
    row.set_defaults(made)
    if "status" in before:
        made["status"] = deepcopy(before["status"])
    row.prepare(made, before)
    return [str(error) for error in row.validate(seen(row, made), seen(row, before))]


def cells(text: str) -> list[Any]:
    """Its row in a table, without the name where the table puts it."""
    made = tree(text)
    row = row_of(made)
    return list(table.table(row, [made], now=NOW)["rows"][0]["cells"])


def shown(text: str) -> dict[str, Any]:
    """The cells by the names of their columns."""
    made = tree(text)
    found = table.table(row_of(made), [made], now=NOW)
    names = [one["name"] for one in found["columnDefinitions"]]
    return dict(zip(names, found["rows"][0]["cells"], strict=True))


def core(kind: str, more: str = "spec: {}") -> str:
    return f"{{apiVersion: v1, kind: {kind}, {more}}}"
