"""JSON, merge and strategic merge patches: RFCs' own examples, the directives, and the laws of apply and diff."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kube.api.meta import Tree
from kube.api.patch import json_patch, merge, strategic
from kube.api.resource import Resource
from kube.api.resources import resource_for_kind
from kube.api.status import BadRequest, Invalid

POD = resource_for_kind("v1", "Pod")
DEPLOYMENT = resource_for_kind("apps/v1", "Deployment")
SERVICE = resource_for_kind("v1", "Service")
THING = Resource("example.com", "v1", "Thing", "things")


@pytest.mark.parametrize(
    ("tree", "operation", "result"),
    [
        ({"a": 1}, {"op": "add", "path": "/b", "value": 2}, {"a": 1, "b": 2}),
        ({"a": [1, 3]}, {"op": "add", "path": "/a/1", "value": 2}, {"a": [1, 2, 3]}),
        ({"a": [1]}, {"op": "add", "path": "/a/-", "value": 2}, {"a": [1, 2]}),
        ({"a": 1}, {"op": "add", "path": "/b"}, {"a": 1, "b": None}),
        ({"a": 1}, {"op": "add", "path": "x/b", "value": 2}, {"a": 1, "b": 2}),
        ({"a": [1, 2]}, {"op": "add", "path": "/a/-1", "value": 3}, {"a": [1, 2, 3]}),
        ({"a": [1, 2]}, {"op": "remove", "path": "/a/-1"}, {"a": [1]}),
        ({"a": 1}, {"op": "replace", "path": "/b", "value": 2}, {"a": 1, "b": 2}),
        ({"a": 1}, {"op": "copy", "from": "/b", "path": "/c"}, {"a": 1, "c": None}),
        ({"a": 1, "b": 2}, {"op": "remove", "path": "/a"}, {"b": 2}),
        ({"a": [1, 2]}, {"op": "remove", "path": "/a/0"}, {"a": [2]}),
        ({"a": 1}, {"op": "replace", "path": "/a", "value": None}, {"a": None}),
        ({"a": [1, 2]}, {"op": "replace", "path": "/a/0", "value": 9}, {"a": [9, 2]}),
        ({"a": 1}, {"op": "replace", "path": "", "value": {}}, {}),
        ({"a": {"x": 1}, "b": {}}, {"op": "move", "from": "/a/x", "path": "/b/y"}, {"a": {}, "b": {"y": 1}}),
        ({"a": {"x": 1}}, {"op": "copy", "from": "/a", "path": "/b"}, {"a": {"x": 1}, "b": {"x": 1}}),
        ({"a": 1}, {"op": "test", "path": "/a", "value": 1}, {"a": 1}),
        ({}, {"op": "test", "path": "/a", "value": None}, {}),
        ({"a/b": {"m~n": 1}}, {"op": "remove", "path": "/a~1b/m~0n"}, {"a/b": {}}),
    ],
)
def test_json_patch_operations(tree: Any, operation: Tree, result: Any) -> None:
    """Rule: https://datatracker.ietf.org/doc/html/rfc6902, and what gopkg.in/evanphx/json-patch.v4 makes of it"""
    before = deepcopy(tree)
    assert json_patch.apply(tree, [operation]) == result
    assert tree == before


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "/b"}, {"op": "replace", "path": "", "value": 1}, {"op": "add", "path": "/b/c", "value": 1},
        {"op": "test", "path": "/a", "value": 2}, {"op": "add", "path": "/l/5", "value": 1}, {"op": "bogus", "path": "/a"},
        {"op": "add", "path": "", "value": {}}, {"op": "add", "path": "a", "value": 1}, {"op": "remove", "path": ""}, {"op": "add"},
        {"op": "test", "path": "/b/c", "value": None}, {"op": "remove", "path": "/l/-2"},
        {"op": "move", "from": "/b", "path": "/c"},
        {"op": "remove", "path": "/l/x"}, {"op": "add", "path": "/a/b", "value": 1}, {"op": "test", "path": "/l", "value": True},
        {"op": "test", "path": "/one", "value": True}, {"op": "remove", "path": "/a/b"},
    ],
)  # fmt: skip
def test_a_json_patch_that_does_not_fit_is_invalid(operation: Tree) -> None:
    """Rule: apiserver pkg/endpoints/handlers/patch.go answers 422 and says no more than this"""
    with pytest.raises(Invalid, match="the server rejected our request due to an error in our request"):
        json_patch.apply({"a": 1, "l": [1], "one": 1}, [operation])


def test_what_is_no_operation_is_a_bad_request() -> None:
    with pytest.raises(BadRequest, match=r"cannot unmarshal string into Go value of type jsonpatch\.Operation"):
        json_patch.apply({}, ["x"])


JSON = st.recursive(
    st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "a", "b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=8,
)
OBJECT = st.dictionaries(st.sampled_from("abcd"), JSON, max_size=4)


