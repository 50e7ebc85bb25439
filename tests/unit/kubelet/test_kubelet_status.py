"""Phases, conditions and container states, as the API server is told them."""

from dataclasses import replace
from typing import Any

import pytest

from kube.api.meta import Tree
from kube.api.types import Pod, PodStatus
from kube.api.views import view
from kubelet.pod_state import IMAGE_DIGEST, Health, Observed, Waiting
from kubelet.runtime.runtime import Image, RuntimeContainer
from kubelet.status import pod_status
from kubelet.status_manager import patch_of, same
from tests.unit.kubelet.pods import NOW, a_container, a_look, a_pod, an_end, ended, running


def told(pod: Pod, observed: Observed, known: PodStatus | None = None) -> Tree:
    return pod_status(pod, observed, NOW, ("192.0.2.1",), known or PodStatus())


def condition(status: Tree, kind: str) -> Tree:
    return next({k: v for k, v in one.items() if v is not None} for one in status["conditions"] if one["type"] == kind)


OOM = ended("a", 137, reason="OOMKilled")


@pytest.mark.parametrize(
    ("records", "policy", "phase"),
    [
        ([ended("a", 0)], "Always", "Running"),
        ([ended("a", 0)], "OnFailure", "Succeeded"),
        ([ended("a", 0)], "Never", "Succeeded"),
        ([ended("a", 1)], "Always", "Running"),
        ([ended("a", 1)], "OnFailure", "Running"),
        ([ended("a", 1)], "Never", "Failed"),
        ([ended("a", 1), running("b")], "Always", "Running"),
        ([ended("a", 1), running("b")], "OnFailure", "Running"),
        ([ended("a", 1), running("b")], "Never", "Running"),
        ([OOM, running("b")], "Never", "Running"),
        ([OOM, ended("b", 0)], "Never", "Failed"),
    ],
)  # fmt: skip
def test_the_phase_after_an_end(records: list[RuntimeContainer], policy: str, phase: str) -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-phase"""
    pod = a_pod(*(one.name for one in records), restartPolicy=policy)
    assert told(pod, a_look(*records))["phase"] == phase


def test_a_pod_without_containers_yet_is_pending_and_creating() -> None:
    status = told(a_pod(), Observed())
    assert status["phase"] == "Pending"
    assert status["containerStatuses"][0]["state"] == {"waiting": {"reason": "ContainerCreating"}}
    assert condition(status, "PodReadyToStartContainers")["status"] == "False"


def test_containers_wait_for_init_containers_and_say_so() -> None:
    status = told(a_pod(init=[a_container("first")]), a_look(running("first")))
    assert status["phase"] == "Pending"
    assert status["containerStatuses"][0]["state"] == {"waiting": {"reason": "PodInitializing"}}
    assert condition(status, "Initialized") == {
        "type": "Initialized",
        "status": "False",
        "reason": "ContainersNotInitialized",
        "message": "containers with incomplete status: [first]",
        "lastTransitionTime": "2026-01-02T03:04:05Z",
    }


def test_containers_of_a_pod_whose_init_containers_failed_say_that_it_initializes() -> None:
    """Rule: kubelet_pods.go convertToAPIContainerStatuses; the official suite looks at every status of such a pod."""
    status = told(a_pod(init=[a_container("first")], restartPolicy="Never"), a_look(ended("first", 1)))
    assert status["phase"] == "Failed"
    assert status["containerStatuses"][0]["state"] == {"waiting": {"reason": "PodInitializing"}}


def test_a_crash_loop_shows_why_it_waits_and_how_it_ended() -> None:
    waiting = Waiting("CrashLoopBackOff", "back-off 10s restarting failed container=main pod=web_default(0000-uid)")
    status = told(a_pod(), a_look(ended("main", 3, 2), waiting={"main": waiting}))["containerStatuses"][0]
    assert status["state"] == {"waiting": {"reason": waiting.reason, "message": waiting.message}}
    assert (status["lastState"]["terminated"]["exitCode"], status["restartCount"]) == (3, 2)


def test_ready_names_the_containers_that_are_not() -> None:
    look = a_look(running("one"), running("two"), health={"one-0": Health(), "two-0": Health(ready=False)})
    status = told(a_pod("one", "two"), look)
    assert condition(status, "Ready")["message"] == "containers with unready status: [two]"
    assert condition(status, "ContainersReady")["reason"] == "ContainersNotReady"


def test_readiness_gates_have_their_say() -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-readiness-gate"""
    pod = a_pod(readinessGates=[{"conditionType": "example.com/lb"}])
    look = a_look(running("main"))
    missing = 'corresponding condition of pod readiness gate "example.com/lb" does not exist.'
    assert condition(told(pod, look), "Ready")["message"] == missing
    for state, ready in (("True", "True"), ("False", "False")):  # another writes it; the kubelet itself never told of it
        gate: Any = {"conditions": [{"type": "example.com/lb", "status": state}]}
        pod.status = view(PodStatus, gate)
        assert condition(told(pod, look), "Ready")["status"] == ready
    assert (
        condition(told(pod, look), "Ready")["message"]
        == 'the status of pod readiness gate "example.com/lb" is not "True", but False'
    )


