"""kill -9 of every program in turn, under the demo: it comes back, the state is there, the page is served, no container restarts.

Rule: a killed program is a normal event. Ten seconds for every program, thirty for the container engine.
"""

import json

import pytest

from tests.e2e.conftest import UPSTREAM, Cluster
from tests.wait import eventually_sync

PROGRAMS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "etcd")
CONTROL_PLANE = ("kube-controller-manager", "kube-scheduler", "kube-apiserver", "etcd")
BACK_SECONDS, ENGINE_BACK_SECONDS = 10, 30


@pytest.fixture
def demo(cluster: Cluster) -> Cluster:
    """The demo of `make up`, settled."""
    cluster.ok(f"{UPSTREAM} rollout status deployment/web --timeout=60s", within=70)
    cluster.until(page(cluster), "Welcome")
    return cluster


def page(cluster: Cluster) -> str:
    """The line that fetches the page through the ClusterIP."""
    address = cluster.ok(f"{UPSTREAM} get service web -o jsonpath='{{.spec.clusterIP}}'")
    return f"fetch http://{address}/"


def containers(cluster: Cluster) -> dict[str, str]:
    """The engine's containers of the demo, and when each was started."""
    ids = cluster.ok("docker ps -q --filter label=io.kubernetes.pod.namespace=default").split()
    found = json.loads(cluster.ok(f"docker inspect {' '.join(ids)}"))
    return {one["Id"]: one["State"]["StartedAt"] for one in found}


def pods(cluster: Cluster) -> str:
    """Names, uids and restarts of the demo's pods."""
    form = '{range .items[*]}{.metadata.name} {.metadata.uid} {.status.containerStatuses[0].restartCount}{"\\n"}{end}'
    return cluster.ok(f"{UPSTREAM} get pods -l app=web -o jsonpath='{form}'")


def killed_and_back(cluster: Cluster, program: str, within: float) -> None:
    before = cluster.pid(program)
    cluster.ok(f"kill -9 {before}")
    eventually_sync(lambda: cluster.pid(program) not in (0, before), within, f"{program} runs again")


@pytest.mark.parametrize("program", PROGRAMS)
def test_killed_program_comes_back_and_nothing_is_lost(demo: Cluster, program: str) -> None:
    line, running, known = page(demo), containers(demo), pods(demo)
    killed_and_back(demo, program, BACK_SECONDS)
    demo.until(line, "Welcome", within=BACK_SECONDS)
    demo.until(f"{UPSTREAM} get nodes", " Ready", within=BACK_SECONDS)
    assert pods(demo) == known
    assert containers(demo) == running
    # the cluster still does what it is told
    demo.ok(f"{UPSTREAM} scale deployment/web --replicas=4")
    demo.until(f"{UPSTREAM} get deployment web -o jsonpath='ready={{.status.readyReplicas}}'", "ready=4", within=30)
    demo.ok(f"{UPSTREAM} scale deployment/web --replicas=3")
    demo.until(f"{UPSTREAM} get deployment web -o jsonpath='n={{.status.replicas}} r={{.status.readyReplicas}}'", "n=3 r=3")


@pytest.mark.parametrize("engine", ["dockerd", "containerd"])
def test_killed_engine_comes_back_under_running_containers(demo: Cluster, engine: str) -> None:
    """Rule: live-restore: containers outlive the engine."""
    line, running, known = page(demo), containers(demo), pods(demo)
    killed_and_back(demo, engine, ENGINE_BACK_SECONDS)
    demo.until("docker ps -q", "\n", within=ENGINE_BACK_SECONDS)
    demo.until(line, "Welcome", within=ENGINE_BACK_SECONDS)
    assert containers(demo) == running
    assert pods(demo) == known
    demo.ok(f"{UPSTREAM} scale deployment/web --replicas=4")
    demo.until(
        f"{UPSTREAM} get deployment web -o jsonpath='ready={{.status.readyReplicas}}'", "ready=4", within=ENGINE_BACK_SECONDS
    )
    demo.ok(f"{UPSTREAM} scale deployment/web --replicas=3")
    demo.until(f"{UPSTREAM} get deployment web -o jsonpath='n={{.status.replicas}} r={{.status.readyReplicas}}'", "n=3 r=3")


def test_page_is_served_while_the_control_plane_is_down(demo: Cluster) -> None:
    line, running = page(demo), containers(demo)
    for program in CONTROL_PLANE:
        demo.ok(demo.control(f"stop {program}"))
    try:
        for _ in range(10):
            assert "Welcome" in demo.ok(line)
    finally:
        for program in reversed(CONTROL_PLANE):
            demo.ok(demo.control(f"start {program}"))
    demo.until(f"{UPSTREAM} get nodes", " Ready", within=30)
    assert containers(demo) == running
