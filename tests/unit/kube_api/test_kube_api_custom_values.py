"""Custom resources: what a schema does to a tree — prune, drop nulls, fill in, judge."""

from typing import Any

import pytest

from kube.api.apiextensions import embedded, lists, values
from kube.api.apiextensions.defaulting import fill_in
from kube.api.apiextensions.formats import FORMATS
from kube.api.apiextensions.pruning import drop_nulls, prune
from kube.api.apiextensions.structural import compiled
from kube.api.meta import Tree

TEXT, INT = {"type": "string"}, {"type": "integer"}
SPEC_URL = "https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/"


def schema(**properties: Tree) -> Tree:
    return {"type": "object", "properties": properties}


def judged(one: Tree, value: Any, old: Any = values.ABSENT) -> list[str]:
    """What is said of a value at spec.x."""
    before = values.ABSENT if old is values.ABSENT else {"spec": {"x": old}}
    return [str(error) for error in values.errors(compiled(schema(spec=schema(x=one))), {"spec": {"x": value}}, before)]


def test_unknown_fields_go_and_are_named() -> None:
    """Rule: custom-resource-definitions/#field-pruning"""
    node = compiled(schema(spec=schema(a=TEXT, items={"type": "array", "items": schema(b=INT)}, free={"type": "object"})))
    tree = {
        "apiVersion": "v1", "kind": "A", "metadata": {"any": 1},
        "spec": {"a": "x", "z": 1, "items": [{"b": 1, "y": 2}], "free": {"gone": {}}}, "status": {},
    }  # fmt: skip
    assert prune(tree, node) == ["spec.free.gone", "spec.items[0].y", "spec.z", "status"]
    assert tree["spec"] == {"a": "x", "items": [{"b": 1}], "free": {}}
    assert tree["metadata"] == {"any": 1}


def test_preserved_fields_stay_but_specified_properties_below_are_pruned() -> None:
    """Rule: custom-resource-definitions/#controlling-pruning"""
    free = {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "properties": {"known": schema(a=INT)}}
    tree = {"free": {"any": {"deep": 1}, "known": {"a": 1, "b": 2}}}
    assert prune(tree, compiled(schema(free=free))) == ["free.known.b"]
    assert tree == {"free": {"any": {"deep": 1}, "known": {"a": 1}}}


def test_maps_and_embedded_resources_keep_what_is_theirs() -> None:
    """Rule: custom-resource-definitions/#rawextension"""
    inner = {"type": "object", "x-kubernetes-embedded-resource": True, "properties": {"spec": schema(a=INT)}}
    labels = {"type": "object", "additionalProperties": TEXT}
    tree: Tree = {
        "labels": {"a": "b"},
        "inner": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {"b": 1}, "c": 1},
    }
    assert prune(tree, compiled(schema(labels=labels, inner=inner))) == ["inner.c", "inner.spec.b"]
    assert tree["labels"] == {"a": "b"}
    assert tree["inner"]["metadata"] == {"name": "x"}


def test_nulls_go_unless_they_are_values_and_defaults_take_their_place() -> None:
    """Rule: custom-resource-definitions/#defaulting-and-nullable"""
    node = compiled(schema(
        plain=TEXT, nullable={**TEXT, "nullable": True}, filled={**TEXT, "default": "d"},
        both={**TEXT, "nullable": True, "default": "d"},
    ))  # fmt: skip
    tree: Tree = {"plain": None, "nullable": None, "filled": None, "both": None}
    drop_nulls(tree, node)
    fill_in(tree, node)
    assert tree == {"nullable": None, "filled": "d", "both": None}


def test_defaults_are_filled_in_at_every_depth() -> None:
    """Rule: custom-resource-definitions/#defaulting"""
    item = schema(port={**INT, "default": 80}, name=TEXT)
    spec = {**schema(items={"type": "array", "items": item}, more={"type": "object", "additionalProperties": item}), "default": {}}
    node = compiled(schema(spec=spec))
    tree: Tree = {}
    fill_in(tree, node)
    assert tree == {"spec": {}}
    tree = {"spec": {"items": [{}, {"port": 1}], "more": {"a": {}}}}
    fill_in(tree, node)
    assert tree == {"spec": {"items": [{"port": 80}, {"port": 1}], "more": {"a": {"port": 80}}}}
    first: Tree = {}
    fill_in(first, node)
    first["spec"]["changed"] = 1
    second: Tree = {}
    fill_in(second, node)
    assert second == {"spec": {}}, "a default is copied"


