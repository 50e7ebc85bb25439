"""metrics-server: from a kubelet's page to usage, and from usage to the API's objects."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from addons.metrics.access import Proxies
from addons.metrics.objects import list_of, node_metrics, pod_metrics, table
from addons.metrics.readings import Container, Point, Reading, read
from addons.metrics.server import Asked, Server, asked_of, selected
from addons.metrics.usage import Nodes, Usage, between
from kube.api.status import BadRequest
from kube.client.cache import Cache
from kube.component.health import Check, Health

PAGE = """# TYPE container_cpu_usage_seconds_total counter
container_cpu_usage_seconds_total{container="web",namespace="shop",pod="a"} 4.5 1700000010000
container_memory_working_set_bytes{container="web",namespace="shop",pod="a"} 1048576 1700000010000
container_start_time_seconds{container="web",namespace="shop",pod="a"} 1700000000 1700000010000
container_swap_usage_bytes{container="web",namespace="shop",pod="a"} 0 1700000010000
node_cpu_usage_seconds_total 100 1700000010000
node_memory_working_set_bytes 2048
pod_cpu_usage_seconds_total{namespace="shop",pod="a"} 5 1700000010000
"""
WEB = Container("shop", "a", "web")
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_a_kubelets_page_is_read_as_points_in_time() -> None:
    found = read(PAGE, now=7.0)
    assert found.containers == {WEB: Point(1700000010.0, 4.5, 1048576.0, 1700000000.0)}
    assert (found.node.cpu, found.node.memory, found.node.at) == (100.0, 2048.0, 7.0)  # the last line told no time


@pytest.mark.parametrize("value", ["NaN", "+Inf", "four"])
def test_what_is_no_number_leaves_its_container_unmeasured_and_all_others_measured(value: str) -> None:
    """Rule: https://prometheus.io/docs/instrumenting/exposition_formats/#comments-help-text-and-type-information (NaN, +Inf)"""
    found = read(PAGE.replace("4.5", value), now=7.0)
    assert (found.containers[WEB].whole, found.node.whole) == (False, True)


def test_usage_is_the_seconds_of_cpu_between_two_looks_by_the_seconds_between_them() -> None:
    assert between(Point(100.0, 10.0, 1, 50.0), Point(115.0, 13.0, 2, 50.0)) == Usage(115.0, 15.0, 0.2, 2)
    assert between(None, Point(115.0, 13.0, 2)) is None


@pytest.mark.parametrize("before", [None, Point(100.0, 90.0, 1, 50.0)])
def test_a_container_that_was_started_since_is_measured_from_its_start(before: Point | None) -> None:
    """Rule: a counter that begins anew says nothing together with the old one."""
    assert between(before, Point(115.0, 1.0, 2, 110.0)) == Usage(115.0, 5.0, 0.2, 2)
    assert between(before, Point(110.5, 1.0, 2, 110.0)) is None


def test_a_node_that_does_not_answer_has_no_usage_until_it_was_seen_twice() -> None:
    nodes = Nodes()
    nodes.take("one", Reading(Point(100.0, 10.0, 5)))
    assert (nodes.known, nodes.node("one")) == (False, None)
    nodes.take("one", Reading(Point(110.0, 11.0, 6)))
    assert nodes.node("one") == Usage(110.0, 10.0, 0.1, 6)
    nodes.drop("one")
    nodes.take("one", Reading(Point(120.0, 12.0, 7)))
    assert nodes.node("one") is None
    nodes.keep({"two"})
    assert not nodes.known