@pytest.mark.parametrize(
    ("tree", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}), ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}), ({"a": "b"}, {"a": None}, {}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}), ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": "foo"}, "bar", "bar"), ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}), ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)  # fmt: skip
def test_merge_patch_examples(tree: Any, patch: Any, result: Any) -> None:
    """Rule: https://datatracker.ietf.org/doc/html/rfc7386, appendix A"""
    assert merge.apply(tree, patch) == result


@given(OBJECT, OBJECT)
def test_a_merge_diff_leads_from_one_to_the_other(old: Tree, new: Tree) -> None:
    assert merge.apply(old, merge.diff(old, new)) == new


@given(OBJECT, OBJECT, OBJECT)
def test_a_three_way_merge_makes_modified_true_and_twice_changes_nothing(original: Tree, modified: Tree, current: Tree) -> None:
    result = merge.apply(current, merge.three_way(original, modified, current))
    assert merge.three_way(modified, modified, result) == {}
    for name in original.keys() - modified.keys():
        assert name not in result
    for name in current.keys() - original.keys() - modified.keys():
        assert result[name] == current[name]


def containers(*items: Tree) -> Tree:
    return {"spec": {"containers": list(items)}}


A, B, C = {"name": "a", "image": "1"}, {"name": "b", "image": "1"}, {"name": "c", "image": "1"}


