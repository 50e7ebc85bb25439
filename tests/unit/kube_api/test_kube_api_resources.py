"""The table of kinds is whole, and each row keeps the promises that generic code relies on."""

import importlib
import pkgutil
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime
from types import ModuleType

import pytest

import kube.api
from kube.api import schema, table
from kube.api.definitions import of
from kube.api.meta import Tree
from kube.api.metadata import metadata_errors
from kube.api.resource import Resource
from kube.api.resources import RESOURCES, resource_for, resource_for_kind, resource_of
from kube.api.types import Pod
from tests.unit.kube_api.admitting import seen

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _modules() -> Iterator[ModuleType]:
    for package in pkgutil.iter_modules(kube.api.__path__):
        if not package.ispkg:
            continue
        for one in pkgutil.iter_modules([f"{kube.api.__path__[0]}/{package.name}"]):
            yield importlib.import_module(f"kube.api.{package.name}.{one.name}")


def test_every_row_in_the_folders_is_named_in_resources() -> None:
    for module in _modules():
        rows = [*getattr(module, "RESOURCES", ()), *([module.RESOURCE] if hasattr(module, "RESOURCE") else [])]
        for row in rows:
            assert row in RESOURCES, f"{module.__name__} has a row that RESOURCES does not name"


def test_every_kind_has_one_row() -> None:
    assert len({(row.group, row.version, row.kind) for row in RESOURCES}) == len(RESOURCES)
    assert len({(row.group, row.version, row.plural) for row in RESOURCES}) == len(RESOURCES)


@pytest.mark.parametrize("row", RESOURCES, ids=lambda row: f"{row.api_version}/{row.kind}")
def test_every_row_has_a_schema(row: Resource) -> None:
    assert of(row) is not None
    assert row.view is not None


def _bare(row: Resource) -> Tree:
    return {"apiVersion": row.api_version, "kind": row.kind, "metadata": {"name": "x", "namespace": "d", "uid": "u"}}


@pytest.mark.parametrize("row", RESOURCES, ids=lambda row: f"{row.api_version}/{row.kind}")
@pytest.mark.parametrize("content", [{}, {"spec": {}}, {"spec": {}, "status": {}}], ids=("bare", "spec", "status"))
def test_hooks_take_an_object_that_lacks_everything(row: Resource, content: Tree) -> None:
    tree = {**_bare(row), **content}
    schema.problems(row, tree)
    row.set_defaults(tree)
    once = deepcopy(tree)
    row.set_defaults(tree)
    assert tree == once, "defaults are set once"
    row.prepare(tree, None)
    found = schema.problems(row, deepcopy(tree))
    assert not found.unknown
    assert not found.wrong_types
    given = seen(row, tree)
    assert all(str(error) for error in row.validate(given, None))
    list(row.validate(given, given))
    list(row.validate_status(given, given))
    list(row.warnings(given, None))
    assert not list(metadata_errors(resource_of(Pod), {"metadata": {"name": "x", "namespace": "d"}}))
    assert row.row_conditions(tree) == []
    assert row.held(tree) in (True, False)
    row.mark_deleted(tree)
    assert row.grace_seconds({"spec": {}}, None) >= 0
    assert all(isinstance(getter(tree), str) for getter in row.field_selectors.values())


@pytest.mark.parametrize("row", RESOURCES, ids=lambda row: f"{row.api_version}/{row.kind}")
def test_a_table_has_a_cell_for_each_column(row: Resource) -> None:
    made = table.table(row, [], now=NOW)
    assert made["columnDefinitions"][0]["name"] in ("Name", "Last Seen")
    assert made["rows"] == []


@pytest.mark.parametrize("row", RESOURCES, ids=lambda row: f"{row.api_version}/{row.kind}")
def test_what_is_found_valid_can_be_shown(row: Resource) -> None:
    tree = _bare(row)
    row.set_defaults(tree)
    if not list(row.validate(seen(row, tree), None)):
        assert len(table.table(row, [tree], now=NOW)["rows"]) == 1


def test_rows_are_found_by_class_by_path_and_by_kind() -> None:
    row = resource_of(Pod)
    assert row is resource_for("", "v1", "pods")
    assert row is resource_for_kind("v1", "Pod")
    assert resource_for("", "v1", "podz") is None
    assert resource_for_kind("v2", "Pod") is None


def test_paths() -> None:
    pods, deployments, nodes = (
        resource_of(Pod), resource_for("apps", "v1", "deployments"), resource_for("", "v1", "nodes"),
    )  # fmt: skip
    assert pods.path("ns", "p", "log") == "/api/v1/namespaces/ns/pods/p/log"
    assert pods.path() == "/api/v1/pods"
    assert deployments.path("ns", "d") == "/apis/apps/v1/namespaces/ns/deployments/d"
    assert nodes.path("ignored", "n") == "/api/v1/nodes/n"
    assert deployments.qualified == "deployments.apps"
    assert pods.qualified == "pods"
    assert resource_for("", "v1", "endpoints").singular_name == "endpoints"
    assert pods.singular_name == "pod"


@pytest.mark.parametrize("row", [row for row in RESOURCES if row.view_tree], ids=lambda row: row.api_version)
def test_another_version_of_a_stored_kind_goes_there_and_back(row: Resource) -> None:
    tree = {**_bare(row), "type": "Normal"} if row.kind == "Event" else {**_bare(row), "spec": {"maxReplicas": 3}}
    if row.kind == "Event":
        tree |= {"regarding": {"kind": "Pod", "name": "p"}, "note": "hello"}
    row.set_defaults(tree)
    assert row.view_tree(row.stored_tree(deepcopy(tree))) == tree
