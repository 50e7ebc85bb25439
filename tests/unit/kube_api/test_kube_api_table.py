"""Tables, views and statuses: the forms in which objects and failures leave the server."""

import sys
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import orjson
import pytest

from kube.api import meta, status, table
from kube.api.bare_package import bare
from kube.api.meta import Key, Tree
from kube.api.resource import Column, Resource
from kube.api.resources import resource_for_kind
from kube.api.types import Deployment, Pod, Status
from kube.api.views import decode, lenient_view, micro_timestamp, timestamp, tree_of, view

NOW = datetime(2026, 1, 1, 1, tzinfo=UTC)
ROLE = {"metadata": {"name": "r", "creationTimestamp": "2026-01-01T00:00:00Z"}}


def test_a_kind_without_columns_shows_when_it_was_created() -> None:
    """Rule: printers.go has no handler for roles; the default table is NAME, CREATED AT"""
    row = resource_for_kind("rbac.authorization.k8s.io/v1", "Role")
    made = table.table(row, [ROLE], now=NOW)
    assert [one["name"] for one in made["columnDefinitions"]] == ["Name", "Created At"]
    assert made["rows"] == [{"cells": ["r", "2026-01-01T00:00:00Z"], "object": table.partial_metadata(ROLE)}]
    assert made["columnDefinitions"][0]["format"] == "name"


def test_rows_carry_what_is_asked_for() -> None:
    row = resource_for_kind("v1", "ConfigMap")
    tree = {"metadata": {"name": "c", "creationTimestamp": "2026-01-01T00:00:00Z"}, "data": {"a": "b"}}
    assert table.table(row, [tree], now=NOW, include_object="Object")["rows"][0]["object"] is tree
    assert table.table(row, [tree], now=NOW, include_object="None")["rows"][0]["object"] is None
    made = table.table(row, [tree], now=NOW, with_columns=False)
    assert made["columnDefinitions"] is None
    assert made["rows"][0]["cells"] == ["c", 1, "60m"]


def test_a_custom_kind_has_columns_over_its_tree() -> None:
    columns = (Column("Size", lambda tree, now: tree["spec"].get("size"), priority=1, type="integer", description="how big"),)
    row = Resource("example.com", "v1", "Thing", "things", columns=columns)
    made = table.table(row, [{"metadata": {"name": "t"}, "spec": {}}], now=NOW)
    assert made["rows"][0]["cells"] == ["t", "<none>"]
    assert made["columnDefinitions"][1] == {
        "name": "Size", "type": "integer", "format": "", "description": "how big", "priority": 1,
    }  # fmt: skip


def test_views_have_metadata_and_status_and_ignore_what_they_do_not_know() -> None:
    pod = decode(Pod, b'{"spec": {"containers": []}, "bogus": 1}')
    assert pod.metadata.name is None
    assert pod.status.phase is None
    with pytest.raises(msgspec.ValidationError):
        view(Pod, {"spec": {"containers": 5}})


def test_views_become_trees_again() -> None:
    tree = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "creationTimestamp": "2026-01-01T00:00:00Z", "labels": {"a": "b"}},
        "spec": {"containers": [{"name": "c"}]},
    }
    back = tree_of(view(Pod, tree))
    back.pop("status")
    assert back == tree


def test_a_lenient_view_reads_what_is_missing_as_empty() -> None:
    seen = lenient_view(Deployment, {"spec": {"template": {"spec": {"containers": [{}], "nodeSelector": {"a": "b"}}}}})
    assert seen.spec.template.spec.containers[0].name == ""
    whole = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c"}]}}
    assert lenient_view(Pod, whole) == view(Pod, whole)
    probed: Tree = {"spec": {"containers": [{"livenessProbe": {"httpGet": {}}}]}}
    assert lenient_view(Pod, probed).spec.containers[0].livenessProbe.httpGet.port == 0
    assert view(Status, {"status": "Failure"}).status == "Failure"
    row = resource_for_kind("coordination.k8s.io/v1", "Lease")
    assert lenient_view(row.view, {}).metadata.name is None


def test_the_models_come_without_their_client() -> None:
    with bare("lightkube"):
        package = sys.modules["lightkube"]
    assert sys.modules.get("lightkube") is not package or hasattr(package, "Client")
    import lightkube

    with bare("lightkube"):
        assert sys.modules["lightkube"] is lightkube


