"""What discovery tells: its order, its hashes, and what other servers serve."""

from apiserver import discovery_trees as trees
from apiserver.accept import Offer, chosen
from apiserver.group_priority import CUSTOM, Priority, ordered, version_rank
from apiserver.routes import RemoteVersion
from kube.api.resource import Resource
from kube.api.resources import RESOURCES, resource_for

LIST = {
    "kind": "APIResourceList", "groupVersion": "metrics.k8s.io/v1beta1",
    "resources": [
        {"name": "pods", "singularName": "", "namespaced": True, "kind": "PodMetrics", "verbs": ["get", "list"],
         "shortNames": ["p"]},
        {"name": "pods/scale", "singularName": "", "namespaced": True, "kind": "Scale", "group": "autoscaling", "version": "v1",
         "verbs": ["get"]},
    ],
}  # fmt: skip
REMOTE = RemoteVersion("metrics.k8s.io", "v1beta1", Priority(100, 100), trees.as_aggregated(LIST))


def test_groups_are_told_by_priority_then_name() -> None:
    """Rule: kube-aggregator pkg/apis/apiregistration/v1/helper SortedByGroupAndVersion"""
    custom = Resource("a.example.com", "v1", "A", "as")
    found = list(trees.groups([custom, *RESOURCES], [REMOTE]))
    assert found[:4] == ["apiregistration.k8s.io", "", "apps", "events.k8s.io"]
    assert found[-2:] == ["a.example.com", "metrics.k8s.io"]
    assert trees.groups(RESOURCES)["autoscaling"] == ["v2", "v1"]
    versions = ("v1beta1", "v10", "v2", "v1", "v1alpha1", "foo", "bar", "v2beta1", "v1beta2")
    assert ordered(("x", one, CUSTOM) for one in versions)["x"] == [
        "v10", "v2", "v1", "v2beta1", "v1beta2", "v1beta1", "v1alpha1", "bar", "foo",
    ]  # fmt: skip
    assert version_rank("v2") > version_rank("v1")


def test_what_another_server_serves_is_told_and_whether_it_answers() -> None:
    """Rule: KEP-3352: freshness"""
    told = trees.aggregated(RESOURCES, [REMOTE], core=False)["items"][-1]
    assert told["metadata"] == {"name": "metrics.k8s.io"}
    version = told["versions"][0]
    assert version["freshness"] == "Current"
    assert version["resources"] == [{
        "resource": "pods", "scope": "Namespaced", "singularResource": "", "verbs": ["get", "list"], "shortNames": ["p"],
        "responseKind": {"group": "metrics.k8s.io", "version": "v1beta1", "kind": "PodMetrics"},
        "subresources": [
            {"subresource": "scale", "verbs": ["get"], "responseKind": {"group": "autoscaling", "version": "v1", "kind": "Scale"}}
        ],
    }]  # fmt: skip
    stale = RemoteVersion("metrics.k8s.io", "v1beta1", CUSTOM, (), stale=True)
    told = trees.aggregated(RESOURCES, [stale], core=False)["items"][-1]
    assert told["versions"] == [{"version": "v1beta1", "freshness": "Stale"}]


def test_a_group_version_of_ours_is_ours_whoever_claims_it() -> None:
    """Rule: kube-aggregator pkg/controllers/autoregister: local group versions are served here"""
    claimed = RemoteVersion("apps", "v1", Priority(1, 1), (), stale=True)
    told = next(one for one in trees.aggregated(RESOURCES, [claimed], core=False)["items"] if one["metadata"]["name"] == "apps")
    assert told["versions"][0]["freshness"] == "Current"
    assert len(told["versions"]) == 1


def test_the_storage_hash_is_of_the_version_that_is_stored() -> None:
    """Rule: apiserver StorageVersionHash"""
    pods = resource_for("", "v1", "pods")
    assert pods is not None
    assert trees.storage_hash(pods) == "xPOwRZ+Yhw8="
    one = Resource("a.example.com", "v2", "A", "as", stored_version="v1")
    assert trees.storage_hash(one) == trees.storage_hash(Resource("a.example.com", "v1", "A", "as"))


def test_the_form_that_is_liked_best_and_offered_is_taken() -> None:
    """Rule: https://www.rfc-editor.org/rfc/rfc9110#name-accept"""
    json, own = Offer("application/json"), Offer("application/json", {"g": "x", "v": "v2", "as": "L"})
    offers = (json, own)
    assert chosen("application/json;g=x;v=v2;as=L,application/json", offers) is own
    assert chosen("application/json;as=L;v=v2;g=x;q=0.9,application/json", offers) is json
    assert chosen("application/json;g=x;v=v1;as=L,application/json", offers) is json
    assert chosen("", offers) is json
    assert chosen("application/*", offers) is json
    assert chosen("text/html, */*;q=0.1", offers) is json
    assert chosen("application/vnd.kubernetes.protobuf", offers) is None
    assert chosen("application/json;q=0", offers) is None
