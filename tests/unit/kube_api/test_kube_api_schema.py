"""What the decoder finds in a tree, and what it makes of it."""

from copy import deepcopy
from typing import Any

import pytest

from kube.api import schema
from kube.api.definitions import LIST, Type, of_kind
from kube.api.meta import Tree
from kube.api.patch import merge
from kube.api.resource import Resource
from kube.api.resources import resource_for_kind

DEPLOYMENT = resource_for_kind("apps/v1", "Deployment")
CONTAINER = {"name": "c", "image": "i"}


def a_deployment(**spec: Any) -> Tree:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [dict(CONTAINER)]}}
    return {"metadata": {"name": "d"}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template, **spec}}


def test_a_good_object_is_left_as_it_is() -> None:
    tree = a_deployment(replicas=2, strategy={"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 1}})
    before = deepcopy(tree)
    found = schema.problems(DEPLOYMENT, tree)
    assert not found.unknown
    assert not found.wrong_types
    assert tree == before


@pytest.mark.parametrize("patch", [{"spec": {"replica": 2}}, {"spec": {"replicas": "2"}, "status": {"x": 1}}, {"kind": None}, {}])
def test_what_was_right_before_is_not_looked_at_again(patch: Tree) -> None:
    """Rule: kube/api/schema.py: of a patched object only the fields that a patch made anew are checked."""
    before = a_deployment(replicas=1) | {"kind": "Deployment", "status": {}}
    patched, alone = merge.apply(before, patch), deepcopy(merge.apply(before, patch))
    assert schema.problems(DEPLOYMENT, patched, before) == schema.problems(DEPLOYMENT, alone)
    assert patched == alone
    assert before == a_deployment(replicas=1) | {"kind": "Deployment", "status": {}}


def test_unknown_fields_are_named_by_their_path_and_removed() -> None:
    tree = a_deployment(replica=2)
    tree["spec"]["template"]["spec"]["containers"][0]["imge"] = "x"
    tree["metadata"]["labels"] = {"any": "key"}
    tree["spec"]["strategy"] = {"rollingUpdate": {"maxSurge": "25%"}}
    found = schema.problems(DEPLOYMENT, tree)
    assert found.unknown == ["spec.template.spec.containers[0].imge", "spec.replica"]
    assert tree["spec"]["strategy"] == {"rollingUpdate": {"maxSurge": "25%"}}
    assert tree["spec"]["template"]["spec"]["containers"] == [CONTAINER]
    assert "replica" not in tree["spec"]
    assert tree["metadata"]["labels"] == {"any": "key"}


GO = "json: cannot unmarshal {} into Go struct field {} of type {}"


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ({"replicas": "3"}, GO.format("string", "DeploymentSpec.spec.replicas", "int32")),
        ({"replicas": 1.5}, GO.format("number 1.5", "DeploymentSpec.spec.replicas", "int32")),
        ({"replicas": 2**31}, GO.format("number 2147483648", "DeploymentSpec.spec.replicas", "int32")),
        ({"replicas": True}, GO.format("bool", "DeploymentSpec.spec.replicas", "int32")),
        ({"paused": "yes"}, GO.format("string", "DeploymentSpec.spec.paused", "bool")),
        ({"selector": []}, GO.format("array", "DeploymentSpec.spec.selector", "v1.LabelSelector")),
        ({"selector": {"matchLabels": {"a": 1}}}, GO.format("number", "LabelSelector.spec.selector.matchLabels", "string")),
        ({"selector": {"matchLabels": 1}}, GO.format("number", "LabelSelector.spec.selector.matchLabels", "map[string]string")),
        ({"template": {"spec": {"containers": {}}}},
         GO.format("object", "PodSpec.spec.template.spec.containers", "[]v1.Container")),
        ({"template": {"spec": {"containers": [{"name": 5}]}}},
         GO.format("number", "Container.spec.template.spec.containers.name", "string")),
        ({"strategy": {"rollingUpdate": {"maxSurge": True}}}, "json: cannot unmarshal bool into Go value of type int32"),
        ({"strategy": {"rollingUpdate": {"maxSurge": 1.5}}}, "json: cannot unmarshal number 1.5 into Go value of type int32"),
        ({"template": {"spec": {"overhead": {"cpu": "x"}}}},
         "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"),
        ({"template": {"metadata": {"creationTimestamp": "now"}}},
         'parsing time "now" as "2006-01-02T15:04:05Z07:00": cannot parse "now" as "2006"'),
        ({"template": {"metadata": {"creationTimestamp": "2026-13-01T00:00:00Z"}}},
         'parsing time "2026-13-01T00:00:00Z" as "2006-01-02T15:04:05Z07:00": cannot parse "2026-13-01T00:00:00Z" as "2006"'),
        ({"template": {"metadata": {"creationTimestamp": 1}}}, "json: cannot unmarshal number into Go value of type string"),
    ],
)  # fmt: skip
def test_wrong_types_are_told_as_the_decoder_tells_them(spec: Tree, text: str) -> None:
    """Rule: sigs.k8s.io/json; the struct is the innermost one, the path goes by fields alone"""
    found = schema.problems(DEPLOYMENT, a_deployment(**spec))
    assert found.wrong_types == [text]


