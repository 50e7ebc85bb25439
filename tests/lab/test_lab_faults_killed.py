"""kill -9 of a worker's programs, and of what its pods consist of, while a client asks the Service before them.

A program that dies takes no pod with it: the pods run on, the next program finds them (by labels) and goes on from there. What
dies in a pod is started again by the pod's rules; the others answer meanwhile.
"""

import os
import signal
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from tests.lab.conftest import Lab
from tests.lab.faults import asking, container, containers, kill_program, on_node, web
from tests.wait import eventually_sync

NODE, REPLICAS = "node2", 3
PROGRAMS = ("kubelet", "kube-proxy", "dockerd", "containerd")
BACK_SECONDS = 40

pytestmark = [pytest.mark.root, pytest.mark.timeout(300), pytest.mark.usefixtures("outage")]


@pytest.fixture(scope="module")
def address(lab: Lab) -> Iterator[str]:
    """Of a Service, whose pods are all on one worker."""
    lab.apply(*web("killed", REPLICAS, on_node(NODE)))
    lab.kubectl("rollout", "status", "deployment/killed", "--timeout=60s", within=70)
    yield lab.get("service", "killed")["spec"]["clusterIP"]
    lab.kubectl("delete", "deployment,service", "killed")


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_that_is_killed_takes_no_pod_with_it_and_the_service_answers_on(lab: Lab, address: str, program: str) -> None:
    """Rule: behaviour E.5.50 (kubelet), https://docs.docker.com/engine/daemon/live-restore/ (engine)"""
    pods = told(lab)
    before = running(lab, pods)
    with asking(lab, NODE, address) as asked:
        kill_program(lab, NODE, program, BACK_SECONDS)
        # The node does what it is told again: a pod starts, is asked through the Service, and goes.
        for replicas in (REPLICAS + 1, REPLICAS):
            lab.kubectl("scale", "deployment/killed", f"--replicas={replicas}")
            form = "get deployment killed -o jsonpath={.status.replicas},{.status.readyReplicas}"
            lab.until(form, f"{replicas},{replicas}", within=BACK_SECONDS)
    assert asked.told
    assert asked.lost == []
    assert told(lab) == pods
    assert running(lab, pods) == before


def test_an_app_that_is_killed_is_started_again_and_the_others_answer(lab: Lab, address: str) -> None:
    """Rule: behaviour E.5.53 (exit code 137, reason Error; the first restart waits for nothing)"""
    victim = sorted(told(lab))[0]
    before = container(lab, NODE, victim, "web")
    with asking(lab, NODE, address) as asked:
        os.kill(before["State"]["Pid"], signal.SIGKILL)
        status = eventually_sync(lambda: restarted(lab, victim), BACK_SECONDS, "the app runs again")
        form = "get deployment killed -o jsonpath={.status.readyReplicas}"
        lab.until(form, str(REPLICAS), within=BACK_SECONDS)
    ended = status["containerStatuses"][0]["lastState"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (137, "Error")
    assert asked.told > len(asked.lost)
    assert asked.lost_for < 2, asked.lost
    assert container(lab, NODE, victim, "POD")["State"]["Running"]


def test_a_pod_that_lost_its_sandbox_gets_another_and_the_others_answer(lab: Lab, address: str) -> None:
    """What ran in the old sandbox's network is stopped; the pod keeps its name and uid, and is told with its new address.
    Rule: kuberuntime computePodActions: no sandbox runs -> kill the pod, make a sandbox, start the containers"""
    victim = sorted(told(lab))[-1]
    uid, before = lab.get("pod", victim)["metadata"]["uid"], container(lab, NODE, victim, "POD")
    count = lab.get("pod", victim)["status"]["containerStatuses"][0]["restartCount"]
    with asking(lab, NODE, address) as asked:
        os.kill(before["State"]["Pid"], signal.SIGKILL)
        status = eventually_sync(lambda: restarted(lab, victim, count), BACK_SECONDS, "the app runs again")
        lab.until("get deployment killed -o jsonpath={.status.readyReplicas}", str(REPLICAS), within=BACK_SECONDS)
    assert container(lab, NODE, victim, "POD")["Id"] != before["Id"]
    assert lab.get("pod", victim)["metadata"]["uid"] == uid
    assert asked.told > len(asked.lost)
    assert asked.lost_for < 4, asked.lost
    addresses = {one["status"]["podIP"] for one in lab.get("pods", "--selector=app=killed")}
    assert len(addresses) == REPLICAS
    assert status["podIP"] in addresses
    assert "SandboxChanged" in lab.kubectl("get", "events", f"--field-selector=involvedObject.name={victim}")


def running(lab: Lab, pods: Iterable[str]) -> dict[str, str]:
    """The containers of these pods, by id: since when they run, and as which process."""
    found = (one for pod in pods for one in containers(lab, NODE, f"label=io.kubernetes.pod.name={pod}"))
    return {one["Id"]: f"{one['State']['StartedAt']} {one['State']['Pid']}" for one in found}


def told(lab: Lab) -> dict[str, Any]:
    """By the pods' names: their uids and restarts."""
    pods = [one for one in lab.get("pods", "--selector=app=killed") if not one["metadata"].get("deletionTimestamp")]
    return {
        one["metadata"]["name"]: (one["metadata"]["uid"], one["status"].get("containerStatuses", [{}])[0].get("restartCount"))
        for one in pods
    }


def restarted(lab: Lab, pod: str, times: int = 0) -> Any:
    """The pod's status once its container was started again and is ready."""
    status = lab.get("pod", pod)["status"]
    found = status["containerStatuses"][0]
    return status if found["ready"] and found["restartCount"] > times else None
