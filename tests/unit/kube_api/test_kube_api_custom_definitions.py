# ruff: noqa: E501  (upstream's words stand on one line each)
"""Definitions of custom resources: what they may say, and where columns and selectors find things."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from kube.api.apiextensions import columns, customresourcedefinition, definition_rules, schema_rules, version_rules
from kube.api.apiextensions.jsonpath import JsonPath, PathError
from kube.api.meta import Tree

ROOT = "schema"
TEXT = {"type": "string"}
LIST, KEYS, MAP = "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type"
FREE, EMBEDDED, EITHER = "x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource", "x-kubernetes-int-or-string"


def said(schema: Tree) -> list[str]:
    return [str(error) for error in schema_rules.errors(schema, ROOT)]


def root(**properties: Tree) -> Tree:
    return {"type": "object", "properties": properties}


def definition(**spec: Any) -> Tree:
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
    tree: Tree = {
        "metadata": {"name": "foos.a.example.com"},
        "spec": {
            "group": "a.example.com", "scope": "Namespaced", "names": {"plural": "foos", "kind": "Foo"}, "versions": [version], **spec,
        },
    }  # fmt: skip
    customresourcedefinition.set_defaults(tree)
    customresourcedefinition.prepare(tree, None)
    return tree


def objections(new: Tree, old: Tree | None = None) -> list[str]:
    return [str(error) for error in definition_rules.errors(new, old)]


def copied(tree: Tree) -> Tree:
    made: Tree = orjson.loads(orjson.dumps(tree))
    return made


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({}, ["schema.type: Required value: must not be empty at the root"]),
        ({"type": "string"}, ['schema.type: Invalid value: "string": must be object at the root']),
        (root(a={}), ["schema.properties[a].type: Required value: must not be empty for specified object fields"]),
        (
            root(a={"type": "array", "items": {}}),
            ["schema.properties[a].items.type: Required value: must not be empty for specified array items"],
        ),
        (root(a={"type": "array"}), ["schema.properties[a].items: Required value: must be specified"]),
        (
            root(a={**TEXT, "uniqueItems": True}),
            ["schema.properties[a].uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic"],
        ),
        (
            root(a={"type": "object", "properties": {"b": TEXT}, "additionalProperties": TEXT}),
            ["schema.properties[a].additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive"],
        ),
        (root(a={**TEXT, "$ref": "#/x"}), ["schema.properties[a].$ref: Forbidden: $ref is not supported"]),
        (
            root(a={"type": "null"}),
            ["schema.properties[a].type: Forbidden: type cannot be set to null, use nullable as an alternative"],
        ),
        (root(a={EITHER: True, "type": "string", FREE: True}), [f"schema.properties[a].{FREE}: Invalid value: true: must be false if {EITHER} is true"]),
        (
            root(a={EMBEDDED: True, "type": "object"}),
            ["schema.properties[a].properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields"],
        ),
        (
            root(a={**TEXT, "anyOf": [{"type": "string"}]}),
            ["schema.properties[a].anyOf[0].type: Forbidden: must be empty to be structural"],
        ),
        (
            {**root(a=TEXT), "oneOf": [{"required": ["a"]}, {"properties": {"b": {"minLength": 1}}}]},
            ["schema.properties[b]: Required value: because it is defined in schema.oneOf[1].properties[b]"],
        ),
        (
            root(metadata={"type": "object", "properties": {"labels": {"type": "object"}}}),
            ["schema.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified"],
        ),
        (
            root(a={"type": "object", LIST: "map"}),
            ["schema.properties[a].type: Invalid value: \"object\": must be array if x-kubernetes-list-type is specified",
             "schema.properties[a].x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map",
             "schema.properties[a].items: Required value: must have a schema if x-kubernetes-list-type is map"],
        ),
        (
            root(a={"type": "array", LIST: "map", KEYS: ["k"], "items": root(k=TEXT)}),
            ["schema.properties[a].items.properties[k].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"],
        ),
        (
            root(a={"type": "array", LIST: "set", "items": {"type": "object"}}),
            ["schema.properties[a].items.x-kubernetes-map-type: Required value: must be atomic as item of a list with x-kubernetes-list-type=set"],
        ),
        (root(a={**TEXT, "default": 1}), ['schema.properties[a].default: Invalid value: "integer":  in body must be of type string: "integer"']),
        (
            root(a={**root(b=TEXT), "default": {"c": 1}}),
            ['schema.properties[a].default: Invalid value: {"c":1}: must not have unknown fields'],
        ),
        (root(a={**TEXT, "pattern": "("}), ['schema.properties[a].pattern: Invalid value: "(": must be a valid regular expression, but isn\'t: error parsing regexp: missing ): (']),
    ],
)  # fmt: skip
def test_what_is_said_of_a_schema(schema: Tree, expected: list[str]) -> None:
    """Rule: apiextensions-apiserver pkg/apiserver/schema/validation.go"""
    assert said(schema) == expected


def test_good_schemas_pass() -> None:
    """Rule: custom-resource-definitions/#specifying-a-structural-schema"""
    either = {EITHER: True, "anyOf": [{"type": "integer"}, {"type": "string"}]}
    again = {EITHER: True, "allOf": [{"anyOf": [{"type": "integer"}, {"type": "string"}]}, {"pattern": "x"}]}
    keyed = {"type": "array", LIST: "map", KEYS: ["k"], "items": {**root(k=TEXT), "required": ["k"]}}
    free, inner = {"type": "object", FREE: True}, {"type": "object", EMBEDDED: True, FREE: True}
    name = {"type": "object", "properties": {"name": {**TEXT, "maxLength": 5}}}
    assert said(root(either=either, again=again, keyed=keyed, free=free, inner=inner, metadata=name)) == []