@pytest.mark.parametrize(
    ("api_version", "kind", "tree", "text"),
    [
        ("v1", "Secret", {"data": {"a": 1}}, GO.format("number", "Secret.data", "[]uint8")),
        ("v1", "Secret", {"data": {"a": "a*=="}}, "illegal base64 data at input byte 1"),
        ("autoscaling/v2", "HorizontalPodAutoscaler", {"spec": {"minReplicas": "x"}},
         GO.format("string", "HorizontalPodAutoscalerSpec.spec.minReplicas", "int32")),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition",
         {"spec": {"versions": [{"schema": {"openAPIV3Schema": {"maximum": "x"}}}]}},
         GO.format("string", "JSONSchemaProps.spec.versions.schema.openAPIV3Schema.maximum", "float64")),
    ],
)  # fmt: skip
def test_wrong_types_of_other_kinds(api_version: str, kind: str, tree: Tree, text: str) -> None:
    assert schema.problems(resource_for_kind(api_version, kind), tree).wrong_types == [text]


def test_null_is_absence_and_quantities_and_times_become_canonical() -> None:
    tree = a_deployment(replicas=None)
    pod = tree["spec"]["template"]["spec"]
    pod["containers"][0]["resources"] = {"limits": {"cpu": "1000m", "memory": 1024, "x": "2Ki"}}
    pod["containers"][0]["args"] = ["a", None]
    pod["nodeSelector"] = {"a": None}
    pod["tolerations"] = [None]
    tree["spec"]["template"]["metadata"]["creationTimestamp"] = "2026-01-01T02:00:00+02:00"
    found = schema.problems(DEPLOYMENT, tree)
    assert not found.unknown
    assert not found.wrong_types
    assert "replicas" not in tree["spec"]
    assert pod["containers"][0]["resources"]["limits"] == {"cpu": "1", "memory": "1024", "x": "2Ki"}
    assert pod["containers"][0]["args"] == ["a", ""]
    assert pod["nodeSelector"] == {"a": ""}
    assert pod["tolerations"] == [{}]
    assert tree["spec"]["template"]["metadata"]["creationTimestamp"] == "2026-01-01T00:00:00Z"


def test_micro_times_have_six_digits() -> None:
    tree = {"spec": {"renewTime": "2026-01-01T00:00:00.5Z", "acquireTime": "2026-01-01T00:00:00Z"}}
    assert not schema.problems(resource_for_kind("coordination.k8s.io/v1", "Lease"), tree).wrong_types
    assert tree["spec"] == {"renewTime": "2026-01-01T00:00:00.500000Z", "acquireTime": "2026-01-01T00:00:00.000000Z"}


def test_times_reach_back_to_the_year_one_and_no_further() -> None:
    """Go's zero time is 1 January of the year 1; a Lease of the official suite has seconds after it."""
    tree = {"spec": {"renewTime": "0001-01-01T00:00:05.000000Z", "acquireTime": "0001-01-01T00:00:00+05:00"}}
    found = schema.problems(resource_for_kind("coordination.k8s.io/v1", "Lease"), tree)
    assert tree["spec"]["renewTime"] == "0001-01-01T00:00:05.000000Z"
    assert [text.partition(":")[0] for text in found.wrong_types] == ['parsing time "0001-01-01T00']


