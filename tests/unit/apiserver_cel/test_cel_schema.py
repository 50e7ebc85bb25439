"""Types from schemas: what an expression sees of an object, and how its values are read."""

from typing import Any

import pytest

from apiserver.cel import CompileError, Declared, compile, schema
from apiserver.cel.builtin import declared as declared_builtin
from apiserver.cel.schema import escape
from kube.api import definitions
from kube.api.resources import resource_of
from kube.api.types import Deployment

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["when"],
    "properties": {
        "when": {"type": "string", "format": "date-time"},
        "day": {"type": "string", "format": "date"},
        "long": {"type": "string", "format": "duration"},
        "data": {"type": "string", "format": "byte"},
        "ratio": {"type": "number"},
        "port": {"x-kubernetes-int-or-string": True},
        "set": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
        "map": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["k"],
            "items": {"type": "object", "properties": {"k": {"type": "string"}, "v": {"type": "number"}}},
        },
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "times": {"type": "array", "items": {"type": "string", "format": "date-time"}},
        "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "none": {"x-kubernetes-preserve-unknown-fields": True},
        "x-y.z/w": {"type": "integer"},
        "namespace": {"type": "string"},
        "0bad": {"type": "string"},
        "nullable": {"type": "string", "nullable": True},
        "embedded": {"type": "object", "x-kubernetes-embedded-resource": True},
    },
}
TREE: dict[str, Any] = {
    "apiVersion": "e.com/v1", "kind": "E", "metadata": {"name": "e"}, "when": "2020-01-01T00:00:00Z", "day": "2020-01-02",
    "long": "1h", "data": "aGk=", "ratio": 2, "port": 80, "set": ["b", "a"], "map": [{"k": "a", "v": 1}, {"k": "b", "v": 2}],
    "labels": {"a": "b"}, "times": ["2020-01-01T00:00:00Z"], "any": {"x": 1}, "x-y.z/w": 5, "namespace": "n", "nullable": None,
    "embedded": {"kind": "Pod", "metadata": {"name": "p"}},
}  # fmt: skip


def kind() -> Declared:
    found = schema.declared(SCHEMA, root=True)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "expression",
    [
        "self.metadata.name == 'e' && self.kind == 'E' && self.apiVersion == 'e.com/v1'",
        "self.when < timestamp('2021-01-01T00:00:00Z') && self.day - self.when == duration('24h')",
        "self.long == duration('60m') && self.data == b'hi'",
        "self.ratio == 2.0 && self.ratio / 4.0 == 0.5",
        "self.port == 80 && type(self.port) == int",
        "self.set == ['a', 'b'] && ['a', 'b'] == self.set && self.set != ['a'] && self.set + ['a', 'c'] == ['c', 'b', 'a']",
        "self.map == [self.map[1], self.map[0]] && self.map.all(m, m.v > 0.5)",
        "self.labels.a == 'b' && self.labels['a'] == 'b' && self.labels.all(k, v, k + v == 'ab')",
        "self.times.all(t, t.getFullYear() == 2020) && self.times == [self.when] && self.times.filter(t, true)[0] == self.when",
        "self.x__dash__y__dot__z__slash__w == 5 && self.__namespace__ == 'n' && self.`x-y.z/w` == 5",
        "self.embedded.metadata.name == 'p' && self.embedded.kind == 'Pod'",
        "has(self.when) && !has(self.embedded.metadata.generateName)",
        "cel.bind(s, self, s.when == self.when) && self.?when.orValue(timestamp(0)) == self.when",
        "(true ? self.when : self.day) < timestamp('2021-01-01T00:00:00Z')",
        "self == oldSelf && self.map == oldSelf.map && self.set == oldSelf.set",
    ],
)
def test_values_are_what_the_schema_says(expression: str) -> None:
    """Rule: https://kubernetes.io/docs/reference/using-api/cel/#type-system-integration"""
    old = {**TREE, "set": ["a", "b"], "map": TREE["map"][::-1], "ratio": 2.0}
    assert compile(expression, {"self": kind(), "oldSelf": kind()}).evaluate({"self": TREE, "oldSelf": old}) is True


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("self.none", "undefined field 'none'"),
        ("self.any.x", "undefined field 'x'"),
        ("self.metadata.labels", "undefined field 'labels'"),
        ("self.nope", "undefined field 'nope'"),
        ("self.when == 'x'", "found no matching overload for '_==_' applied to '(timestamp, string)'"),
        ("self.set.all(s, s > 1)", "found no matching overload for '_>_' applied to '(string, int)'"),
        ("self.map == self.set", "found no matching overload for '_==_' applied to '(list(object.map.@idx), list(string))'"),
    ],
)
def test_what_the_schema_does_not_say_is_not_there(expression: str, text: str) -> None:
    """Rule: https://kubernetes.io/docs/reference/using-api/cel/#type-system-integration"""
    with pytest.raises(CompileError) as caught:
        compile(expression, {"self": kind()})
    assert text in str(caught.value)


def test_trees_are_not_changed_by_reading() -> None:
    """Rule: what came from a cache is never changed"""
    before = repr(TREE)
    compile("self.map + [] != [] && self == self && self.set + ['z'] != self.set", {"self": kind()}).evaluate({"self": TREE})
    assert repr(TREE) == before


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("a", "a"), ("a_b", "a_b"), ("__a", "__underscores__a"), ("a-b.c/d", "a__dash__b__dot__c__slash__d"), ("true", "__true__"),
        ("namespace", "__namespace__"), ("1a", None), ("a$", None), ("", None),
    ],
)  # fmt: skip
def test_names_are_escaped(name: str, seen: str | None) -> None:
    """Rule: https://kubernetes.io/docs/reference/using-api/cel/#escaping"""
    assert escape(name) == seen


def test_built_in_kinds_have_their_fields() -> None:
    """Rule: https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/#type-checking"""
    definition = definitions.of(resource_of(Deployment))
    assert definition is not None
    deployment = declared_builtin(definition, "Deployment")
    variables = {"object": deployment}
    compile(
        "object.spec.template.spec.containers.all(c, c.resources.limits['cpu'] != '1' && c.ports[0].containerPort > 1)", variables
    )
    compile("object.metadata.creationTimestamp < timestamp(0) && object.spec.strategy.rollingUpdate.maxSurge == 1", variables)
    with pytest.raises(CompileError, match="undefined field 'replica'"):
        compile("object.spec.replica > 1", variables)