def test_a_good_definition_passes() -> None:
    """Rule: custom-resource-definition-v1"""
    assert objections(definition()) == []


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"group": "single"}, 'spec.group: Invalid value: "single": should be a domain with at least one dot'),
        ({"scope": "World"}, 'spec.scope: Unsupported value: "World": supported values: "Cluster", "Namespaced"'),
        ({"names": {"plural": "foos", "kind": "Foo", "listKind": "Foo"}}, 'spec.names.listKind: Invalid value: "Foo": kind and listKind may not be the same'),
        ({"names": {"plural": "foos", "kind": "F_o"}}, 'spec.names.kind: Invalid value: "F_o": may have mixed case, but should otherwise match'),
        ({"names": {"plural": "bars", "kind": "Foo"}}, 'metadata.name: Invalid value: "foos.a.example.com": must be spec.names.plural+"."+spec.group'),
        ({"preserveUnknownFields": True}, "spec.preserveUnknownFields: Invalid value: true: cannot set to true"),
        ({"conversion": {"strategy": "Webhook"}}, "spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook"),
        ({"conversion": {"strategy": "None", "webhook": {"clientConfig": {"url": "x"}}}}, "spec.conversion.webhookClientConfig: Forbidden: should not be set when strategy is not set to Webhook"),
        ({"versions": [{"name": "v1", "served": True, "storage": False, "schema": {"openAPIV3Schema": {"type": "object"}}}]}, "must have exactly one version marked as storage version"),
        ({"versions": [{"name": "v1", "served": True, "storage": True}]}, "spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required"),
    ],
)  # fmt: skip
def test_what_is_said_of_a_definition(spec: Tree, expected: str) -> None:
    """Rule: apiextensions-apiserver pkg/apis/apiextensions/validation/validation.go"""
    assert any(expected in text for text in objections(definition(**spec)))


def test_some_things_stay_as_they_were() -> None:
    """Scope and kind once it is established; a version in which objects may be stored.

    Rule: ValidateCustomResourceDefinitionUpdate
    """
    old = definition()
    old["status"]["conditions"] = [{"type": "Established", "status": "True"}]
    new = copied(old)
    new["spec"] |= {"scope": "Cluster", "names": {**new["spec"]["names"], "kind": "Bar", "listKind": "BarList"}}
    new["spec"]["versions"][0]["name"] = "v2"
    customresourcedefinition.prepare(new, old)
    assert objections(new, old) == [
        'status.storedVersions[0]: Invalid value: "v1": must appear in spec.versions',
        'spec.scope: Invalid value: "Cluster": field is immutable',
        'spec.names.kind: Invalid value: "Bar": field is immutable',
    ]