def test_free_form_json_is_left_alone() -> None:
    tree = {"data": {"any": {"thing": None}}, "revision": 1}
    schema.problems(resource_for_kind("apps/v1", "ControllerRevision"), tree)
    assert tree["data"] == {"any": {"thing": None}}


def test_of_a_kind_that_is_not_built_in_the_metadata_is_checked() -> None:
    row = Resource("example.com", "v1", "Thing", "things")
    tree = {"metadata": {"name": "x", "bogus": 1}, "spec": {"what": "ever"}}
    assert schema.problems(row, tree).unknown == ["metadata.bogus"]
    assert tree == {"metadata": {"name": "x"}, "spec": {"what": "ever"}}
    assert not schema.problems(row, {"metadata": 5}).unknown


def test_a_part_of_an_object_can_be_checked() -> None:
    tree = {"spec": {"bogus": 1}}
    assert schema.check("io.k8s.api.core.v1.PodTemplateSpec", tree).unknown == ["spec.bogus"]


@pytest.mark.parametrize(
    ("path", "merge_key", "list_type", "list_keys", "strategy"),
    [
        ("containers", "name", "map", ("name",), {"merge"}),
        ("volumes", "name", "map", ("name",), {"merge", "retainKeys"}),
        ("topologySpreadConstraints", "topologyKey", "map", ("topologyKey", "whenUnsatisfiable"), {"merge"}),
        ("tolerations", "", "atomic", (), set()),
        ("hostAliases", "ip", "map", ("ip",), {"merge"}),
        ("resourceClaims", "name", "map", ("name",), {"merge", "retainKeys"}),
    ],
)
def test_lists_know_how_they_merge(
    path: str, merge_key: str, list_type: str, list_keys: tuple[str, ...], strategy: set[str]
) -> None:
    """Rule: the struct tags of k8s.io/api/core/v1/types.go"""
    kind = of_kind("", "v1", "Pod").fields["spec"].fields[path]
    assert (kind.merge_key, kind.list_type, kind.list_keys) == (merge_key, list_type, list_keys)
    assert kind.patch_strategy == strategy


def test_fields_are_described_and_found() -> None:
    pod = of_kind("", "v1", "Pod")
    assert pod.field("spec").field("containers").item.field("image").description.startswith("Container image name.")
    assert pod.field("metadata").field("labels").field("any").form == "string"
    assert pod.field("nope") is None
    assert pod.field("kind").field("x") is None
    assert pod.fields["spec"].fields["nodeSelector"].atomic
    assert not pod.fields["metadata"].fields["labels"].atomic
    assert pod.fields["spec"].fields["tolerations"].atomic
    assert of_kind("", "v1", "Nothing") is None


def test_lists_from_before_list_types_have_theirs_in_the_patch_strategy() -> None:
    """Rule: kube-openapi pkg/schemaconv"""
    merged = {"x-kubernetes-patch-strategy": "merge"}
    assert Type(LIST, use=merged).list_type == "set"
    assert Type(LIST, use={**merged, "x-kubernetes-patch-merge-key": "name"}).list_type == "map"
    assert Type(LIST).list_type == "atomic"


@pytest.mark.parametrize("value", [5, "x", {"a": [1]}, None])
def test_numbers_and_anything(value: Any) -> None:
    row = resource_for_kind("apiextensions.k8s.io/v1", "CustomResourceDefinition")
    schema_ = {"maximum": 1.5, "default": value, "title": "1500m"}
    tree = {"spec": {"versions": [{"schema": {"openAPIV3Schema": schema_}}]}, "bogus": 1}
    assert schema.problems(row, tree).unknown == ["bogus"]
    assert schema_ == {"maximum": 1.5, "title": "1500m", **({} if value is None else {"default": value})}


def test_bytes_that_are_base64_are_left() -> None:
    tree = {"data": {"a": "eA=="}, "bogus": 1, "immutable": 1}
    found = schema.problems(resource_for_kind("v1", "Secret"), tree)
    assert found.wrong_types == ["json: cannot unmarshal number into Go struct field Secret.immutable of type bool"]
    assert tree == {"data": {"a": "eA=="}}