@pytest.mark.parametrize(
    ("one", "value", "expected"),
    [
        (INT, "a", 'spec.x: Invalid value: "string": spec.x in body must be of type integer: "string"'),
        (INT, 1.5, 'spec.x: Invalid value: "number": spec.x in body must be of type integer: "number"'),
        (TEXT, None, 'spec.x: Invalid value: "null": spec.x in body must be of type string: "null"'),
        (TEXT, True, 'spec.x: Invalid value: "boolean": spec.x in body must be of type string: "boolean"'),
        (
            {"x-kubernetes-int-or-string": True}, True,
            'spec.x: Invalid value: "boolean": spec.x in body must be of type integer,string: "boolean"',
        ),
        ({**TEXT, "enum": ["a", "b"]}, "c", 'spec.x: Unsupported value: "c": supported values: "a", "b"'),
        ({**TEXT, "pattern": "^a+$"}, "b", "spec.x: Invalid value: \"b\": spec.x in body should match '^a+$'"),
        ({**TEXT, "minLength": 2}, "b", 'spec.x: Invalid value: "b": spec.x in body should be at least 2 chars long'),
        ({**TEXT, "maxLength": 2}, "abc", "spec.x: Too long: may not be more than 2 bytes"),
        ({**TEXT, "format": "date"}, "no", 'spec.x: Invalid value: "no": spec.x in body must be of type date: "no"'),
        ({**INT, "minimum": 1}, 0, "spec.x: Invalid value: 0: spec.x in body should be greater than or equal to 1"),
        ({**INT, "maximum": 1}, 2, "spec.x: Invalid value: 2: spec.x in body should be less than or equal to 1"),
        (
            {**INT, "maximum": 1, "exclusiveMaximum": True}, 1,
            "spec.x: Invalid value: 1: spec.x in body should be less than 1",
        ),
        ({**INT, "multipleOf": 5}, 7, "spec.x: Invalid value: 7: spec.x in body should be a multiple of 5"),
        (
            {**INT, "format": "int32"}, 2**31,
            '<nil>: Invalid value: "": Checked value must be of type integer with format int32 in spec.x',
        ),
        ({"type": "array", "maxItems": 1, "items": INT}, [1, 2], "spec.x: Too many: 2: must have at most 1 item"),
        (
            {"type": "array", "minItems": 1, "items": INT}, [],
            "spec.x: Invalid value: 0: spec.x in body should have at least 1 items",
        ),
        (
            {"type": "array", "items": INT}, [1, "a"],
            'spec.x[1]: Invalid value: "string": spec.x[1] in body must be of type integer: "string"',
        ),
        ({"type": "object", "maxProperties": 1}, {"a": 1, "b": 2}, "spec.x: Too many: 2: must have at most 1 item"),
        ({"type": "object", "required": ["a"]}, {}, "spec.x.a: Required value"),
    ],
)  # fmt: skip
def test_what_is_said_of_a_value(one: Tree, value: Any, expected: str) -> None:
    """Rule: kube-openapi pkg/validation/errors, apiextensions-apiserver pkg/apiserver/validation"""
    assert judged(one, value) == [expected]


def test_combinations_tell_what_failed_and_the_deepest_alternative() -> None:
    """Rule: kube-openapi pkg/validation/validate/schema_props.go"""
    either = {"x-kubernetes-preserve-unknown-fields": True, "oneOf": [{"required": ["a"]}, {"required": ["b"]}]}
    assert judged(either, {"a": 1}) == []
    assert judged(either, {"a": 1, "b": 1}) == [
        '<nil>: Invalid value: "": "spec.x" must validate one and only one schema (oneOf). Found 2 valid alternatives'
    ]
    assert judged(either, {})[0] == (
        '<nil>: Invalid value: "": "spec.x" must validate one and only one schema (oneOf). Found none valid'
    )
    some = {**INT, "anyOf": [{"minimum": 10}, {"maximum": 0}]}
    assert judged(some, 11) == judged(some, -1) == []
    assert judged(some, 5)[0] == '<nil>: Invalid value: "": "spec.x" must validate at least one schema (anyOf)'
    both = {**INT, "allOf": [{"minimum": 10}, {"maximum": 0}]}
    assert judged(both, 5)[-1] == '<nil>: Invalid value: "": "spec.x" must validate all the schemas (allOf). None validated'
    assert judged({**TEXT, "not": {"enum": ["a"]}}, "a") == [
        '<nil>: Invalid value: "": "spec.x" must not validate the schema (not)'
    ]