def test_times_are_written_in_utc() -> None:
    moment = datetime(2026, 1, 1, 2, 0, 0, 5, tzinfo=timezone(timedelta(hours=2)))
    assert timestamp(moment) == "2026-01-01T00:00:00Z"
    assert micro_timestamp(moment) == "2026-01-01T00:00:00.000005Z"


def test_keys_and_owners() -> None:
    tree = {"metadata": {"namespace": "n", "name": "x"}}
    assert meta.tree_key(tree) == Key("n", "x") == meta.parse_key("n/x")
    assert str(Key("", "x")) == "x"
    assert meta.parse_key("x") == Key("", "x")
    owners = [
        {"apiVersion": "v1", "kind": "K", "name": "a", "uid": "1"},
        {"apiVersion": "v1", "kind": "K", "name": "b", "uid": "2"},
    ]
    owners[1]["controller"] = True  # type: ignore[assignment]
    pod = view(Pod, {"metadata": {"namespace": "n", "name": "x", "ownerReferences": owners}, "kind": "Pod", "apiVersion": "v1"})
    assert meta.key_of(pod) == Key("n", "x")
    assert meta.controller_of(pod.metadata).name == "b"
    assert meta.controlled_by(pod.metadata, "2")
    assert not meta.controlled_by(pod.metadata, "1")
    assert meta.owner_reference(pod)["controller"] is True


def test_statuses_tell_upstreams_words() -> None:
    """Rule: apimachinery pkg/api/errors"""
    missing = status.not_found("deployments", "apps", "x")
    assert missing.status() == {
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": 404, "reason": "NotFound",
        "message": 'deployments.apps "x" not found', "details": {"name": "x", "group": "apps", "kind": "deployments"},
    }  # fmt: skip
    assert str(status.already_exists("pods", "", "x")) == 'pods "x" already exists'
    assert str(status.conflict("pods", "", "x", "why")) == 'Operation cannot be fulfilled on pods "x": why'
    assert str(status.is_forbidden("pods", "", "", "why")) == "pods is forbidden: why"
    assert str(status.Unauthorized()) == "Unauthorized"
    one = status.invalid_object("Pod", "", "x", [status.required("spec.a")])
    assert str(one) == 'Pod "x" is invalid: spec.a: Required value'
    several = status.invalid_object("Deployment", "apps", "x", [status.required("a"), status.required("b"), status.required("a")])
    assert str(several) == 'Deployment.apps "x" is invalid: [a: Required value, b: Required value]'
    assert several.details["causes"][0] == {"reason": "FieldValueRequired", "message": "Required value", "field": "a"}


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (status.invalid("a", "x", "why"), 'a: Invalid value: "x": why'), (status.invalid("a", True, ""), "a: Invalid value: true"),
        (status.invalid("a", None, "w"), 'a: Invalid value: "null": w'), (status.invalid("a", 5, "w"), "a: Invalid value: 5: w"),
        (status.invalid("a", {"b": 1}, "w"), 'a: Invalid value: {"b":1}: w'),
        (status.unsupported("a", "x", ("A", "B")), 'a: Unsupported value: "x": supported values: "A", "B"'),
        (status.duplicate("a", "x"), 'a: Duplicate value: "x"'), (status.missing("a", "x"), 'a: Not found: "x"'),
        (status.forbidden("a", "why"), "a: Forbidden: why"), (status.too_long("a", 5), "a: Too long: may not be more than 5 bytes"),
        (status.too_many("a", 6, 5), "a: Too many: 6: must have at most 5 items"),
        (status.wrong_type("a", "x", "w"), 'a: Invalid value: "x": w'),
    ],
)  # fmt: skip
def test_field_errors_have_upstreams_wording(error: status.FieldError, text: str) -> None:
    """Rule: apimachinery pkg/util/validation/field/errors.go"""
    assert str(error) == text


def test_a_client_raises_what_the_server_answered() -> None:
    answered = status.not_found("pods", "", "x").status()
    again = status.from_status(404, answered)
    assert isinstance(again, status.NotFound)
    assert again.details["name"] == "x"
    assert isinstance(status.from_status(410, {}), status.Expired)
    odd = status.from_status(418, orjson.loads(b'{"message": "teapot"}'))
    assert isinstance(odd, status.UnknownError)
    assert odd.actual_code == 418
