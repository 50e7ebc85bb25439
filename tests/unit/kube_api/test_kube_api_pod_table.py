"""A pod's row: readiness, the one word that tells its state, restarts, addresses."""

from typing import Any

import pytest

from kube.api import table
from kube.api.meta import Tree
from kube.api.resources import resource_for_kind
from tests.unit.kube_api.admitting import NOW

POD = resource_for_kind("v1", "Pod")
RUNNING: Tree = {"running": {}}
COMPLETED: Tree = {"terminated": {"reason": "Completed", "exitCode": 0}}


def a_container(state: Tree, **more: Any) -> Tree:
    return {"name": "c", "image": "i", "imageID": "i", "ready": False, "restartCount": 0, "state": state, **more}


def row(status: Tree, spec: Tree | None = None, **metadata: Any) -> dict[str, Any]:
    """The cells by the names of their columns."""
    pod = {
        "metadata": {"name": "p", "creationTimestamp": "2026-01-01T00:00:00Z", **metadata},
        "spec": {"containers": [{"name": "c", "image": "i"}], **(spec or {})},
        "status": status,
    }
    made = table.table(POD, [pod], now=NOW)
    return dict(zip([one["name"] for one in made["columnDefinitions"]], made["rows"][0]["cells"], strict=True))


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"phase": "Running"}, "Running"),
        ({}, "Unknown"),
        ({"phase": "Failed", "reason": "Evicted"}, "Evicted"),
        ({"containerStatuses": [a_container({"waiting": {"reason": "CrashLoopBackOff"}})]}, "CrashLoopBackOff"),
        ({"containerStatuses": [a_container({"terminated": {"reason": "OOMKilled", "exitCode": 137}})]}, "OOMKilled"),
        ({"containerStatuses": [a_container({"terminated": {"exitCode": 3}})]}, "ExitCode:3"),
        ({"containerStatuses": [a_container({"terminated": {"exitCode": 3, "signal": 9}})]}, "Signal:9"),
        ({"containerStatuses": [a_container(COMPLETED), a_container(RUNNING, ready=True)]}, "NotReady"),
        ({"containerStatuses": [a_container(COMPLETED), a_container(RUNNING, ready=True)],
          "conditions": [{"type": "Ready", "status": "True"}]}, "Running"),
        ({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]},
         "SchedulingGated"),
    ],
)  # fmt: skip
def test_one_word_tells_a_pods_state(status: Tree, expected: str) -> None:
    """Rule: printers.go printPod"""
    assert row(status)["Status"] == expected


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([a_container(COMPLETED), a_container(RUNNING)], "Init:1/2"),
        ([a_container({"terminated": {"exitCode": 1, "reason": "Error"}})], "Init:Error"),
        ([a_container({"terminated": {"exitCode": 2}})], "Init:ExitCode:2"),
        ([a_container({"terminated": {"exitCode": 2, "signal": 9}})], "Init:Signal:9"),
        ([a_container({"waiting": {"reason": "ImagePullBackOff"}})], "Init:ImagePullBackOff"),
        ([a_container({"waiting": {"reason": "PodInitializing"}})], "Init:0/2"),
        ([a_container(COMPLETED), a_container(COMPLETED)], "Pending"),
    ],
)
def test_init_containers_have_words_of_their_own(statuses: list[Tree], expected: str) -> None:
    spec = {"initContainers": [{"name": "a", "image": "i"}, {"name": "b", "image": "i"}]}
    assert row({"phase": "Pending", "initContainerStatuses": statuses}, spec)["Status"] == expected


@pytest.mark.parametrize(
    ("state", "initialized", "word", "restarts"),
    [
        ({"waiting": {"reason": "CrashLoopBackOff"}}, "False", "Init:CrashLoopBackOff", "4"),
        ({"waiting": {"reason": "CrashLoopBackOff"}}, "True", "OOMKilled", "6"),
    ],
)
def test_once_initialized_the_containers_words_come_first(state: Tree, initialized: str, word: str, restarts: str) -> None:
    """A sidecar that comes back is no new start. Rule: printers.go printPod (isPodInitializedConditionTrue)"""
    spec = {"initContainers": [{"name": "s", "image": "i", "restartPolicy": "Always"}]}
    status = {
        "phase": "Running", "conditions": [{"type": "Initialized", "status": initialized}],
        "initContainerStatuses": [a_container(state, name="s", restartCount=4)],
        "containerStatuses": [a_container({"terminated": {"reason": "OOMKilled", "exitCode": 137}}, restartCount=2)],
    }  # fmt: skip
    found = row(status, spec)
    assert (found["Status"], found["Restarts"]) == (word, restarts)


def test_deleted_pods_terminate_unless_they_have_ended() -> None:
    gone = "2026-01-01T00:00:00Z"
    assert row({"phase": "Running"}, deletionTimestamp=gone)["Status"] == "Terminating"
    assert row({"phase": "Failed"}, deletionTimestamp=gone)["Status"] == "Failed"
    assert row({"phase": "Running", "reason": "NodeLost"}, deletionTimestamp=gone)["Status"] == "Unknown"


def test_readiness_and_restarts_count_sidecars() -> None:
    ended = {"terminated": {"exitCode": 1, "finishedAt": "2026-01-01T00:55:00Z"}}
    status = {
        "containerStatuses": [a_container(RUNNING, ready=True, restartCount=3, lastState=ended)],
        "initContainerStatuses": [a_container(RUNNING, name="s", ready=True, started=True, restartCount=1)],
    }
    cells = row(status, {"initContainers": [{"name": "s", "image": "i", "restartPolicy": "Always"}]})
    assert cells["Ready"] == "2/2"
    assert cells["Restarts"] == "4 (5m ago)"
    assert cells["Age"] == "60m"


def test_restarts_of_init_containers_count_while_they_run() -> None:
    spec = {"initContainers": [{"name": "c", "image": "i"}]}
    assert row({"initContainerStatuses": [a_container(RUNNING, restartCount=2)]}, spec)["Restarts"] == "2"


def test_wide_cells_tell_where_a_pod_is() -> None:
    cells = row({"podIPs": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}]}, {"nodeName": "n"})
    assert (cells["IP"], cells["Node"], cells["Nominated Node"], cells["Readiness Gates"]) == ("10.0.0.1", "n", "<none>", "<none>")
    gates = {"readinessGates": [{"conditionType": "gate"}, {"conditionType": "other"}]}
    cells = row({"podIP": "10.0.0.2", "conditions": [{"type": "gate", "status": "True"}]}, gates)
    assert (cells["IP"], cells["Readiness Gates"]) == ("10.0.0.2", "1/2")


def test_ended_pods_rows_are_completed() -> None:
    assert POD.row_conditions({"status": {"phase": "Succeeded"}})[0]["message"] == "The pod has completed successfully."
    pod = {"metadata": {"name": "p"}, "spec": {"containers": []}, "status": {"phase": "Failed"}}
    assert table.table(POD, [pod], now=NOW)["rows"][0]["conditions"][0]["reason"] == "Failed"
