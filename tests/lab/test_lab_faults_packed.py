"""A node as full as it may be: 110 pods, and the engine restarted under them."""

import time
from collections import Counter
from typing import Any

import pytest

from deploy.supervise import Supervisor
from tests.lab.conftest import Lab
from tests.lab.faults import containers, memory_mib, on_node, pid, processor_seconds
from tests.wait import eventually_sync

NODE, MOST = "node4", 110
START_SECONDS, END_SECONDS = 150, 120
QUIET_SECONDS, QUIET_SHARE, QUIET_MIB = 5.0, 0.05, 150

pytestmark = [pytest.mark.root, pytest.mark.timeout(420)]


def test_a_full_node_runs_every_pod_and_its_engine_is_restarted_under_them(lab: Lab) -> None:
    """One pod more is not taken; at rest the kubelet is hardly seen.
    Rule: https://kubernetes.io/docs/setup/best-practices/cluster-large/ (110 pods a node);
    https://docs.docker.com/engine/daemon/live-restore/"""
    running = f"--field-selector=spec.nodeName={NODE}"
    there = len(lab.get("pods", "--all-namespaces", running))
    pod = {
        "terminationGracePeriodSeconds": 0,
        "enableServiceLinks": False,
        "automountServiceAccountToken": False,
        "containers": [{"name": "main", "image": "busybox", "imagePullPolicy": "Never", "command": ["sleep", "3600"]}],
        **on_node(NODE),
    }
    chosen = {"app": "full"}
    spec = {
        "replicas": MOST - there + 1,
        "selector": {"matchLabels": chosen},
        "template": {"metadata": {"labels": chosen}, "spec": pod},
    }
    lab.create({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "full"}, "spec": spec})
    try:
        ready = "get deployment full -o jsonpath={.status.readyReplicas}"
        lab.until(ready, str(MOST - there), within=START_SECONDS)
        (waiting,) = [one for one in lab.get("pods", "--selector=app=full") if one["status"]["phase"] == "Pending"]
        assert "Too many pods" in waiting["status"]["conditions"][0]["message"]
        addresses = Counter(one["status"].get("podIP") for one in lab.get("pods", "--all-namespaces", running))
        assert max(addresses.values()) == 1
        is_quiet(lab)
        before = running_here(lab)
        engine = Supervisor(lab.host(NODE))
        engine.stop_program("dockerd")
        engine.start_program("dockerd")
        eventually_sync(lambda: running_here(lab) == before, 30, "the engine answers, with the same containers")
        restarts = {one["status"]["containerStatuses"][0]["restartCount"] for one in running_pods(lab)}
        assert restarts == {0}
        lab.kubectl("delete", "pod", waiting["metadata"]["name"], running_pods(lab)[0]["metadata"]["name"], "--wait=false")
        lab.until(ready, str(MOST - there), within=60)  # the node goes on
    finally:
        lab.kubectl("delete", "deployment", "full", "--cascade=foreground", f"--timeout={END_SECONDS}s", within=END_SECONDS + 10)


def is_quiet(lab: Lab) -> None:
    """Within the deadline there are some seconds in which the kubelet uses next to nothing."""
    kubelet = pid(lab, NODE, "kubelet")
    marks = [(time.monotonic(), processor_seconds(kubelet))]

    def quiet() -> str:
        now, used = time.monotonic(), processor_seconds(kubelet)
        begun, before = marks[-1]
        if now - begun < QUIET_SECONDS:
            return ""
        marks.append((now, used))
        share = (used - before) / (now - begun)
        assert share < QUIET_SHARE, f"{share:.1%} of a core"
        return f"{share:.1%} of a core"

    found = eventually_sync(quiet, 60, "the kubelet is at rest")
    memory = memory_mib(kubelet)
    print(f"kubelet with {MOST} pods: {found}, {memory:.0f} MiB")
    assert memory < QUIET_MIB


def running_pods(lab: Lab) -> list[dict[str, Any]]:
    return [one for one in lab.get("pods", "--selector=app=full") if one["status"]["phase"] == "Running"]


def running_here(lab: Lab) -> dict[str, str]:
    return {one["Id"]: one["State"]["StartedAt"] for one in containers(lab, NODE)}
