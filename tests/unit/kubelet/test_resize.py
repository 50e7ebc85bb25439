"""In-place resize: what a container that runs is given, and what of it needs a restart."""

from dataclasses import replace
from typing import Any

from kube.api.types import Pod
from kube.api.views import tree_of, view
from kubelet.admission import Admission
from kubelet.plan import ResizeContainer, StopContainer
from kubelet.pod_state import Health
from kubelet.resize import PendingResize, allocated_before, differs, held_by
from kubelet.runtime.runtime import Limits
from kubelet.status import pod_status
from kubelet.status_manager import patch_of
from tests.unit.kubelet.pods import NOW, a_container, a_look, a_pod, planned, running

NODE = Admission({"cpu": "4", "memory": "4Gi", "pods": "110"})


def sized(cpu: str, memory: str = "64Mi", **fields: Any) -> Pod:
    amounts = {"cpu": cpu, "memory": memory}
    return a_pod(containers=[a_container("main", resources={"requests": amounts, "limits": amounts}, **fields)])


def having(cpu: int, memory: int) -> Any:
    record = replace(running("main"), limits=Limits(cpu * 1024 // 1000, cpu * 100, memory << 20))
    return a_look(record, health={record.id: Health()})


def test_what_runs_is_changed_in_place_and_restarted_only_where_it_asks_for_that() -> None:
    """Rule: https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/"""
    pod = sized("200m")
    assert planned(pod, having(200, 64)).actions == ()
    [action] = planned(pod, having(100, 64)).actions
    assert action == ResizeContainer("main-0", Limits(204, 20_000, 64 << 20))
    by_restart = sized("200m", resizePolicy=[{"resourceName": "memory", "restartPolicy": "RestartContainer"}])
    assert isinstance(planned(by_restart, having(100, 64)).actions[0], ResizeContainer)
    [action] = planned(by_restart, having(200, 32)).actions
    assert isinstance(action, StopContainer)
    assert action.message == "Container main resize requires restart"
    given = replace(having(100, 64), applied={"main-0": Limits(204, 20_000, 64 << 20)})
    assert planned(pod, given).actions == ()


def test_a_node_gives_what_it_has_and_says_why_not() -> None:
    """Rule: KEP-1287, Infeasible and Deferred"""
    other = sized("3")
    assert NODE.refuse_resize(sized("1"), [other]) is None
    deferred = NODE.refuse_resize(sized("2"), [other])
    assert deferred is not None
    assert deferred.reason == "Deferred"
    infeasible = NODE.refuse_resize(sized("5"), [])
    message = "Node didn't have enough capacity: cpu, requested: 5000, capacity: 4000"
    assert infeasible == PendingResize("Infeasible", message)


def test_a_pod_that_has_to_wait_keeps_what_it_had_and_says_so_while_it_waits() -> None:
    """Rule: KEP-1287, PodResizePending and PodResizeInProgress"""
    had, wants = sized("100m"), sized("5")
    assert differs(wants, had)
    assert not differs(held_by(wants, had), had)
    told = pod_status(had, having(100, 64), NOW, ["192.0.2.1"], had.status, PendingResize("Infeasible", "too much"))
    [pending] = [one for one in told["conditions"] if one["type"] == "PodResizePending"]
    assert (pending["status"], pending["reason"], pending["message"]) == ("True", "Infeasible", "too much")
    changing = pod_status(sized("200m"), having(100, 64), NOW, ["192.0.2.1"], had.status)
    assert [one["type"] for one in changing["conditions"]][-1] == "PodResizeInProgress"
    done = pod_status(had, having(100, 64), NOW, ["192.0.2.1"], had.status)
    gone = [one["type"] for one in patch_of(done)["conditions"] if one.get("$patch") == "delete"]
    assert gone == ["PodResizePending", "PodResizeInProgress"]


def test_a_new_kubelet_reads_what_was_given_from_the_status() -> None:
    """Rule: KEP-1287: what is allocated survives a restart"""
    wants = sized("5")
    amounts = {"cpu": "100m", "memory": "64Mi"}
    told = {"name": "main", "image": "", "imageID": "", "ready": True, "restartCount": 0}
    status = {"containerStatuses": [{**told, "resources": {"requests": amounts, "limits": amounts}}]}
    pod = view(Pod, {**tree_of(wants), "status": status})
    assert not differs(allocated_before(pod), sized("100m"))