def test_objects_have_the_shape_that_kubectl_top_reads() -> None:
    """Rule: https://kubernetes.io/docs/reference/external-api/metrics.v1beta1/"""
    usage = Usage(1700000010.0, 15.0384, 0.1234567891, 45678592)
    assert node_metrics("n", {"a": "b"}, usage, NOW) == {
        "kind": "NodeMetrics",
        "apiVersion": "metrics.k8s.io/v1beta1",
        "metadata": {"name": "n", "creationTimestamp": "2026-01-02T03:04:05Z", "labels": {"a": "b"}},
        "timestamp": "2023-11-14T22:13:30Z",
        "window": "15.038s",
        "usage": {"cpu": "123456789n", "memory": "44608Ki"},
    }
    pod = pod_metrics("shop", "a", {}, {"x": usage, "old": usage._replace(at=1700000000.0)}, NOW)
    assert [one["name"] for one in pod["containers"]] == ["old", "x"]
    assert pod["timestamp"] == "2023-11-14T22:13:20Z"
    assert list_of("pods", [pod])["kind"] == "PodMetricsList"
    shown = table([pod])
    assert [one["name"] for one in shown["columnDefinitions"]] == ["Name", "cpu", "memory", "Window"]
    assert shown["rows"][0]["cells"] == ["a", "246913578n", "89216Ki", "15.038s"]


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/apis/metrics.k8s.io/v1beta1/nodes", Asked("nodes")),
        ("/apis/metrics.k8s.io/v1beta1/nodes/n", Asked("nodes", "", "n")),
        ("/apis/metrics.k8s.io/v1beta1/pods", Asked("pods")),
        ("/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods/a", Asked("pods", "shop", "a")),
        ("/apis/metrics.k8s.io/v1beta1/namespaces/shop", None),
        ("/apis/metrics.k8s.io/v1beta1", None),
        ("/metrics", None),
    ],
)
def test_a_path_names_a_resource_or_none(path: str, asked: Asked | None) -> None:
    assert asked_of(path) == asked


def test_lists_are_selected_by_labels_names_and_namespaces() -> None:
    tree = {"metadata": {"name": "a", "namespace": "shop", "labels": {"app": "web"}}}
    assert selected(tree, {"labelSelector": ["app in (web,api)"], "fieldSelector": ["metadata.name=a,metadata.namespace!=other"]})
    assert not selected(tree, {"labelSelector": ["!app"]})
    assert not selected(tree, {"fieldSelector": ["metadata.name!=a"]})
    with pytest.raises(BadRequest, match=r"field label not supported: spec\.nodeName"):
        selected(tree, {"fieldSelector": ["spec.nodeName=n"]})


def test_a_proxy_names_its_user_in_headers_if_its_certificate_is_one_of_those_allowed() -> None:
    """Rule: https://kubernetes.io/docs/tasks/extend-kubernetes/configure-aggregation-layer/"""
    proxies = Proxies("PEM", ("front-proxy-client",), ("x-remote-user",), ("x-remote-group",), ("x-remote-extra-",))
    headers = [("x-remote-user", "joe"), ("x-remote-group", "dev"), ("x-remote-group", "ops"), ("x-remote-extra-scopes", "read")]
    user = proxies.user_of({"CN": "front-proxy-client"}, headers)
    assert user is not None
    assert (user.name, user.groups, user.extra) == ("joe", ("dev", "ops"), (("scopes", ("read",)),))
    assert proxies.user_of({"CN": "somebody"}, headers) is None
    assert proxies.user_of({"CN": "front-proxy-client"}, []) is None


def test_a_program_without_numbers_lives_but_is_not_ready() -> None:
    """Rule: else its liveness probe would end it before it could have any."""

    async def not_ready() -> str | None:
        return "no metrics to serve"

    app = Server(Nodes(), Cache(), Cache(), None, Health(Check("metric-storage-ready", not_ready)))
    answers: list[int] = []

    async def send(message: Any) -> None:
        answers.extend([message["status"]] if "status" in message else [])

    async def receive() -> None:
        raise AssertionError("nothing is read")

    for path in ("/livez", "/healthz", "/readyz"):
        scope: dict[str, Any] = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": []}
        asyncio.run(app.app(scope, receive, send))
    assert answers == [200, 200, 500]
