"""What server-side apply makes of the annotation of client-side apply."""

import orjson
import pytest

from kube.api.meta import Tree
from kube.api.patch import apply
from kube.api.patch.last_applied import ANNOTATION
from kube.api.resources import resource_for_kind
from kube.api.status import Conflict

CONFIG_MAP = resource_for_kind("v1", "ConfigMap")
NOW = "2026-01-01T00:00:00Z"
CLIENT_SIDE = "kubectl-client-side-apply"


def a_map(annotations: Tree | None = None, /, **data: str) -> Tree:
    metadata: Tree = {"name": "m", "namespace": "d", **({"annotations": annotations} if annotations else {})}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def client_side(annotation: str = "", **data: str) -> Tree:
    """As `kubectl apply` makes it."""
    annotations: Tree = {ANNOTATION: annotation or orjson.dumps(a_map(None, **data)).decode()}
    made = a_map(annotations, **data)
    made["metadata"] |= {"uid": "u", "creationTimestamp": NOW}
    apply.track(made, None, CONFIG_MAP, manager=CLIENT_SIDE, subresource="", now=NOW)
    return made


def server_side(live: Tree, manager: str = "kubectl", annotations: Tree | None = None, *, force: bool = False, **data: str) -> Tree:
    config = a_map(annotations, **data)
    return apply.apply(live, config, CONFIG_MAP, manager=manager, force=force, subresource="", now=NOW)


def changed(tree: Tree, manager: str, **data: str) -> Tree:
    after = {**tree, "data": {**tree["data"], **data}}
    after["metadata"] = {**tree["metadata"]}
    apply.track(after, tree, CONFIG_MAP, manager=manager, subresource="", now=NOW)
    return after


def test_what_kubectl_applied_itself_is_no_conflict_for_kubectl_alone() -> None:
    """Rule: KEP-555, managedfields/internal/lastappliedmanager.go"""
    live = client_side(a="1", b="2")
    assert server_side(live, a="9")["data"] == {"a": "9", "b": "2"}
    with pytest.raises(Conflict, match=rf'conflict with "{CLIENT_SIDE}" using v1: \.data\.a'):
        server_side(live, "other", a="9")


def test_what_somebody_changed_since_is_a_conflict_and_the_rest_is_not_told() -> None:
    """Rule: fields that do not stand as the annotation says are not the applier's any more."""
    live = changed(client_side(a="1", b="2"), "someone", b="theirs")
    with pytest.raises(Conflict, match=r'^Apply failed with 1 conflict: conflict with "someone" using v1: \.data\.b$'):
        server_side(live, a="9", b="mine")


@pytest.mark.parametrize("annotation", ["{", "[]", '{"apiVersion":"v2","data":{"a":"1"}}', '{"apiVersion":"v1","data":5}'])
def test_an_annotation_that_cannot_be_read_excuses_nothing(annotation: str) -> None:
    with pytest.raises(Conflict):
        server_side(client_side(annotation, a="1"), a="9")


def test_the_annotation_becomes_what_is_applied_so_that_client_side_apply_can_go_on() -> None:
    """Rule: lastappliedupdater.go: as Go writes JSON, without itself, and by `kubectl` alone."""
    live = client_side(a="1")
    after = server_side(live, annotations={ANNOTATION: "old", "note": "x"}, force=True, a="<1>", c="3")
    told = '{"apiVersion":"v1","data":{"a":"\\u003c1\\u003e","c":"3"},"kind":"ConfigMap","metadata":{"annotations":{"note":"x"},'
    assert after["metadata"]["annotations"][ANNOTATION] == told + '"name":"m","namespace":"d"}}\n'
    assert orjson.loads(server_side(live, "other", z="1")["metadata"]["annotations"][ANNOTATION])["data"] == {"a": "1"}
    assert "annotations" not in server_side(changed(a_map(), "x", a="1"), b="1")["metadata"]


def test_an_annotation_that_would_be_too_long_goes() -> None:
    after = server_side(client_side(a="1"), a="1", long="x" * (256 << 10))
    assert ANNOTATION not in after["metadata"].get("annotations", {})
