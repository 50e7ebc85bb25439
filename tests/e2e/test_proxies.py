"""The proxies over a whole cluster: through services and pods, by kubectl proxy; WebSockets into pods, as the official suite."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import OURS, UPSTREAM, Cluster

SERVER = Path(__file__).with_name("proxied_server.py")
CLIENT = f"{sys.executable} {Path(__file__).with_name('api_client.py')}"
VERBS = ("DELETE", "OPTIONS", "PATCH", "POST", "PUT")
PODS = "/api/v1/namespaces/default/pods"
SERVICES = "/api/v1/namespaces/default/services"


@pytest.fixture(scope="module")
def proxied(cluster: Cluster) -> Iterator[tuple[Cluster, int]]:
    """A Service whose endpoint is a server on the node, and its port; and a pod of the node's own network, which has it too."""
    server = cluster.start(f"{sys.executable} {SERVER}")
    assert server.stdout is not None
    port = int(server.stdout.readline())
    address = cluster.ok("kubectl get nodes -o jsonpath='{.items[0].status.addresses[?(@.type==\"InternalIP\")].address}'")
    ports = [{"name": "web", "port": 80, "targetPort": port, "protocol": "TCP"}]
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "proxied"}, "spec": {"ports": ports}}
    slice_ = {
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": {"name": "proxied", "labels": {"kubernetes.io/service-name": "proxied"}},
        "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
        "ports": [{"name": "web", "port": port, "protocol": "TCP"}],
    }  # fmt: skip
    container = {"name": "main", "image": "busybox", "imagePullPolicy": "Never",
                 "command": ["sh", "-c", "echo container is alive; exec sleep 3600"]}  # fmt: skip
    spec = {"hostNetwork": True, "terminationGracePeriodSeconds": 0, "containers": [container]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "proxied"}, "spec": spec}
    objects = {"apiVersion": "v1", "kind": "List", "items": [service, slice_, pod]}
    cluster.ok("kubectl apply -f -", stdin=json.dumps(objects))
    cluster.ok("kubectl wait --for=condition=Ready pod/proxied --timeout=60s", within=70)
    yield cluster, port
    cluster.ok("kubectl delete -f -", stdin=json.dumps(objects), within=70)
    server.terminate()
    server.wait(10)
    server.stdout.close()


@pytest.mark.root
def test_every_verb_reaches_a_service_and_a_pod(proxied: tuple[Cluster, int]) -> None:
    """Rule: behaviour E.4.49.

    Conformance: [sig-network] Proxy version v1 A set of valid responses are returned for both pod and service Proxy [Conformance]
    Conformance: [sig-network] Proxy version v1 A set of valid responses are returned for both pod and service ProxyWithPath [Conformance]
    """  # noqa: E501
    cluster, port = proxied
    for place in (f"{PODS}/proxied:{port}", f"{SERVICES}/proxied", f"{SERVICES}/proxied:80", f"{SERVICES}/http:proxied:web"):
        for verb in (*VERBS, "GET"):
            said = json.loads(cluster.ok(f"{CLIENT} {verb} '{place}/proxy/some/path/with/{verb}?q=1'"))
            assert (said["Method"], said["Target"]) == (verb, f"/some/path/with/{verb}?q=1")
        for verb in VERBS:
            assert json.loads(cluster.ok(f"{CLIENT} {verb} '{place}/proxy?method={verb}'"))["Method"] == verb
        assert f"301 {place}/proxy/?method=GET" in cluster.ok(f"{CLIENT} GET '{place}/proxy?method=GET'")


@pytest.mark.root
def test_a_websocket_passes_through_a_proxy(proxied: tuple[Cluster, int]) -> None:
    cluster, _ = proxied
    assert cluster.ok(f"{CLIENT} socket {SERVICES}/proxied/proxy/socket").startswith("'hello'")


@pytest.mark.root
def test_a_command_runs_over_a_websocket(proxied: tuple[Cluster, int]) -> None:
    """Conformance: [sig-node] Pods should support remote command execution over websockets [NodeConformance] [Conformance]"""
    cluster, _ = proxied
    query = "stderr=1&stdout=1&container=main&command=cat&command=/etc/hosts"
    said = cluster.ok(f"{CLIENT} socket '{PODS}/proxied/exec?{query}' channel.k8s.io")
    assert said.startswith(r"'\x01'")  # the first message is empty
    assert "localhost" in said
    assert r"'\x03" not in said
    in_text = cluster.ok(f"{CLIENT} socket '{PODS}/proxied/exec?stdout=1&command=echo&command=hi' base64.channel.k8s.io")
    assert "'1aGkK'" in in_text


@pytest.mark.root
def test_a_log_comes_over_a_websocket(proxied: tuple[Cluster, int]) -> None:
    """
    Conformance: [sig-node] Pods should support retrieving logs from the container over websockets [NodeConformance] [Conformance]
    """
    cluster, _ = proxied
    said = cluster.ok(f"{CLIENT} socket '{PODS}/proxied/log?container=main' binary.k8s.io")
    assert r"'container is alive\n'" in said


@pytest.mark.root
@pytest.mark.parametrize("kubectl", [UPSTREAM, OURS], ids=["upstream", "ours"])
def test_kubectl_proxy_serves_the_api(proxied: tuple[Cluster, int], tmp_path: Path, kubectl: Path) -> None:
    """Rule: https://kubernetes.io/docs/reference/kubectl/generated/kubectl_proxy/

    Conformance: [sig-cli] Kubectl client Proxy server should support proxy with --port 0 [Conformance]
    Conformance: [sig-cli] Kubectl client Proxy server should support --unix-socket=/path [Conformance]
    Conformance: [sig-network] Proxy version v1 should proxy through a service and a pod [Conformance]
    """
    cluster, _ = proxied
    for flag, address in (("--port=0 --disable-filter", ""), (f"--unix-socket={tmp_path}/s", f"{tmp_path}/s")):
        process = cluster.start(f"{kubectl} proxy {flag}")
        assert process.stdout is not None
        line = next(one for one in process.stdout if one.startswith("Starting to serve on "))
        place = f"--unix-socket {address} http://localhost" if address else f"http://{line.split()[-1]}"
        try:
            assert '"versions"' in cluster.ok(f"curl -s {place}/api")
            assert '"Method":"GET"' in cluster.ok(f"curl -s {place}{SERVICES}/proxied/proxy/x")
        finally:
            process.terminate()
            process.wait(10)
            process.stdout.close()