@pytest.mark.parametrize(
    ("tree", "patch", "result"),
    [
        (containers(A, B), containers({"name": "b", "image": "2"}), containers(A, {"name": "b", "image": "2"})),
        (containers(A), containers(B), containers(B, A)),  # what is new comes first, as `kubectl patch`'s page shows it
        (containers(A, B), containers({"name": "a", "$patch": "delete"}), containers(B)),
        (containers(A, B), containers(C, {"$patch": "replace"}), containers(C)),
        (containers(A, B), {"spec": {"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]}}, containers(B, A)),
        (containers(A, B),
         {"spec": {"$setElementOrder/containers": [{"name": "c"}, {"name": "b"}], "containers": [C]}}, containers(C, A, B)),
        ({"spec": {"a": 1, "b": 2}}, {"spec": {"$patch": "replace", "c": 3}}, {"spec": {"c": 3}}),
        ({"spec": {"a": 1}}, {"spec": {"$patch": "delete"}}, {"spec": {}}),
        ({"spec": {"nodeName": "x"}}, {"spec": {"nodeName": None}}, {"spec": {}}),
        ({"metadata": {"finalizers": ["a"]}}, {"metadata": {"finalizers": ["b", "a"]}}, {"metadata": {"finalizers": ["b", "a"]}}),
        ({"metadata": {"finalizers": ["a", "b"]}},
         {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"]}}, {"metadata": {"finalizers": ["b"]}}),
        ({"metadata": {"finalizers": ["a", "b"]}},
         {"metadata": {"$setElementOrder/finalizers": ["b", "a"], "finalizers": ["a"]}}, {"metadata": {"finalizers": ["b", "a"]}}),
        ({"spec": {"tolerations": [{"key": "a"}]}},
         {"spec": {"tolerations": [{"key": "b"}]}}, {"spec": {"tolerations": [{"key": "b"}]}}),
        ({}, {"spec": {"a": {"b": None, "c": 1}}}, {"spec": {"a": {"c": 1}}}),
        ({"spec": "x"}, {"spec": {"a": 1}}, {"spec": {"a": 1}}),
        ({"spec": {"volumes": [{"name": "v", "emptyDir": {}}]}},
         {"spec": {"volumes": [{"name": "v", "$retainKeys": ["name", "hostPath"], "hostPath": {"path": "/x"}}]}},
         {"spec": {"volumes": [{"name": "v", "hostPath": {"path": "/x"}}]}}),
    ],
)  # fmt: skip
def test_strategic_merge_directives(tree: Tree, patch: Tree, result: Tree) -> None:
    """Rule: community sig-api-machinery/strategic-merge-patch.md"""
    before = deepcopy(tree)
    assert strategic.apply(tree, patch, POD) == result
    assert tree == before


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        ({"spec": {"$patch": "merge", "a": True}}, "unknown patch type: merge in map: map[$patch:merge a:true]"),
        (containers({"image": "x"}), "map: map[image:x] does not contain declared merge key: name"),
        (containers({"name": "x", "$patch": "merge"}), "merging lists cannot yet be specified in the patch"),
        (containers({"name": "x", "$patch": "foo"}), "unknown patch type: foo in map: map[$patch:foo name:x]"),
        ({"spec": {"containers": ["x"]}}, "map: x does not contain declared merge key: name"),
        ({"spec": {"volumes": [{"name": "v", "$retainKeys": ["name"], "hostPath": {}}]}}, "invalid patch format of retainKeys"),
        ({"spec": {"$setElementOrder/containers": "x"}}, "expected a []interface {}, but received a string"),
        ({"spec": {"$setElementOrder/containers": [{"x": 1}]}}, "map: map[x:1] does not contain declared merge key: name"),
        ({"spec": {"$setElementOrder/containers": [{"name": "b"}], "containers": [{"name": "a"}]}},
         "The order in patch list:\n[map[name:a]]\n doesn't match $setElementOrder list:\n[map[name:b]]\n"),
    ],
)  # fmt: skip
def test_bad_strategic_patches_are_refused(patch: Tree, message: str) -> None:
    """Rule: apimachinery pkg/util/mergepatch/errors.go, pkg/util/strategicpatch"""
    with pytest.raises(BadRequest) as refusal:
        strategic.apply({"spec": {"volumes": [{"name": "v"}]}}, patch, POD)
    assert refusal.value.message == message


def test_service_ports_merge_by_port() -> None:
    tree = {"spec": {"ports": [{"port": 80, "name": "a"}]}}
    assert strategic.apply(tree, {"spec": {"ports": [{"port": 80, "name": "b"}]}}, SERVICE)["spec"]["ports"] == [
        {"port": 80, "name": "b"}
    ]


CONTAINER_LISTS = st.lists(
    st.builds(
        lambda name, image, env: {"name": name, "image": image, "env": [{"name": one, "value": image} for one in env]},
        st.sampled_from("abcd"), st.sampled_from(["1", "2"]), st.lists(st.sampled_from("xyz"), unique=True, max_size=3),
    ),
    unique_by=lambda item: item["name"], max_size=4,
)  # fmt: skip
PODS = st.builds(
    lambda labels, finalizers, items, tolerations: {
        "metadata": {"labels": labels, "finalizers": finalizers},
        "spec": {"containers": items, "tolerations": [{"key": one} for one in tolerations]},
    },
    st.dictionaries(st.sampled_from("ab"), st.sampled_from(["1", "2"]), max_size=2),
    st.lists(st.sampled_from("fgh"), unique=True, max_size=3), CONTAINER_LISTS, st.lists(st.sampled_from("tu"), max_size=2),
)  # fmt: skip


@given(PODS, PODS)
def test_a_strategic_diff_leads_from_one_to_the_other(old: Tree, new: Tree) -> None:
    assert strategic.apply(old, strategic.diff(old, new, POD), POD) == new


@given(PODS, PODS, PODS)
def test_a_strategic_three_way_patch_applied_twice_changes_nothing(original: Tree, modified: Tree, current: Tree) -> None:
    patch = strategic.three_way(original, modified, current, POD)
    result = strategic.apply(current, patch, POD)
    assert strategic.three_way(modified, modified, result, POD) == {}
    names = [one["name"] for one in result["spec"]["containers"]]
    assert [name for name in names if name in {one["name"] for one in modified["spec"]["containers"]}] == [
        one["name"] for one in modified["spec"]["containers"]
    ]


def test_apply_keeps_what_others_added_and_removes_what_it_had_set() -> None:
    original = containers(A, B)
    modified = containers({"name": "a", "image": "2"})
    current = containers({**A, "imagePullPolicy": "Always"}, B, {"name": "sidecar", "image": "s"})
    patch = strategic.three_way(original, modified, current, POD)
    assert patch["spec"]["$setElementOrder/containers"] == [{"name": "a"}]
    assert strategic.apply(current, patch, POD) == containers(
        {"name": "a", "image": "2", "imagePullPolicy": "Always"}, {"name": "sidecar", "image": "s"}
    )


def test_a_changed_strategy_retains_its_own_fields_alone() -> None:
    current = {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}
    patch = strategic.three_way({}, {"spec": {"strategy": {"type": "Recreate"}}}, current, DEPLOYMENT)
    assert patch == {"spec": {"strategy": {"type": "Recreate", "$retainKeys": ["type"]}}}
    assert strategic.apply(current, patch, DEPLOYMENT) == {"spec": {"strategy": {"type": "Recreate"}}}


def test_nulls_in_what_is_applied_remove() -> None:
    assert strategic.three_way({}, {"spec": {"a": None, "b": None}}, {"spec": {"a": 1}}, POD) == {"spec": {"a": None}}


def test_lists_without_their_keys_are_replaced() -> None:
    modified, current = {"spec": {"containers": [{"image": "x"}]}}, containers(A)
    assert strategic.three_way({}, modified, current, POD) == modified


def test_kinds_without_a_schema_replace_their_lists() -> None:
    assert strategic.apply({"l": [1], "m": {"a": 1}}, {"l": [2], "m": {"b": 2}}, THING) == {"l": [2], "m": {"a": 1, "b": 2}}


def test_ports_with_numbers_as_keys() -> None:
    old = {"spec": {"ports": [{"port": 80}, {"port": 81}]}}
    new = {"spec": {"ports": [{"port": 81, "name": "x"}]}}
    assert strategic.apply(old, strategic.diff(old, new, SERVICE), SERVICE) == new