def test_a_schema_that_was_wrong_before_is_tolerated_until_it_changes() -> None:
    """Rule: ratcheting of definitions"""
    old = definition()
    old["spec"]["versions"][0]["schema"]["openAPIV3Schema"] = root(a={})
    new = copied(old)
    new["metadata"]["labels"] = {"a": "b"}
    assert objections(new, old) == []
    new["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["description"] = "changed"
    assert len(objections(new, old)) == 1


def test_kubernetes_own_groups_need_an_approval() -> None:
    """Rule: KEP-1111"""
    tree = definition(group="a.k8s.io")
    tree["metadata"]["name"] = "foos.a.k8s.io"
    [text] = objections(tree)
    assert text.startswith("metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval")
    tree["metadata"]["annotations"] = {"api-approved.kubernetes.io": "unapproved, experimental"}
    assert objections(tree) == []
    assert definition_rules.approval_of(tree["metadata"]["annotations"])[:2] == ("False", "UnapprovedAnnotation")
    assert definition_rules.approval_of({"api-approved.kubernetes.io": "https://a.b/c"})[:2] == ("True", "ApprovedAnnotation")


def test_what_is_said_of_subresources_columns_and_selectable_fields() -> None:
    """Rule: apiextensions-apiserver pkg/apis/apiextensions/validation/validation.go"""
    scale = {"specReplicasPath": ".status.x", "statusReplicasPath": "x"}
    assert [str(error) for error in version_rules.subresource_errors({"scale": scale}, "s")] == [
        's.scale.specReplicasPath: Invalid value: ".status.x": should be a json path under .spec',
        's.scale.statusReplicasPath: Invalid value: "x": must be a simple json path starting with .',
    ]
    column = {"name": "A", "type": "text", "jsonPath": ""}
    assert [str(error) for error in version_rules.column_errors(column, "c")] == [
        'c.type: Invalid value: "text": must be one of boolean,date,integer,number,string',
        "c.jsonPath: Required value",
    ]
    schema = root(spec=root(a=TEXT, list={"type": "array"}))
    fields = [{"jsonPath": ".spec.a"}, {"jsonPath": ".spec.b"}, {"jsonPath": ".spec.list"}, {"jsonPath": ".spec.a"}]
    assert [str(error) for error in version_rules.selectable_field_errors(fields, schema, "f")] == [
        'f[1].jsonPath: Invalid value: ".spec.b": is an invalid path: does not refer to a valid field: b',
        'f[2].jsonPath: Invalid value: ".spec.list": must point to a field of type string, boolean or integer. '
        "Enum string fields and strings with formats are allowed.",
        'f[3].jsonPath: Duplicate value: ".spec.a"',
    ]


TREE = {"spec": {"a.b": 1, "list": [{"t": "R", "s": "yes", "n": 1}, {"t": "S", "s": "no", "n": 2}]}}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (r".spec.a\.b", [1]), (".spec['a.b']", [1]), (".spec.list[*].s", ["yes", "no"]), (".spec.list[0].s", ["yes"]),
        (".spec.list[-1:].s", ["no"]), ('.spec.list[?(@.t=="S")].s', ["no"]), (".spec.list[?(@.n>1)].t", ["S"]),
        ("..s", ["yes", "no"]), (".spec.list[5].s", []), (".nope.s", []), (".spec.list[?(@.x)].s", []),
    ],
)  # fmt: skip
def test_json_paths(path: str, found: list[Any]) -> None:
    """Rule: https://kubernetes.io/docs/reference/kubectl/jsonpath/"""
    assert list(JsonPath(path).find(TREE)) == found


def test_a_text_that_is_no_path_says_so() -> None:
    """Rule: https://kubernetes.io/docs/reference/kubectl/jsonpath/"""
    for text in (".spec[", "spec", ".a[?(@.b==x)]"):
        with pytest.raises(PathError):
            JsonPath(text)


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("string", {"a": 1}, '{"a":1}'), ("string", True, "true"), ("string", None, None), ("integer", 3, 3),
        ("integer", "3", None), ("number", 1.5, 1.5), ("boolean", False, False), ("date", "2026-01-01T00:00:00Z", "5d"),
        ("date", "soon", "<invalid>"),
    ],
)  # fmt: skip
def test_cells(kind: str, value: Any, shown: Any) -> None:
    """Rule: apiextensions-apiserver pkg/registry/customresource/tableconvertor"""
    assert columns.cell(kind, [value], datetime(2026, 1, 6, tzinfo=UTC)) == shown