def test_what_is_as_it_was_is_tolerated() -> None:
    """Rule: KEP-4008"""
    assert judged(INT, "a", "a") == []
    assert judged(INT, "a", "b") != []
    listed = {"type": "array", "items": schema(k=TEXT, v=INT), "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"]}
    old = [{"k": "a", "v": "bad"}]
    assert judged(listed, [{"k": "b", "v": 1}, {"k": "a", "v": "bad"}], old) == []
    assert judged({**listed, "x-kubernetes-list-type": "atomic"}, [{"k": "b", "v": 1}, *old], old) != []


def test_sets_and_keyed_lists_hold_things_once() -> None:
    """Rule: apiextensions-apiserver pkg/apiserver/schema/listtype"""
    a_set = {"type": "array", "items": TEXT, "x-kubernetes-list-type": "set"}
    keyed = {"type": "array", "items": schema(k=TEXT), "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"]}
    node = compiled(schema(s=a_set, m=keyed))
    tree = {"s": ["a", "b", "a"], "m": [{"k": "x"}, {"k": "x", "other": 1}]}
    assert [str(error) for error in lists.duplicates(tree, node)] == [
        's[2]: Duplicate value: "a"',
        'm[1]: Duplicate value: {"k":"x"}',
    ]


def test_embedded_resources_have_a_kind_and_good_metadata() -> None:
    """Rule: apiextensions-apiserver pkg/apiserver/schema/objectmeta"""
    inner = {"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True}
    node = compiled(schema(spec=schema(inner=inner)))
    tree = {"spec": {"inner": {"kind": "_", "metadata": {"name": "Bad_", "unknown": 1}}}}
    assert embedded.unknown_metadata(tree, node).unknown == ["spec.inner.metadata.unknown"]
    found = [str(error) for error in embedded.errors(tree, node)]
    assert found[0] == "spec.inner.apiVersion: Required value: must not be empty"
    assert found[1].startswith(
        'spec.inner.kind: Invalid value: "_": may have mixed case, but should otherwise match: a DNS-1035 label'
    )
    assert found[2].startswith('spec.inner.metadata.name: Invalid value: "Bad_": a lowercase RFC 1123 subdomain')


@pytest.mark.parametrize(
    ("form", "good", "bad"),
    [
        ("date-time", "2026-01-02T03:04:05.678Z", "2026-01-02"), ("date", "2026-01-02", "2026-13-02"),
        ("ipv4", "10.0.0.1", "::1"), ("ipv6", "::1", "10.0.0.1"), ("cidr", "10.0.0.0/8", "10.0.0.0"),
        ("uuid", "7f4b2a54-1b1e-4c0b-9d1c-2a6f5b8e9c11", "x"), ("byte", "aGk=", "a"), ("email", "a@b.c", "a b"),
        ("duration", "1h30m", "soon"), ("hostname", "a.b.c", "a_b"), ("uri", "https://a.b/c", "no uri"),
        ("mac", "01:23:45:67:89:ab", "01:23"), ("k8s-short-name", "a-b", "a.b"), ("k8s-long-name", "a.b", "a_b"),
        ("isbn10", "0-306-40615-2", "0-306-40615-3"), ("creditcard", "4111 1111 1111 1111", "4111 1111 1111 1112"),
        ("hexcolor", "#aabbcc", "#aabbc"), ("rgbcolor", "rgb(1,2,3)", "rgb(1,2)"), ("ssn", "111-22-3333", "111"),
    ],
)  # fmt: skip
def test_formats(form: str, good: str, bad: str) -> None:
    """Rule: kube-openapi pkg/validation/strfmt"""
    assert FORMATS[form](good)
    assert not FORMATS[form](bad)