def test_a_transition_time_changes_with_its_status_only() -> None:
    old: Any = {"conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2020-01-01T00:00:00Z"}]}
    known = view(PodStatus, old)
    assert condition(told(a_pod(), a_look(running("main")), known), "Ready")["lastTransitionTime"] == "2020-01-01T00:00:00Z"
    unready = a_look(running("main"), health={"main-0": Health(ready=False)})
    assert condition(told(a_pod(), unready, known), "Ready")["lastTransitionTime"] == "2026-01-02T03:04:05Z"


def test_a_deleted_pod_ends_succeeded_or_failed_by_its_exit_codes() -> None:
    assert told(a_pod(), a_look(ended("main", 0), ending=an_end()))["phase"] == "Succeeded"
    assert told(a_pod(), a_look(ended("main", 137), ending=an_end()))["phase"] == "Failed"


def test_a_pod_past_its_deadline_is_failed_and_says_why() -> None:
    look = a_look(ended("main", 0), ending=an_end(reason="DeadlineExceeded", message="too long", failed=True))
    status = told(a_pod(), look)
    assert (status["phase"], status["reason"], status["message"]) == ("Failed", "DeadlineExceeded", "too long")


def test_a_final_phase_stays() -> None:
    """Rule: pod phases are monotonic."""
    assert told(a_pod(), a_look(running("main")), PodStatus(phase="Succeeded"))["phase"] == "Succeeded"


def test_a_completed_pod_is_initialized_and_not_ready() -> None:
    status = told(a_pod(restartPolicy="Never"), a_look(ended("main", 0)))
    assert condition(status, "Initialized")["reason"] == "PodCompleted"
    assert (condition(status, "Ready")["status"], condition(status, "Ready")["reason"]) == ("False", "PodCompleted")


def test_what_the_server_knows_already_is_not_sent() -> None:
    pod = a_pod()
    status = told(pod, a_look(running("main")))
    tree: Any = {"metadata": {}, "spec": {"containers": []}, "status": {k: v for k, v in status.items() if v is not None}}
    assert same(view(Pod, tree), status)
    assert not same(view(Pod, tree), {**status, "phase": "Failed"})


def test_addresses_replace_the_old_ones_though_patches_merge_them() -> None:
    assert patch_of({"podIPs": [{"ip": "10.0.0.1"}]}) == {"podIPs": [{"$patch": "replace"}, {"ip": "10.0.0.1"}]}


def test_the_last_words_of_a_pods_containers_have_twelve_kibibytes_together() -> None:
    """Rule: https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/ · behaviour E.5.59"""
    names = ("a", "b", "c", "d", "e", "f")
    records = [replace(ended(name, 1), message="ü" * 4096) for name in names]
    status = told(a_pod(*names, restartPolicy="Never"), a_look(*records))
    assert [len(one["state"]["terminated"]["message"].encode()) for one in status["containerStatuses"]] == [2048] * 6


def test_an_image_of_a_registry_is_told_by_its_digest_there() -> None:
    """Rule: https://kubernetes.io/docs/concepts/containers/images/#image-names (digests)"""
    digest = f"registry.example/app@sha256:{'0' * 64}"
    other = f"other.example/app@sha256:{'0' * 64}"
    image = Image("sha256:1", ("registry.example/app:1",), 1, digests=(other, digest))
    assert (image.digest_for("registry.example/app:1"), image.digest_for("nobody/app")) == (digest, other)
    records = [replace(running("a"), labels={IMAGE_DIGEST: digest}), replace(running("b"), image_id="sha256:1")]
    status = told(a_pod("a", "b"), a_look(*records))
    assert [one["imageID"] for one in status["containerStatuses"]] == [f"docker-pullable://{digest}", "docker://sha256:1"]


def test_a_pod_that_waits_for_a_volume_has_no_address_yet() -> None:
    """Once its containers were there, it keeps what was told: its volumes are looked at anew when a kubelet starts.

    Rule: upstream pkg/kubelet (SyncPod waits for volumes before it makes a sandbox); KEP-3085
    """
    waits = told(a_pod(), a_look(volumes_ready=False))
    assert "podIP" not in waits
    assert condition(waits, "PodReadyToStartContainers")["status"] == "False"
    for look in (a_look(), a_look(running("main"), volumes_ready=False)):
        assert told(a_pod(), look)["podIP"] == "10.244.0.2"
        assert condition(told(a_pod(), look), "PodReadyToStartContainers")["status"] == "True"
    assert "podIP" in told(a_pod(hostNetwork=True), a_look(volumes_ready=False))
