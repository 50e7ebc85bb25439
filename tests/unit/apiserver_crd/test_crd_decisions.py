"""Pure decisions: names and conditions, what a conversion may change, the served form of stored bytes."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from apiserver.crd import conditions, conversion
from apiserver.crd.conversion import ConversionFailed, Converter
from apiserver.crd.forms import Form
from apiserver.crd.rows import rows_of
from apiserver.storage import codec
from apiserver.storage.entry import Entry
from kube.api.apiextensions.columns import cell
from kube.api.apiextensions.structural import compiled
from kube.api.apiextensions.structure import structure_of
from kube.api.meta import Tree
from kube.api.patch import structured

NOW, LATER = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"


def definition(name: str, **names: Any) -> Tree:
    called = {"plural": name, "singular": name[:-1], "kind": name[:-1].capitalize(), "listKind": f"{name[:-1].capitalize()}List"}
    return {"metadata": {"name": f"{name}.a.b"}, "spec": {"group": "a.b", "names": {**called, **names}}, "status": {}}


def told(tree: Tree) -> dict[str, tuple[str, str]]:
    return {one["type"]: (one["status"], one["reason"]) for one in tree["status"]["conditions"]}


def test_free_names_are_accepted_and_establish() -> None:
    """Rule: apiextensions-apiserver pkg/controller/status/naming_controller.go"""
    tree = definition("foos", shortNames=["f"], categories=["all"])
    conditions.named(tree, [], NOW)
    assert tree["status"]["acceptedNames"] == tree["spec"]["names"]
    assert told(tree) == {"NamesAccepted": ("True", "NoConflicts"), "Established": ("True", "InitialNamesAccepted")}
    again = orjson.loads(orjson.dumps(tree))
    conditions.named(again, [], LATER)
    assert again == tree, "nothing changes the second time, times included"


@pytest.mark.parametrize(
    ("names", "reason", "message"),
    [
        ({"singular": "foo"}, "SingularConflict", '"foo" is already in use'),
        ({"kind": "Foo"}, "KindConflict", '"Foo" is already in use'),
        ({"listKind": "FooList"}, "ListKindConflict", '"FooList" is already in use'),
        ({"shortNames": ["f", "b"]}, "ShortNamesConflict", '"f" is already in use'),
        ({"shortNames": ["f", "foo"]}, "ShortNamesConflict", '["f" is already in use, "foo" is already in use]'),
        ({"shortNames": ["f"], "kind": "Foo"}, "KindConflict", '"Foo" is already in use'),
    ],
)
def test_taken_names_are_not(names: Tree, reason: str, message: str) -> None:
    """The others of its names it gets; what it had it keeps.

    Rule: apiextensions-apiserver pkg/controller/status/naming_controller.go
    """
    first = definition("foos", shortNames=["f"])
    conditions.named(first, [], NOW)
    second = definition("bars", **names)
    conditions.named(second, [first], NOW)
    assert told(second) == {"NamesAccepted": ("False", reason), "Established": ("False", "NotAccepted")}
    assert second["status"]["conditions"][0]["message"] == message
    assert second["status"]["acceptedNames"]["plural"] == "bars"
    conditions.named(first, [second], LATER)
    assert told(first)["NamesAccepted"][0] == "True"


def test_established_is_for_ever() -> None:
    """Rule: apiextensions-apiserver pkg/controller/establish"""
    tree = definition("foos")
    conditions.named(tree, [], NOW)
    other = definition("bars", shortNames=["x"])
    conditions.named(other, [], NOW)
    tree["spec"]["names"]["shortNames"] = ["x"]
    conditions.named(tree, [other], LATER)
    assert told(tree) == {"NamesAccepted": ("False", "ShortNamesConflict"), "Established": ("True", "InitialNamesAccepted")}


def stored(**fields: Any) -> Tree:
    return {"apiVersion": "a.b/v1", "kind": "Foo", "metadata": {"name": "x", "uid": "u", "labels": {"a": "b"}}, **fields}


def test_a_conversion_may_change_labels_and_annotations_only() -> None:
    """Rule: custom-resource-definition-versioning/#response"""
    before = stored()
    after = {**stored(), "apiVersion": "a.b/v2", "metadata": {"name": "x", "uid": "u", "labels": {"c": "d"}, "generation": 7}}
    assert conversion.unlike(before, after, "a.b/v2") is None
    conversion.keep_metadata(before, after)
    assert after["metadata"] == {"name": "x", "uid": "u", "labels": {"c": "d"}}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"apiVersion": "a.b/v1"}, "invalid groupVersion (expected a.b/v2, received a.b/v1)"),
        ({"kind": "Bar"}, "must have the same kind: Foo != Bar"),
        ({"metadata": {"name": "y", "uid": "u"}}, "must have the same name: x != y"),
        ({"metadata": {"name": "x", "uid": "v"}}, "must have the same UID: u != v"),
    ],
)
def test_what_is_another_object_is_refused(change: Tree, why: str) -> None:
    """Rule: apiextensions-apiserver pkg/apiserver/conversion/webhook_converter.go"""
    assert conversion.unlike(stored(), {**stored(), "apiVersion": "a.b/v2", **change}, "a.b/v2") == why


