"""Rules in CEL: what they say of objects, and what is said of rules."""

from typing import Any

import pytest

from apiserver.crd.definition import expression_errors
from apiserver.crd.expressions import Rules
from kube.api.apiextensions.structural import compiled
from kube.api.meta import Tree

INT, TEXT = {"type": "integer"}, {"type": "string", "maxLength": 20}
ROOT = "spec.versions[0].schema.openAPIV3Schema"


def told(schema: Tree, new: Tree, old: Tree | None = None) -> list[str]:
    return [str(error) for error in Rules(compiled(schema)).errors(new, old)]


def with_rules(*rules: Tree, **properties: Tree) -> Tree:
    spec = {"type": "object", "properties": properties, "x-kubernetes-validations": list(rules)}
    return {"type": "object", "properties": {"spec": spec}}


def spec(**values: Any) -> Tree:
    return {"apiVersion": "a.b/v1", "kind": "A", "metadata": {"name": "x"}, "spec": values}


def test_a_failed_rule_is_told_by_itself_its_message_or_its_message_expression() -> None:
    """Rule: KEP-2876 (message, messageExpression)"""
    rule = {"rule": "self.a <= self.b"}
    schema = with_rules(
        rule, {**rule, "message": "a first"}, {**rule, "messageExpression": "'a is ' + string(self.a)"}, a=INT, b=INT
    )  # fmt: skip
    assert told(schema, spec(a=2, b=1)) == [
        "spec: Invalid value: failed rule: self.a <= self.b",
        "spec: Invalid value: a first",
        "spec: Invalid value: a is 2",
    ]
    assert told(schema, spec(a=1, b=1)) == []


def test_reason_and_field_path_say_where_and_what_it_is() -> None:
    """Rule: KEP-3716 (reason, fieldPath)"""
    schema = with_rules(
        {"rule": "self.a > 1", "message": "no", "reason": "FieldValueForbidden", "fieldPath": ".a"},
        {"rule": "self.a > 1", "message": "no", "reason": "FieldValueRequired", "fieldPath": ".a"},
        {"rule": "self.a > 1", "message": "no", "reason": "FieldValueDuplicate", "fieldPath": ".a"},
        a=INT,
    )
    assert told(schema, spec(a=0)) == [
        "spec.a: Forbidden: no",
        "spec.a: Required value: no",
        "spec.a: Duplicate value",
    ]


def test_transition_rules_run_only_where_there_was_a_value() -> None:
    """Rule: KEP-2876 (oldSelf), KEP-4131 (optionalOldSelf)"""
    schema = with_rules({"rule": "self.a == oldSelf.a", "message": "a is immutable"}, a=INT)
    assert told(schema, spec(a=1)) == []
    assert told(schema, spec(a=1), spec(a=1)) == []
    assert told(schema, spec(a=1), spec(a=2)) == ["spec: Invalid value: a is immutable"]
    optional = {"rule": "oldSelf.hasValue() || self.a == 1", "optionalOldSelf": True, "message": "begins at 1"}
    schema = with_rules(optional, a=INT)
    assert told(schema, spec(a=2)) == ["spec: Invalid value: begins at 1"]
    assert told(schema, spec(a=2), spec(a=1)) == []


def test_items_of_keyed_lists_have_an_earlier_self() -> None:
    """Rule: KEP-2876 (correlation)"""
    item = {"type": "object", "required": ["name"], "properties": {"name": TEXT, "n": INT},
            "x-kubernetes-validations": [{"rule": "self.n >= oldSelf.n", "message": "grows"}]}  # fmt: skip
    items = {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"], "items": item}
    schema = with_rules(items=items)
    old = spec(items=[{"name": "a", "n": 5}, {"name": "b", "n": 1}])
    new = spec(items=[{"name": "b", "n": 2}, {"name": "a", "n": 4}, {"name": "c", "n": 0}])
    assert told(schema, new, old) == ["spec.items[1]: Invalid value: grows"]


def test_what_is_as_it_was_is_not_asked_again() -> None:
    """Rule: KEP-4008 (ratcheting)"""
    schema = with_rules({"rule": "self.a > 1"}, a=INT)
    schema["properties"]["other"] = INT
    assert told(schema, {**spec(a=0), "other": 2}, {**spec(a=0), "other": 1}) == []
    assert len(told(schema, spec(a=0), spec(a=1))) == 1


def test_a_rule_of_a_scalar_shows_its_value_and_a_missing_key_says_so() -> None:
    """Rule: apiextensions-apiserver pkg/apiserver/schema/cel/validation.go"""
    a = {**INT, "x-kubernetes-validations": [{"rule": "self < 3", "message": "too much"}]}
    assert told(with_rules(a=a), spec(a=3)) == ["spec.a: Invalid value: 3: too much"]
    assert told(with_rules({"rule": "self.b == 1"}, b=INT), spec()) == [
        "spec: Invalid value: no such key: b evaluating rule: self.b == 1"
    ]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"rule": " "}, "rule: Required value: rule is not specified"),
        ({"rule": "self.a"}, "cel expression must evaluate to a bool"),
        ({"rule": "self.c > 1"}, "compilation failed: ERROR: <input>:1:5: undefined field 'c'"),
        ({"rule": "self.a > 1", "message": "a\nb"}, "message must not contain line breaks"),
        ({"rule": "self.a >\n1"}, "message must be specified if rule contains line breaks"),
        ({"rule": "self.a > 1", "messageExpression": "self.a"}, "messageExpression must evaluate to a string"),
        ({"rule": "self.a > 1", "reason": "Other"}, 'reason: Unsupported value: "Other"'),
        ({"rule": "self.a > 1", "fieldPath": ".nope"}, "does not refer to a valid field"),
    ],
)
def test_rules_about_rules(rule: Tree, expected: str) -> None:
    """Rule: apiextensions-apiserver pkg/apis/apiextensions/validation"""
    [error] = list(expression_errors(compiled(with_rules(rule, a=INT)), ROOT))
    assert error.path.startswith(f"{ROOT}.properties[spec].x-kubernetes-validations[0]")
    assert expected in str(error)


def test_a_rule_that_may_cost_too_much_is_refused() -> None:
    """Rule: custom-resource-definitions/#resource-use-by-validation-functions"""
    names = {"type": "array", "items": {"type": "string"}}
    rule = {"rule": "self.names.all(x, self.names.all(y, x == y))"}
    found = [str(error) for error in expression_errors(compiled(with_rules(rule, names=names)), ROOT)]
    assert "estimated rule cost exceeds budget by factor of more than 100x" in found[0]
    bounded = {"type": "array", "maxItems": 10, "items": TEXT}
    assert not list(expression_errors(compiled(with_rules(rule, names=bounded)), ROOT))


def test_old_self_needs_a_place_that_can_be_told() -> None:
    """Rule: KEP-2876 (uncorrelatable)"""
    item = {**TEXT, "x-kubernetes-validations": [{"rule": "self == oldSelf"}]}
    schema = with_rules(names={"type": "array", "maxItems": 3, "items": item})
    [error] = list(expression_errors(compiled(schema), ROOT))
    assert "oldSelf cannot be used on the uncorrelatable portion of the schema within" in str(error)
