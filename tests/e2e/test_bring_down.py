"""Down and purge leave the host as it was; up after down finds its data again. A cluster of its own, in a namespace of its own.

Rule: what a cluster makes on a host is taken away with it: links, addresses, routes, packet rules, kernel settings, mounts,
cgroups and processes.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import DOWN_SECONDS, UP_SECONDS, UPSTREAM, Cluster, local, tools_of
from tests.traces import left_behind, of_machine, of_network

POD = """
apiVersion: v1
kind: Pod
metadata: {name: uses}
spec:
  terminationGracePeriodSeconds: 300
  volumes: [{name: memory, emptyDir: {medium: Memory}}, {name: host, hostPath: {path: /tmp}}]
  containers:
  - name: main
    image: busybox
    imagePullPolicy: Never
    command: [sh, -c, "trap '' TERM; sleep 3600"]
    ports: [{containerPort: 80, hostPort: 8088}]
    resources: {limits: {memory: 64Mi, cpu: 100m}}
    volumeMounts: [{name: memory, mountPath: /memory}, {name: host, mountPath: /host}]
"""


@pytest.fixture
def machine() -> Iterator[Cluster]:
    """Where a cluster may be brought up, and nothing is yet."""
    name = f"skiff-down-{os.getpid()}"
    state = Path(f"/tmp/{name}")
    subprocess.run(["ip", "netns", "add", name], check=True)
    subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
    machine = Cluster(name, state)
    try:
        tools = tools_of(state, UPSTREAM)
        tools.mkdir(parents=True)
        (tools / "kubectl").symlink_to(UPSTREAM)
        yield machine
    finally:
        machine.run(local(machine, "purge"), within=DOWN_SECONDS)
        subprocess.run(["ip", "netns", "del", name], check=True)
        shutil.rmtree(state, ignore_errors=True)


@pytest.mark.timeout(600)  # up and down, twice
def test_down_and_purge_leave_the_host_as_it_was(machine: Cluster) -> None:
    before = traces(machine)
    logs = machine.state.with_name(f"{machine.state.name}-logs") / "pods"
    (logs / "other_pod_1234").mkdir(parents=True)  # of somebody else's kubelet
    up = f"{local(machine, 'up')} --pod-logs {logs}"
    machine.ok(up, within=UP_SECONDS)
    machine.ok("kubectl apply -f -", stdin=POD)
    machine.ok("kubectl wait --for=condition=Ready pod/uses --timeout=60s", within=70)
    assert list(logs.glob("default_uses_*/main/0.log"))
    assert traces(machine) != before
    machine.ok(local(machine, "down"), within=DOWN_SECONDS)
    assert left_behind(before, traces(machine)) == {}
    assert (machine.state / "etcd").is_dir()
    machine.ok(up, within=UP_SECONDS)
    machine.ok("kubectl wait --for=condition=Ready pod/uses --timeout=60s", within=70)
    machine.ok(local(machine, "purge"), within=DOWN_SECONDS)
    assert left_behind(before, traces(machine)) == {}
    assert [path.name for path in machine.state.iterdir()] == ["tools"]  # this test's own
    assert [path.relative_to(logs.parent) for path in logs.parent.rglob("*")] == [Path("pods"), Path("pods/other_pod_1234")]
    shutil.rmtree(logs.parent)


def test_status_tells_that_a_cluster_is_down(machine: Cluster) -> None:
    done = machine.run(local(machine, "status"))
    assert (done.code, done.out) == (1, "The cluster is down. `make up` starts it.\n")


def traces(machine: Cluster) -> dict[str, Any]:
    """All that a cluster may leave behind."""
    return of_network(machine.netns) | of_machine(machine.state, machine.netns)