def test_a_version_that_is_no_more_cannot_be_read() -> None:
    """Rule: apiextensions-apiserver pkg/apiserver/conversion/converter.go"""
    converter = Converter("a.b", frozenset(("a.b/v2",)))
    with pytest.raises(ConversionFailed, match=r"request to convert CR from an invalid group/version: a.b/v1"):
        asyncio.run(converter.convert([stored()], "a.b/v2"))


def test_an_entry_is_formed_once_and_is_itself_where_nothing_changes() -> None:
    """Rule: docs/concepts/custom-resources.md (Cost)"""
    schemas = {
        "a.b/v1": compiled({"type": "object", "properties": {"n": {"type": "integer", "default": 1}}}),
        "a.b/v2": compiled({"type": "object", "properties": {"n": {"type": "integer"}}}),
    }
    converter = Converter("a.b", frozenset(schemas))
    first, second = (Form(version, "a.b/v1", schemas, converter) for version in schemas)
    bare, whole = (Entry(name, codec.served(codec.encode(tree), 5), 5) for name, tree in (("x", stored()), ("y", stored(n=2))))

    async def scenario() -> None:
        made, same = await first.entries([bare, whole])
        assert made.tree() == {**stored(n=1), "metadata": {**stored()["metadata"], "resourceVersion": "5"}}
        assert same is whole
        assert (await first.entries([bare]))[0] is made
        [other] = await second.entries([bare])
        assert (other.tree()["apiVersion"], other.tree()["n"]) == ("a.b/v2", 1)
        tree = {**stored(n=3), "apiVersion": "a.b/v2"}
        assert await second.stored(tree) == stored(n=3)
        assert tree["apiVersion"] == "a.b/v2", "the caller's tree is left alone"

    asyncio.run(scenario())


def test_a_key_that_an_item_leaves_out_is_its_default() -> None:
    """So the item is the same before and after its defaults were filled in, and nobody else's apply conflicts with it.

    Rule: https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy
    """
    text = {"type": "string"}
    item = {"type": "object", "required": ["name"], "properties": {"name": text, "way": {**text, "default": "in"}}}
    ports = {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name", "way"], "items": item}
    kind = structure_of(compiled({"type": "object", "properties": {"ports": ports}}))
    left_out, filled_in = {"ports": [{"name": "a"}]}, {"ports": [{"name": "a", "way": "in"}]}
    assert list(structured.fields_of(kind, left_out).below["f:ports"].members) == ['k:{"name":"a","way":"in"}']
    assert structured.merge(kind, filled_in, left_out) == filled_in


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("date", "2026-01-01T00:00:00Z", "3h"), ("date", "2026-01-01T04:00:00+02:00", "60m"), ("date", "2026-01-01", "<invalid>"),
        ("date", 5, None), ("integer", 3.9, 3), ("integer", "3", None), ("integer", True, None), ("number", 1.5, 1.5),
        ("boolean", True, True), ("boolean", "true", None), ("string", 3, "3"), ("string", ["a"], '["a"]'), ("string", None, None),
    ],
)  # fmt: skip
def test_a_cell_shows_what_is_of_its_columns_type(kind: str, value: object, shown: object) -> None:
    """Rule: apiextensions-apiserver pkg/registry/customresource/tableconvertor"""
    assert cell(kind, [value], datetime(2026, 1, 1, 3, tzinfo=UTC)) == shown


def test_a_deprecated_version_says_so() -> None:
    """Its own words, or upstream's.

    Rule: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/#version-deprecation
    """

    def told(**version: object) -> str:
        schema = {"openAPIV3Schema": {"type": "object"}}
        versions = [{"name": "v1", "served": True, "storage": True, "schema": schema, **version}]
        names = {"plural": "kettles", "kind": "Kettle"}
        spec = {"group": "a.b", "scope": "Namespaced", "names": names, "versions": versions}
        [row] = rows_of({"metadata": {"name": "kettles.a.b"}, "spec": spec, "status": {"acceptedNames": names}}, None)
        return row.deprecation

    assert told() == ""
    assert told(deprecated=True) == "a.b/v1 Kettle is deprecated"
    assert told(deprecated=True, deprecationWarning="use tea") == "use tea"
