"""Managed fields and server-side apply."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apiserver import empty_objects
from kube.api.definitions import UNKNOWN, of
from kube.api.meta import Tree
from kube.api.patch import apply, structured
from kube.api.patch.field_set import FieldSet, shown
from kube.api.resource import Resource
from kube.api.resources import resource_for_kind
from kube.api.status import BadRequest, Conflict

DEPLOYMENT = resource_for_kind("apps/v1", "Deployment")
CONFIG_MAP = resource_for_kind("v1", "ConfigMap")
SERVICE = resource_for_kind("v1", "Service")
THING = Resource("example.com", "v1", "Thing", "things", subresources=("status",))


def a_map(name: str = "m", **data: str) -> Tree:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "d"}, "data": data}


def applied(live: Tree, config: Tree, manager: str, row: Resource = CONFIG_MAP, **more: Any) -> Tree:
    options = {"force": False, "subresource": "", "now": "2026-01-01T00:00:00Z", **more}
    return apply.apply(live, config, row, manager=manager, **options)


def created(config: Tree, manager: str, row: Resource = CONFIG_MAP) -> Tree:
    fresh = {"apiVersion": config["apiVersion"], "kind": config["kind"], "metadata": {"name": "m", "namespace": "d"}}
    made = applied(fresh, config, manager, row)
    made["metadata"] |= {"uid": "u", "creationTimestamp": "2026-01-01T00:00:00Z"}
    return made


def updated(old: Tree, manager: str, row: Resource = CONFIG_MAP, subresource: str = "", **data: Any) -> Tree:
    new = deepcopy(old)
    for name, value in data.items():
        new[name] = value
    apply.track(new, old, row, manager=manager, subresource=subresource, now="2026-01-02T00:00:00Z")
    return new


def owned(tree: Tree) -> dict[str, Tree]:
    return {entry["manager"]: entry["fieldsV1"] for entry in tree["metadata"].get("managedFields", ())}


def test_an_applier_owns_what_it_applied_and_nothing_that_identifies_the_object() -> None:
    made = created(a_map(a="1"), "me")
    assert made["metadata"]["managedFields"] == [
        {
            "manager": "me", "operation": "Apply", "apiVersion": "v1", "time": "2026-01-01T00:00:00Z",
            "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {"f:a": {}}},
        }
    ]  # fmt: skip


def test_another_value_for_somebody_elses_field_is_a_conflict() -> None:
    live = updated(created(a_map(a="1"), "me"), "you", data={"a": "2"})
    with pytest.raises(Conflict) as caught:
        applied(live, a_map(a="1"), "me")
    assert caught.value.message == 'Apply failed with 1 conflict: conflict with "you" using v1: .data.a'
    assert caught.value.details == {
        "causes": [{"reason": "FieldManagerConflict", "message": 'conflict with "you" using v1', "field": ".data.a"}]
    }


def test_several_conflicts_are_listed_by_manager() -> None:
    live = updated(created(a_map(a="1", b="1"), "me"), "you", data={"a": "2", "b": "2"})
    live["metadata"]["managedFields"][-1]["subresource"] = "s"
    with pytest.raises(Conflict) as caught:
        applied(live, a_map(a="1", b="1"), "me")
    text = 'Apply failed with 2 conflicts: conflicts with "you" with subresource "s" using v1:\n- .data.a\n- .data.b'
    assert caught.value.message == text


def test_an_applier_in_conflict_is_named_without_its_version() -> None:
    live = created(a_map(a="1"), "me")
    with pytest.raises(Conflict, match=r'conflict with "me": \.data\.a$'):
        applied(live, a_map(a="2"), "you")


def test_force_takes_the_field_away_from_its_owner() -> None:
    live = updated(created(a_map(a="1", b="1"), "me"), "you", data={"a": "2", "b": "1"})
    result = applied(live, a_map(a="3"), "third", force=True)
    assert result["data"] == {"a": "3", "b": "1"}
    assert owned(result) == {"me": {"f:data": {"f:b": {}}}, "third": {"f:data": {"f:a": {}}}}


def test_the_same_value_is_owned_together() -> None:
    live = applied(created(a_map(a="1"), "me"), a_map(a="1"), "you")
    assert owned(live) == {"me": {"f:data": {"f:a": {}}}, "you": {"f:data": {"f:a": {}}}}


def test_what_is_no_longer_applied_goes_unless_somebody_else_owns_it() -> None:
    live = applied(created(a_map(a="1", b="1"), "me"), a_map(b="1"), "you")
    result = applied(live, a_map(c="1"), "me")
    assert result["data"] == {"b": "1", "c": "1"}
    assert "f:b" not in owned(result)["me"]["f:data"]


def test_an_apply_that_changes_nothing_changes_no_time() -> None:
    live = created(a_map(a="1"), "me")
    assert applied(live, a_map(a="1"), "me", now="2027-01-01T00:00:00Z") == live


def test_applying_nothing_gives_everything_up() -> None:
    live = created(a_map(a="1"), "me")
    result = applied(live, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}}, "me")
    assert "data" not in result
    assert "managedFields" not in result["metadata"]
    assert result["metadata"]["uid"] == "u"


def test_writers_own_what_they_changed_and_nobody_owns_what_is_gone() -> None:
    live = updated(created(a_map(a="1", b="1"), "me"), "you", data={"a": "2"})
    assert owned(live) == {"me": {"f:data": {}}, "you": {"f:data": {"f:a": {}}}} or owned(live) == {"you": {"f:data": {"f:a": {}}}}


def test_an_update_that_changes_nothing_leaves_no_trace() -> None:
    live = created(a_map(a="1"), "me")
    assert updated(live, "you") == live


def test_a_writer_has_one_entry() -> None:
    live = updated(updated(created(a_map(a="1"), "me"), "you", data={"a": "2"}), "you", data={"a": "2", "b": "1"})
    assert owned(live)["you"] == {"f:data": {"f:a": {}, "f:b": {}}}
    assert len(live["metadata"]["managedFields"]) == 1


def test_an_empty_entry_resets_the_history_and_empty_ones_are_ignored() -> None:
    live = created(a_map(a="1"), "me")
    reset = deepcopy(live)
    reset["metadata"]["managedFields"] = [{}]
    apply.track(reset, live, CONFIG_MAP, manager="you", subresource="", now="T")
    assert "managedFields" not in reset["metadata"]
    forgot = deepcopy(live)
    del forgot["metadata"]["managedFields"]
    apply.track(forgot, live, CONFIG_MAP, manager="you", subresource="", now="T")
    assert forgot == live


def test_an_object_without_history_belongs_to_before_first_apply() -> None:
    live = {**a_map(a="1"), "metadata": {"name": "m", "creationTimestamp": "T", "managedFields": [{"fieldsType": "odd"}]}}
    with pytest.raises(Conflict, match="before-first-apply"):
        applied(live, a_map(a="2"), "me")


def test_status_is_owned_through_its_own_endpoint_alone() -> None:
    live = {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "m"}, "spec": {"a": 1}}
    made = updated({**live, "spec": {}}, "me", THING, spec={"a": 1}, status={"b": 1})
    assert owned(made) == {"me": {"f:spec": {"f:a": {}}}}
    made = updated(live, "me", THING, "status", spec={"a": 2}, status={"b": 1})
    assert owned(made) == {"me": {"f:status": {".": {}, "f:b": {}}}}
    assert made["metadata"]["managedFields"][0]["subresource"] == "status"


def test_more_than_ten_writers_are_folded_into_one() -> None:
    live = created(a_map(a="1"), "me")
    for number in range(12):
        new = deepcopy(live)
        new["data"][f"k{number}"] = "1"
        apply.track(new, live, CONFIG_MAP, manager=f"w{number}", subresource="", now=f"2026-02-{number + 1:02}T00:00:00Z")
        live = new
    writers = [one["manager"] for one in live["metadata"]["managedFields"] if one["operation"] == "Update"]
    assert len(writers) == 10
    assert writers[0] == "ancient-changes"
    assert owned(live)["ancient-changes"] == {"f:data": {f"f:k{number}": {} for number in (0, 1, 2)}}


def a_deployment(*items: Tree, **spec: Any) -> Tree:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": list(items)}}
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template, **spec}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "m", "namespace": "d"}, "spec": spec}


def test_items_of_lists_with_keys_have_owners_of_their_own() -> None:
    live = created(a_deployment({"name": "a", "image": "1", "ports": [{"containerPort": 80}]}), "me", DEPLOYMENT)
    fields = owned(live)["me"]["f:spec"]["f:template"]["f:spec"]["f:containers"]['k:{"name":"a"}']
    assert fields == {
        ".": {}, "f:image": {}, "f:name": {},
        "f:ports": {'k:{"containerPort":80,"protocol":"TCP"}': {".": {}, "f:containerPort": {}}},
    }  # fmt: skip
    live["spec"]["template"]["spec"]["containers"][0]["ports"][0]["protocol"] = "TCP"
    live["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] = "Always"
    both = applied(live, a_deployment({"name": "b", "image": "1"}), "you", DEPLOYMENT)
    names = [one["name"] for one in both["spec"]["template"]["spec"]["containers"]]
    assert names == ["a", "b"]
    gone = applied(both, a_deployment({"name": "b", "image": "1"}), "me", DEPLOYMENT)
    assert [one["name"] for one in gone["spec"]["template"]["spec"]["containers"]] == ["b"]


def test_an_object_that_nobody_owns_any_longer_goes_with_what_was_defaulted_in_it() -> None:
    context = {"name": "a", "image": "1", "securityContext": {"runAsUser": 1}}
    live = created(a_deployment(context), "me", DEPLOYMENT)
    live["spec"]["template"]["spec"]["containers"][0]["securityContext"]["privileged"] = False
    result = applied(live, a_deployment({"name": "a", "image": "1"}), "me", DEPLOYMENT)
    assert result["spec"]["template"]["spec"]["containers"] == [{"name": "a", "image": "1"}]


def test_an_item_without_its_key_is_refused() -> None:
    with pytest.raises(BadRequest, match='element 0: associative list with keys has an element that omits key field "name"'):
        created(a_deployment({"image": "1"}), "me", DEPLOYMENT)
    with pytest.raises(BadRequest, match="omits key field"):
        structured.fields_of(of(DEPLOYMENT), {"spec": {"template": {"spec": {"containers": ["x"]}}}})


def test_what_a_post_sets_is_tracked_with_its_maps_and_items() -> None:
    """What is in the kind's empty object too, nobody made; null there is an empty list.

    Rule: apiserver pkg/endpoints/handlers/create.go (UpdateNoErrors of scope.Creater.New)
    """
    tree = a_deployment(
        {"name": "a", "image": "1", "resources": {"limits": {"cpu": "1"}}}, strategy={"rollingUpdate": {"maxSurge": 1}}
    )
    apply.track(tree, None, DEPLOYMENT, manager="curl", subresource="", now="T", empty=empty_objects.empty(DEPLOYMENT))
    spec = owned(tree)["curl"]["f:spec"]
    assert spec["f:strategy"] == {"f:rollingUpdate": {".": {}, "f:maxSurge": {}}}
    assert spec["f:template"]["f:metadata"] == {"f:labels": {".": {}, "f:a": {}}}
    item = {".": {}, "f:image": {}, "f:name": {}, "f:resources": {".": {}, "f:limits": {".": {}, "f:cpu": {}}}}
    assert spec["f:template"]["f:spec"] == {"f:containers": {'k:{"name":"a"}': item}}
    assert spec["f:selector"] == {}
    assert spec.keys() == {"f:strategy", "f:template", "f:selector"}
    assert empty_objects.empty(DEPLOYMENT)["spec"]["template"]["spec"] == {"containers": None}


def test_what_has_no_history_gets_none_before_somebody_applies() -> None:
    """`managedFields: []`, as `[{}]`, throws the history away. An entry that cannot be read makes the request's be ignored.

    Rule: apimachinery pkg/util/managedfields/internal (isResetManagedFields, skipNonAppliedManager, DecodeManagedFields)
    """
    live = created(a_map(a="1"), "me")
    for reset in ([], [{}]):
        bare = updated({**live, "metadata": {**live["metadata"], "managedFields": reset}}, "curl")
        assert "managedFields" not in bare["metadata"]
        assert "managedFields" not in updated(bare, "curl", data={"a": "2"})["metadata"]
    odd = deepcopy(live)
    odd["metadata"]["managedFields"].append({"manager": "x", "operation": "Foo", "fieldsType": "FieldsV1", "apiVersion": "v1"})
    apply.track(odd, live, CONFIG_MAP, manager="curl", subresource="", now="T")
    assert odd["metadata"]["managedFields"] == live["metadata"]["managedFields"]


def test_sets_are_owned_by_value() -> None:
    tree = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m", "finalizers": ["x/a", "x/b"]}}
    live = created(tree, "me")
    assert owned(live)["me"]["f:metadata"] == {"f:finalizers": {'v:"x/a"': {}, 'v:"x/b"': {}}}
    less = applied(live, {**tree, "metadata": {"name": "m", "finalizers": ["x/b"]}}, "me")
    assert less["metadata"]["finalizers"] == ["x/b"]


def test_service_ports_are_told_apart_by_port_and_protocol() -> None:
    tree = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "m"}}
    first = {**tree, "spec": {"ports": [{"port": 53, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}]}}
    live = created(first, "me", SERVICE)
    both = applied(live, {**tree, "spec": {"ports": [{"port": 53, "protocol": "UDP", "name": "dns"}]}}, "you", SERVICE)
    assert both["spec"]["ports"] == [{"port": 53, "protocol": "TCP"}, {"port": 53, "protocol": "UDP", "name": "dns"}]


def test_a_value_of_another_form_replaces() -> None:
    assert structured.merge(UNKNOWN, {"a": {"b": 1}}, {"a": [1]}) == {"a": [1]}
    found = structured.compare(UNKNOWN, {"a": {"b": 1}}, {"a": [1], "e": {}})
    assert list(found.modified) == [("f:a",)]
    assert list(found.added) == [("f:e",)]
    assert structured.compare(UNKNOWN, {"a": {"b": 1}}, {}).removed == FieldSet.of(("f:a",), ("f:a", "f:b"))
    assert not structured.compare(UNKNOWN, {"a": 1}, {"a": 1})


def test_what_is_on_one_side_alone_goes_with_all_that_is_in_it() -> None:
    """The same paths are added one way that are removed the other way.

    Rule: https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
    """
    pod = {
        "spec": {"template": {"spec": {"containers": [{"name": "a", "resources": {}, "args": ["x"]}], "nodeSelector": {"k": "v"}}}}
    }
    there, back = structured.compare(of(DEPLOYMENT), {}, pod), structured.compare(of(DEPLOYMENT), pod, {})
    inner = ("f:spec", "f:template", "f:spec")
    item = (*inner, "f:containers", 'k:{"name":"a"}')
    parts = [item, *((*item, step) for step in ("f:args", "f:name", "f:resources"))]
    above = [inner[:length] for length in (1, 2, 3)]
    assert list(there.added) == [*above, (*inner, "f:containers"), *parts, (*inner, "f:nodeSelector")]  # which is atomic
    assert there.added == back.removed
    assert not any((there.modified, there.removed, back.added, back.modified))


NAMES = st.sampled_from(
    ["metadata", "spec", "status", "template", "strategy", "labels", "containers", "finalizers", "name", "env", "a"]
)
VALUES = st.recursive(
    st.sampled_from(["", "x", 0, 1, True, None]),
    lambda inner: st.dictionaries(NAMES, inner, max_size=4) | st.lists(inner | st.just({"name": "n"}), max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(NAMES, VALUES, max_size=4), st.sampled_from([DEPLOYMENT, CONFIG_MAP, THING]))
def test_who_makes_an_object_owns_what_who_fills_an_empty_one_owns(tree: Tree, row: Resource) -> None:
    """A new object's history is written at once, without sets of paths; it is the same history.

    Rule: https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
    """
    empty = {"apiVersion": row.api_version, "kind": row.kind, "metadata": {}}
    metadata = tree.get("metadata")
    full = {**empty, **tree, "metadata": {**(metadata if isinstance(metadata, dict) else {}), "generation": 1}}
    made: list[Any] = []
    for old in (None, empty):
        new = deepcopy(full)
        try:
            apply.track(new, old, row, manager="me", subresource="", now="T")
        except BadRequest as error:
            new = error.message
        made.append(new)
    assert made[0] == made[1]
    if isinstance(made[0], dict):
        assert repr(made[0]) == repr(made[1]), "in the same order"


def test_the_order_of_both_lists_is_kept() -> None:
    kind = of(DEPLOYMENT).fields["spec"].fields["template"].fields["spec"].fields["containers"]

    def names(live: str, wanted: str) -> str:
        items = [[{"name": name} for name in one] for one in (live, wanted)]
        return "".join(item["name"] for item in structured.merge(kind, items[0], items[1]))

    assert names("abc", "bd") == "abcd"
    assert names("ab", "ba") == "ba"
    assert names("abc", "ca") == "cab"
    assert names("", "ab") == "ab"
    assert names("ab", "bax") == "bax"


PATHS = st.lists(st.lists(st.sampled_from(["f:a", "f:b", 'k:{"n":1}', 'v:"x"']), min_size=1, max_size=3).map(tuple), max_size=6)


@given(PATHS, PATHS)
def test_field_sets_are_sets(one: list[tuple[str, ...]], other: list[tuple[str, ...]]) -> None:
    a, b = FieldSet.of(*one), FieldSet.of(*other)
    assert set(a | b) == set(one) | set(other)
    assert set(a & b) == set(one) & set(other)
    assert set(a - b) == set(one) - set(other)
    assert bool(a) is bool(one)
    assert FieldSet.from_tree(a.to_tree()) == a
    assert (a == b) is (set(one) == set(other))


def test_paths_are_shown_as_upstream_shows_them() -> None:
    path = ("f:spec", "f:ports", 'k:{"port":80,"protocol":"TCP"}', "f:finalizers", 'v:"x"')
    assert shown(path) == '.spec.ports[port=80,protocol="TCP"].finalizers[="x"]'
    assert "FieldSet" in repr(FieldSet.of(path))
