"""Probes on a real node: who is restarted, who is ready, and who never is; as in the official suite, with shorter times."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import grpc
import pytest

from tests.e2e.conftest import MANIFESTS, Cluster
from tests.e2e.test_pod_life import namespace
from tests.wait import eventually_sync

pytestmark = [pytest.mark.root, pytest.mark.timeout(240)]
SOON = 60
PACKAGES = Path(grpc.__file__).parents[1]


def get(shell: Cluster, pod: str) -> Any:
    return json.loads(shell.ok(f"kubectl get pod {pod} -o json"))


def restarts(shell: Cluster, pod: str) -> dict[str, int]:
    return {one["name"]: one["restartCount"] for one in get(shell, pod)["status"]["containerStatuses"]}


@pytest.fixture(scope="module")
def pods(cluster: Cluster) -> Iterator[Cluster]:
    shell = namespace(cluster, "pod-probes")
    manifest = (MANIFESTS / "pod-probes.yaml").read_text()
    image = shell.ok("kubectl -n kube-system get deployment coredns -o jsonpath='{.spec.template.spec.containers[0].image}'")
    manifest = manifest.replace("PYTHON_IMAGE", image).replace("SITE_PACKAGES", str(PACKAGES))
    shell.ok("kubectl apply -f -", stdin=manifest)
    shell.ok(f"kubectl wait --for=condition=Ready pod/well pod/late --timeout={SOON}s", within=SOON + 10)
    yield shell
    shell.ok("kubectl delete namespace pod-probes --wait=false")


def test_a_container_that_falls_ill_is_restarted_again_and_again(pods: Cluster) -> None:
    """Rule: behaviour E.5.52, E.5.53: the first restart at once, the next after 10 s

    Conformance: [sig-node] Probing container should be restarted with a exec "cat /tmp/health" liveness probe [NodeConformance] [Conformance]
    Conformance: [sig-node] Probing container should be restarted with a /healthz http liveness probe [NodeConformance] [Conformance]
    Conformance: [sig-node] Probing container should be restarted with a GRPC liveness probe [NodeConformance] [Conformance]
    Conformance: [sig-node] Probing container should have monotonically increasing restart count [NodeConformance] [Conformance]
    """  # noqa: E501
    seen: list[dict[str, int]] = []

    def all_twice() -> bool:
        seen.append(restarts(pods, "ill"))
        return min(seen[-1].values()) >= 2

    eventually_sync(all_twice, SOON, "each container restarted twice")
    for name in seen[0]:
        counts = [one[name] for one in seen]
        assert counts == sorted(counts)


def test_a_container_that_is_well_is_left_alone(pods: Cluster) -> None:
    """After the test before, so that a while has passed. Rule: behaviour E.5.52

    Conformance: [sig-node] Probing container should *not* be restarted with a exec "cat /tmp/health" liveness probe [NodeConformance] [Conformance]
    Conformance: [sig-node] Probing container should *not* be restarted with a /healthz http liveness probe [NodeConformance] [Conformance]
    Conformance: [sig-node] Probing container should *not* be restarted with a tcp:8080 liveness probe [NodeConformance] [Conformance]
    Conformance: [sig-node] Probing container should *not* be restarted with a GRPC liveness probe [NodeConformance] [Conformance]
    """  # noqa: E501
    assert restarts(pods, "well") == {"exec": 0, "http": 0, "tcp": 0, "grpc": 0}


def test_readiness_waits_for_its_probe_and_restarts_nobody(pods: Cluster) -> None:
    """Rule: behaviour E.5.52

    Conformance: [sig-node] Probing container with readiness probe should not be ready before initial delay and never restart [NodeConformance] [Conformance]
    Conformance: [sig-node] Probing container with readiness probe that fails should never be ready and never restart [NodeConformance] [Conformance]
    """  # noqa: E501
    status = get(pods, "late")["status"]
    (container,) = status["containerStatuses"]
    (ready,) = [one for one in status["conditions"] if one["type"] == "Ready"]
    began, became = (
        datetime.fromisoformat(one) for one in (container["state"]["running"]["startedAt"], ready["lastTransitionTime"])
    )
    assert (became - began).total_seconds() >= 5  # the times are whole seconds
    assert container["restartCount"] == 0
    (never,) = get(pods, "never-ready")["status"]["containerStatuses"]
    assert (never["ready"], never["restartCount"], "running" in never["state"]) == (False, 0, True)
