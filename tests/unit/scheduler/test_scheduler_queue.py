"""The scheduling queue: order, back-off, and that no event is lost."""

from kube.api.meta import Key
from kube.api.types import Pod
from kube.api.views import view
from scheduler.queue import QueuedPod, SchedulingQueue


def a_pod(name: str, *, priority: int = 0, gates: int = 0, uid: str = "") -> Pod:
    spec = {"containers": [], "priority": priority, "schedulingGates": [{"name": f"g{n}"} for n in range(gates)]}
    return view(Pod, {"metadata": {"name": name, "namespace": "n", "uid": uid or f"{name}-uid"}, "spec": spec})


def popped(queue: SchedulingQueue, now: float) -> str | None:
    item = queue.pop(now)
    return item.pod.metadata.name if item else None


def tried(queue: SchedulingQueue, now: float) -> QueuedPod:
    item = queue.pop(now)
    assert item is not None
    return item


def test_highest_priority_comes_first_then_the_oldest() -> None:
    queue = SchedulingQueue()
    queue.set(a_pod("old"), 0.0)
    queue.set(a_pod("young"), 1.0)
    queue.set(a_pod("urgent", priority=10), 2.0)
    assert [popped(queue, 3.0) for _ in range(4)] == ["urgent", "old", "young", None]


def test_unschedulable_pod_waits_for_an_event_and_its_backoff() -> None:
    """Rule: back-off 1 s doubling to 10 s (kube-scheduler podInitialBackoffSeconds, podMaxBackoffSeconds)."""
    queue = SchedulingQueue()
    queue.set(a_pod("p"), 0.0)
    queue.failed(tried(queue, 0.0), 0.0)
    assert popped(queue, 2.0) is None  # nothing happened: not tried again
    queue.move_all(0.5)
    assert popped(queue, 0.6) is None
    assert queue.wake_at() == 1.0
    queue.failed(tried(queue, 1.0), 1.0)
    queue.move_all(1.0)
    assert queue.wake_at() == 3.0  # the second failure: two seconds


def test_event_during_an_attempt_is_not_lost() -> None:
    queue = SchedulingQueue()
    queue.set(a_pod("p"), 0.0)
    item = tried(queue, 0.0)
    queue.move_all(0.0)
    queue.failed(item, 0.0)
    assert popped(queue, 1.0) == "p"


def test_an_event_that_helps_one_plugins_pods_moves_those_alone() -> None:
    queue = SchedulingQueue()
    near, full = frozenset(("InterPodAffinity",)), frozenset(("NodeResourcesFit",))
    for name, refused_by in (("near", near), ("full", full)):
        queue.set(a_pod(name), 0.0)
        queue.failed(tried(queue, 0.0), 0.0, refused_by=refused_by)
    assert queue.move_all(5.0, refused_by=near)
    assert not queue.move_all(5.0, refused_by=near)
    during = tried(queue, 5.0)
    assert during.pod.metadata.name == "near"
    assert popped(queue, 5.0) is None
    queue.move_all(5.0, refused_by=full)
    queue.failed(during, 5.0, refused_by=near)
    assert popped(queue, 20.0) == "full", "nothing came meanwhile that helps the other one"
    assert popped(queue, 20.0) is None


def test_unschedulable_pod_is_tried_after_five_minutes_anyway() -> None:
    queue = SchedulingQueue()
    queue.set(a_pod("p"), 0.0)
    queue.failed(tried(queue, 0.0), 0.0)
    assert queue.wake_at() == 300.0
    assert popped(queue, 300.0) == "p"


def test_gated_pod_is_not_tried_until_its_gates_are_gone() -> None:
    """Rule: https://kubernetes.io/docs/concepts/scheduling-eviction/pod-scheduling-readiness/"""
    queue = SchedulingQueue()
    queue.set(a_pod("p", gates=1), 0.0)
    assert popped(queue, 0.0) is None
    queue.move_all(0.0)
    assert popped(queue, 400.0) is None
    queue.set(a_pod("p"), 400.0)
    assert popped(queue, 400.0) == "p"


def test_removed_pod_is_not_tried() -> None:
    queue = SchedulingQueue()
    queue.set(a_pod("p"), 0.0)
    queue.remove(Key("n", "p"))
    assert popped(queue, 0.0) is None
    assert queue.wake_at() is None


def test_the_end_of_an_attempt_takes_no_new_pod_of_the_same_name_away() -> None:
    """# what if a StatefulSet's pod is deleted and made anew while the old one's binding is under way

    Rule: a pod's identity is its uid; names are used again
    (https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#uids)
    """
    queue = SchedulingQueue()
    queue.set(a_pod("web-0", uid="old"), 0.0)
    attempt = tried(queue, 0.0)
    queue.set(a_pod("web-0", uid="new"), 0.0)
    queue.done(attempt)
    assert tried(queue, 0.0).pod.metadata.uid == "new"
