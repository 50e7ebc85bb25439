"""A node's own server, through the API server's proxy, and what it tells whom (walkthrough: the API server as a proxy)."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.conftest import KUBECTL, Lab
from tests.wait import eventually_sync

PROXY = "/api/v1/nodes/node2/proxy"
# A request without credentials, from the other node: the status it gets.
ASK = """
import http.client, ssl, sys
context = ssl.create_default_context(); context.check_hostname = False; context.verify_mode = ssl.CERT_NONE
connection = http.client.HTTPSConnection(sys.argv[1], 10250, context=context, timeout=5)
connection.request("GET", sys.argv[2])
print(connection.getresponse().status)
"""
POD = """
apiVersion: v1
kind: Pod
metadata: {name: measured}
spec:
  nodeName: node2
  terminationGracePeriodSeconds: 0
  volumes: [{name: data, emptyDir: {}}]
  containers:
  - name: main
    image: busybox
    imagePullPolicy: Never
    command: [sh, -c, "dd if=/dev/zero of=/data/file bs=1M count=3; sleep 3600"]
    volumeMounts: [{name: data, mountPath: /data}]
    resources: {limits: {memory: 64Mi}}
"""

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]


def raw(lab: Lab, path: str) -> str:
    return lab.kubectl("get", "--raw", PROXY + path)


def test_a_nodes_statistics_metrics_pods_and_logs_are_had_through_the_api_server(lab: Lab, tmp_path: Path) -> None:
    """Rule: https://kubernetes.io/docs/reference/instrumentation/node-metrics/, behaviour E.5.62"""
    environment = {"KUBECONFIG": str(lab.state / "admin.conf"), "HOME": str(tmp_path)}  # kubectl keeps there what it found
    subprocess.run([KUBECTL, "apply", "-f", "-"], input=POD, text=True, check=True, timeout=30, env=environment)
    lab.kubectl("wait", "--for=condition=Ready", "pod/measured", "--timeout=60s", within=70)
    try:
        summary = json.loads(raw(lab, "/stats/summary"))
        assert summary["node"]["nodeName"] == "node2"
        assert summary["node"]["memory"]["availableBytes"] > 0
        pod = next(one for one in summary["pods"] if one["podRef"]["name"] == "measured")
        assert pod["containers"][0]["memory"]["workingSetBytes"] > 0
        assert pod["network"]["name"] == "eth0"
        assert next(one for one in pod["volume"] if one["name"] == "data")["capacityBytes"] > 0
        assert 'container_memory_working_set_bytes{container="main",namespace="default",pod="measured"}' in raw(
            lab, "/metrics/resource"
        )
        assert 'container_cpu_usage_seconds_total{container="main",cpu="total"' in raw(lab, "/metrics/cadvisor")
        assert "kubernetes_build_info" in raw(lab, "/metrics")
        for path in ("/pods", "/runningpods/"):
            assert "measured" in [one["metadata"]["name"] for one in json.loads(raw(lab, path))["items"]]
        assert raw(lab, "/healthz") == "ok"
        assert "kubeletconfig" in json.loads(raw(lab, "/configz"))
        assert raw(lab, "/logs/").startswith("<pre>")
        assert json.loads(raw(lab, "/spec"))["num_cores"] > 0
    finally:
        lab.kubectl("delete", "pod", "measured", "--now")


def test_a_node_answers_nobody_without_credentials(lab: Lab) -> None:
    """Rule: https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/"""

    def status(path: str) -> str:
        return lab.on("node1", sys.executable, "-c", ASK, "198.19.0.12", path).stdout.strip()

    eventually_sync(lambda: status("/healthz") == "401", 20, "401")
    assert [status(path) for path in ("/pods", "/stats/summary", "/exec/a/b/c")] == ["401", "401", "401"]
    local = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:10248/healthz').read().decode())"
    assert lab.on("node2", sys.executable, "-c", local).stdout.strip() == "ok"
