"""From a request line to what it asks for."""

import pytest

from apiserver.routes import Routes
from kube.api.resource import Resource

PODS = Resource("", "v1", "Pod", "pods", subresources=("log", "status"))
NODES = Resource("", "v1", "Node", "nodes", namespaced=False, subresources=("proxy",))
NAMESPACES = Resource("", "v1", "Namespace", "namespaces", namespaced=False)
DEPLOYMENTS = Resource("apps", "v1", "Deployment", "deployments")
ROUTES = Routes((PODS, NODES, NAMESPACES, DEPLOYMENTS))


@pytest.mark.parametrize(
    ("method", "target", "verb", "namespace", "plural", "name", "subresource"),
    [
        ("GET", "/api/v1/pods", "list", "", "pods", "", ""),
        ("GET", "/api/v1/namespaces/a/pods", "list", "a", "pods", "", ""),
        ("GET", "/api/v1/namespaces/a/pods?watch=true", "watch", "a", "pods", "", ""),
        ("GET", "/api/v1/namespaces/a/pods?watch=0", "list", "a", "pods", "", ""),
        ("GET", "/api/v1/watch/namespaces/a/pods", "watch", "a", "pods", "", ""),
        ("GET", "/api/v1/namespaces/a/pods/b", "get", "a", "pods", "b", ""),
        ("GET", "/api/v1/namespaces/a/pods/b/log", "get", "a", "pods", "b", "log"),
        ("POST", "/api/v1/namespaces/a/pods", "create", "a", "pods", "", ""),
        ("PUT", "/api/v1/namespaces/a/pods/b/status", "update", "a", "pods", "b", "status"),
        ("PATCH", "/apis/apps/v1/namespaces/a/deployments/b", "patch", "a", "deployments", "b", ""),
        ("DELETE", "/api/v1/namespaces/a/pods", "deletecollection", "a", "pods", "", ""),
        ("DELETE", "/api/v1/namespaces/a", "delete", "a", "namespaces", "a", ""),
        ("PUT", "/api/v1/namespaces/a/finalize", "update", "a", "namespaces", "a", "finalize"),
        ("GET", "/api/v1/nodes/n/proxy/metrics/cadvisor", "get", "", "nodes", "n", "proxy"),
        ("GET", "/api/v1/proxy/nodes/n/metrics/cadvisor", "get", "", "nodes", "n", "proxy"),
        ("POST", "/api/v1/proxy/namespaces/a/pods/b/x", "create", "a", "pods", "b", "proxy"),
        ("GET", "/api/v1/pods?fieldSelector=metadata.name%3Db", "list", "", "pods", "b", ""),
    ],
)
def test_a_resource_path_names_verb_place_and_name(
    method: str, target: str, verb: str, namespace: str, plural: str, name: str, subresource: str
) -> None:
    """Rule: apiserver pkg/endpoints/request/requestinfo.go"""
    path, _, query = target.partition("?")
    info = ROUTES.info(method, path, query.encode())
    assert info.is_resource
    assert (info.verb, info.namespace, info.plural, info.name, info.subresource) == (verb, namespace, plural, name, subresource)
    assert info.resource is not None


def test_the_rest_of_a_proxy_path_is_kept() -> None:
    for path in ("/api/v1/nodes/n/proxy/metrics/cadvisor", "/api/v1/proxy/nodes/n/metrics/cadvisor"):
        assert ROUTES.info("GET", path, b"").subpath == "/metrics/cadvisor"


@pytest.mark.parametrize("path", ["/", "/api", "/api/v1", "/apis", "/apis/apps", "/apis/apps/v1", "/healthz", "/version"])
def test_other_paths_are_no_resources(path: str) -> None:
    info = ROUTES.info("GET", path, b"")
    assert not info.is_resource
    assert info.verb == "get"


def test_rows_come_and_go() -> None:
    routes = Routes((PODS,))
    before = routes.generation
    routes.add(DEPLOYMENTS)
    assert routes.info("GET", "/apis/apps/v1/deployments", b"").resource is DEPLOYMENTS
    routes.remove(DEPLOYMENTS)
    assert routes.info("GET", "/apis/apps/v1/deployments", b"").resource is None
    assert routes.generation == before + 2
