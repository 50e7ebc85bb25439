"""Which containers come back, and which never do: rules by exit code, policies of containers, ephemeral containers."""

from typing import Any

import pytest

from kubelet.container_error import ConfigError
from kubelet.container_spec import Surroundings, container_spec
from kubelet.downward import PodFacts
from kubelet.node_facts import NodeFacts
from kubelet.plan import StartContainer
from kubelet.pod_events import field_path
from kubelet.pod_files import PodFiles
from kubelet.pod_state import ephemeral_containers, finished, restarts_after
from kubelet.pod_volumes import NOTHING_MOUNTED
from kubelet.status import pod_status
from tests.unit.kubelet.pods import NOW, WHO, a_container, a_look, a_pod, ended, planned, running

DEBUGGER = {"name": "debugger", "image": "busybox:latest", "targetContainerName": "main"}


def rule(operator: str, *codes: int) -> dict[str, Any]:
    return {"action": "Restart", "exitCodes": {"operator": operator, "values": list(codes)}}


@pytest.mark.parametrize(
    ("fields", "policy", "code", "again"),
    [
        ({"restartPolicy": "Never", "restartPolicyRules": [rule("In", 42)]}, "Always", 42, True),
        ({"restartPolicy": "Never", "restartPolicyRules": [rule("In", 42)]}, "Always", 1, False),
        ({"restartPolicy": "Never", "restartPolicyRules": [rule("NotIn", 0, 42)]}, "Never", 1, True),
        ({"restartPolicy": "OnFailure"}, "Never", 1, True),
        ({"restartPolicy": "OnFailure"}, "Always", 0, False),
        ({"restartPolicy": "Always"}, "Never", 0, True),
        ({}, "OnFailure", 0, False),
    ],
)
def test_a_rule_by_exit_code_goes_before_the_containers_policy_and_that_before_the_pods(
    fields: dict[str, Any], policy: str, code: int, again: bool
) -> None:
    """Rule: https://github.com/kubernetes/enhancements/tree/master/keps/sig-node/5307-container-restart-policy"""
    pod = a_pod(containers=[a_container("main", **fields)], restartPolicy=policy)
    assert restarts_after(pod, pod.spec.containers[0], code) is again
    look = a_look(ended("main", code))
    assert finished(pod, look) is not again
    told = pod_status(pod, look, NOW, ["192.0.2.1"], pod.status)
    assert told["phase"] == ("Running" if again else "Succeeded" if code == 0 else "Failed")


def test_an_init_container_may_fail_for_good_or_be_tried_again_by_its_own_policy() -> None:
    """Rule: https://github.com/kubernetes/enhancements/tree/master/keps/sig-node/5307-container-restart-policy"""
    hopeless = a_pod(init=[a_container("first", restartPolicy="Never")], restartPolicy="Always")
    assert finished(hopeless, a_look(ended("first", 1)))
    patient = a_pod(init=[a_container("first", restartPolicy="OnFailure")], restartPolicy="Never")
    assert not finished(patient, a_look(ended("first", 1)))
    assert planned(patient, a_look(ended("first", 1))).actions == (StartContainer(patient.spec.initContainers[0], 1),)


def test_an_ephemeral_container_starts_once_beside_whatever_runs_and_changes_nothing_of_the_pods_end() -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/pods/ephemeral-containers/"""
    pod = a_pod("main", init=[a_container("first")], ephemeralContainers=[DEBUGGER], restartPolicy="Never")
    debugger = ephemeral_containers(pod)[0]
    assert StartContainer(debugger, 0) in planned(pod, a_look(running("first"))).actions
    look = a_look(running("main"), ended("first", 0), ended("debugger", 3))
    assert planned(pod, look).actions == ()
    told = pod_status(pod, look, NOW, ["192.0.2.1"], pod.status)
    assert told["phase"] == "Running"
    [status] = told["ephemeralContainerStatuses"]
    assert (status["state"]["terminated"]["exitCode"], status["ready"], "started" in status) == (3, False, False)
    assert field_path(pod, "debugger") == "spec.ephemeralContainers{debugger}"
    assert finished(pod, a_look(ended("main", 0), ended("first", 0), running("debugger")))


def test_an_ephemeral_container_sees_the_processes_of_its_target(tmp_path: Any) -> None:
    """Rule: KEP-277, targetContainerName"""
    pod = a_pod("main", ephemeralContainers=[DEBUGGER])
    node = NodeFacts("node", tmp_path, tmp_path / "logs", "pause", ("192.0.2.1",))
    files = PodFiles(node.root, node.log_root, WHO)

    def pid_mode(running_ids: dict[str, str]) -> str:
        around = Surroundings("sandbox", NOTHING_MOUNTED, {}, {}, PodFacts(), running_ids)
        return container_spec(pod, ephemeral_containers(pod)[0], 0, around, node, files).pid_mode

    assert pid_mode({"main": "4711"}) == "container:4711"
    with pytest.raises(ConfigError, match="unable to find target container main"):
        pid_mode({})
