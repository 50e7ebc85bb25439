"""The OpenAPI documents: whole, in upstream's form, and with custom resources in them."""

from typing import Any

import pytest

from apiserver import openapi_documents as documents
from kube.api.definitions import INT_OR_STRING, QUANTITY
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.resources import RESOURCES

API = "io.k8s.api."
PROXIED = {"delete", "get", "head", "options", "patch", "post", "put"}


def schemas_of(group: str, version: str) -> Tree:
    found: Tree = documents.version_3(RESOURCES, group, version)["components"]["schemas"]
    return found


@pytest.mark.parametrize(("group", "version"), sorted({(row.group, row.version) for row in RESOURCES}))
def test_a_version_3_document_holds_all_that_it_refers_to(group: str, version: str) -> None:
    """Rule: https://spec.openapis.org/oas/v3.0.0 (reference object)"""
    document = documents.version_3(RESOURCES, group, version)
    made = document["components"]["schemas"]
    assert {one.removeprefix("#/components/schemas/") for one in references(document)} <= made.keys()
    kinds = made.get("io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions", {}).get("x-kubernetes-group-version-kind", ())
    assert {(one["group"], one["version"]) for one in kinds} <= {("", "v1"), (group, version)}


def test_the_version_2_document_holds_all_that_it_refers_to_and_no_more() -> None:
    """Rule: https://swagger.io/specification/v2/ (reference object)"""
    document = documents.version_2(RESOURCES)
    made = document["definitions"]
    assert {one.removeprefix("#/definitions/") for one in references(document)} <= made.keys()
    assert not any(".v1beta1." in name or ".v1alpha1." in name for name in made)
    assert made[f"{API}core.v1.ContainerPort"]["properties"]["hostIP"]["type"] == "string"
    assert "enum" not in made[f"{API}core.v1.Pod"]["properties"]["kind"]
    assert made[INT_OR_STRING]["format"] == "int-or-string"
    assert made[QUANTITY]["type"] == "string"


def test_version_3_puts_a_reference_beside_its_description_and_names_defaults() -> None:
    """Rule: kube-openapi pkg/generators: zero values of what is always there, and the API's own defaults"""
    apps, core = schemas_of("apps", "v1"), schemas_of("", "v1")
    spec = apps[f"{API}apps.v1.Deployment"]["properties"]["spec"]
    assert spec["allOf"] == [{"$ref": f"#/components/schemas/{API}apps.v1.DeploymentSpec"}]
    assert spec["default"] == {}
    assert core[f"{API}core.v1.ContainerPort"]["properties"]["protocol"]["default"] == "TCP"
    assert core[f"{API}core.v1.Container"]["properties"]["name"]["default"] == ""
    assert "default" not in core[f"{API}core.v1.PodSpec"]["properties"]["securityContext"]
    assert apps[QUANTITY]["oneOf"] == [{"type": "string"}, {"type": "number"}]
    assert f"{API}policy.v1.Eviction" in core


def test_what_all_operations_of_a_path_take_stands_at_the_path() -> None:
    """Rule: kube-openapi pkg/builder3"""
    paths = documents.version_3(RESOURCES, "", "v1")["paths"]
    item = paths["/api/v1/namespaces/{namespace}/configmaps/{name}"]
    assert [one["name"] for one in item["parameters"]] == ["name", "namespace", "pretty"]
    assert [one["name"] for one in item["patch"]["parameters"]] == ["dryRun", "fieldManager", "fieldValidation", "force"]
    assert "parameters" not in item["get"]
    assert item["get"]["operationId"] == "readCoreV1NamespacedConfigMap"
    assert set(paths["/api/v1/nodes/{name}/proxy/{path}"]) == PROXIED | {"parameters"}
    assert "/api/v1/watch/namespaces/{name}" in paths
    assert "/api/v1/namespaces/{name}/finalize" in paths


FOO: Tree = {
    "type": "object",
    "description": "Foo",
    "properties": {
        "spec": {
            "type": "object",
            "required": ["a", "b"],
            "properties": {"a": {"type": "string", "nullable": True}, "b": {"oneOf": []}},
        },
        "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "properties": {"x": {"type": "string"}}},
        "pod": {"type": "object", "x-kubernetes-embedded-resource": True, "properties": {"spec": {"type": "object"}}},
    },
}


def custom(schema: Tree) -> Resource:
    return Resource("stable.example.com", "v1", "CronTab", "crontabs", openapi_schema=schema, own_list_kind="CronTabs")


def test_a_custom_resource_is_published_with_what_every_object_has() -> None:
    """Rule: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#publish-validation-schema-in-openapi"""
    document = documents.version_3([custom(FOO)], "stable.example.com", "v1")
    made = document["components"]["schemas"]
    one = made["com.example.stable.v1.CronTab"]
    assert one["properties"]["metadata"]["allOf"][0]["$ref"].endswith(".ObjectMeta")
    assert "metadata" in one["properties"]["pod"]["properties"]
    assert one["properties"]["spec"] == FOO["properties"]["spec"]
    assert one["x-kubernetes-group-version-kind"] == [{"group": "stable.example.com", "version": "v1", "kind": "CronTab"}]
    assert made["com.example.stable.v1.CronTabs"]["required"] == ["items"]
    item = document["paths"]["/apis/stable.example.com/v1/namespaces/{namespace}/crontabs/{name}"]
    assert "application/strategic-merge-patch+json" not in item["patch"]["requestBody"]["content"]
    assert {one.removeprefix("#/components/schemas/") for one in references(document)} <= made.keys()


def test_version_2_leaves_out_what_swagger_and_kubectl_cannot_read() -> None:
    """Rule: apiextensions-apiserver pkg/controller/openapi/v2: nullable is untyped, nothing beside fields that may be unknown"""
    made = documents.version_2([*RESOURCES, custom(FOO)])["definitions"]["com.example.stable.v1.CronTab"]
    assert made["properties"]["spec"] == {"type": "object", "required": ["b"], "properties": {"a": {}, "b": {}}}
    assert made["properties"]["any"] == {"x-kubernetes-preserve-unknown-fields": True}
    bare = documents.version_2([*RESOURCES, custom({"type": "object", "x-kubernetes-preserve-unknown-fields": True})])
    assert set(bare["definitions"]["com.example.stable.v1.CronTab"]) == {"type", "x-kubernetes-group-version-kind"}


def test_other_servers_documents_are_merged_behind_ours() -> None:
    """Rule: kube-aggregator pkg/controllers/openapi/aggregator"""
    own: Tree = {"paths": {"/a": 1}, "definitions": {"A": 1}}
    merged = documents.merged_version_2(own, [{"paths": {"/a": 2, "/b": 2}, "definitions": {"A": 2, "B": 2}}])
    assert merged == {"paths": {"/a": 1, "/b": 2}, "definitions": {"A": 1, "B": 2}}


def references(node: Any) -> list[str]:
    if isinstance(node, list):
        return [one for item in node for one in references(item)]
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [one for item in node.values() for one in references(item)]
    return []
