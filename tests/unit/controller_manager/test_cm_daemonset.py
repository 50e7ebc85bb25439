"""DaemonSet: where its pods belong, and how they are replaced."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller_manager.controllers.daemonset import Backoff
from controller_manager.controllers.daemonset.placement import Fit, fit, node_of, pod_for
from controller_manager.controllers.daemonset.plan import Look, placing, rolling, status, unavailable
from controller_manager.history import HASH_LABEL, current, data_of, superfluous
from kube.api.types import ControllerRevision, Pod
from kube.api.views import view
from tests.unit.controller_manager.cm_builders import NOW, TEMPLATE, a_daemon_set, a_node, a_pod, ago

HERE = Fit(True, True)


def a_daemon(node: str, digest: str = "new", **more: Any) -> Pod:
    return a_pod(f"{node}-{digest}-{more.get('age', 1)}", node=node, labels={"app": "web", HASH_LABEL: digest}, **more)


def a_look(*pods: Pod, nodes: Any = None, **spec: Any) -> Look:
    by_node: dict[str, list[Pod]] = {}
    for pod in pods:
        by_node.setdefault(node_of(pod), []).append(pod)
    return Look(a_daemon_set(**spec), nodes or dict.fromkeys(by_node, HERE), by_node, "new", NOW)


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (a_node(), Fit(True, True)),
        (a_node(taints=[{"key": "k", "effect": "NoSchedule"}]), Fit(False, True)),
        (a_node(taints=[{"key": "k", "effect": "NoExecute"}]), Fit(False, False)),
        (a_node(taints=[{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}]), Fit(True, True)),
        (a_node(taints=[{"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}]), Fit(True, True)),
        (a_node(taints=[{"key": "node.kubernetes.io/network-unavailable", "effect": "NoSchedule"}]), Fit(False, True)),
    ],
)
def test_taints_keep_daemons_away_but_not_those_of_a_troubled_node(node: Any, expected: Fit) -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/#taints-and-tolerations"""
    assert fit(a_daemon_set(), node) == expected


def test_a_node_selector_decides_whether_a_daemon_may_stay() -> None:
    template = {**TEMPLATE, "spec": {**TEMPLATE["spec"], "nodeSelector": {"disk": "ssd"}}}
    ds = a_daemon_set(template=template)
    assert fit(ds, a_node(labels={"disk": "ssd"})) == Fit(True, True)
    assert fit(ds, a_node()) == Fit(False, False)


def test_a_daemon_pod_is_pinned_by_affinity_and_not_bound() -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/#how-daemon-pods-are-scheduled"""
    tree = pod_for(a_daemon_set(), "n1", "abc")
    required = tree["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    field = {"key": "metadata.name", "operator": "In", "values": ["n1"]}
    assert required["nodeSelectorTerms"] == [{"matchFields": [field]}]
    assert "nodeName" not in tree["spec"]
    assert tree["metadata"]["labels"][HASH_LABEL] == "abc"
    assert len(tree["spec"]["tolerations"]) == 6
    assert node_of(view(Pod, {**tree, "metadata": {}})) == "n1"


def test_one_pod_a_node_the_oldest_stays_and_ended_ones_are_replaced() -> None:
    failed = a_daemon("n2", phase="Failed", age=5)
    double, oldest = a_daemon("n1", age=10), a_daemon("n1", age=20)
    stray = a_daemon("n4", age=3)
    nodes = {"n1": HERE, "n2": HERE, "n3": HERE, "n4": Fit(False, False)}
    planned = placing(a_look(double, oldest, failed, stray, nodes=nodes))
    assert (planned.create, planned.delete, planned.ended) == (["n3"], [double, stray], [failed])


def test_a_terminating_daemon_is_waited_for() -> None:
    assert placing(a_look(a_daemon("n1", deletionTimestamp=ago(1)))).create == []


def test_a_rolling_update_replaces_broken_pods_at_once_and_others_within_its_bound() -> None:
    """Rule: https://kubernetes.io/docs/tasks/manage-daemon/update-daemon-set/"""
    broken = a_daemon("n1", "old", ready=False)
    working = [a_daemon(f"n{number}", "old") for number in (2, 3, 4)]
    assert rolling(a_look(broken, *working)).delete == [broken], "it already takes the place of the one that may be missing"
    assert len(rolling(a_look(*working)).delete) == 1
    assert rolling(a_look(*working, updateStrategy={"type": "OnDelete"})).delete == []
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "30%"}}
    assert unavailable(a_daemon_set(updateStrategy=strategy), 4) == 2, "rounded up"


def test_a_surge_starts_the_new_pod_before_the_old_one_goes() -> None:
    """Rule: KEP-1591"""
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    olds = [a_daemon("n1", "old"), a_daemon("n2", "old")]
    first = rolling(a_look(*olds, updateStrategy=strategy))
    assert (first.create, first.delete) == (["n1"], [])
    starting = a_look(*olds, a_daemon("n1", ready=False), updateStrategy=strategy)
    assert (rolling(starting).create, rolling(starting).delete) == ([], [])
    assert placing(starting).delete == []
    assert rolling(a_look(*olds, a_daemon("n1"), updateStrategy=strategy)).delete == [olds[0]]


@settings(max_examples=60, deadline=None)
@given(count=st.integers(1, 8), limit=st.integers(1, 4), moods=st.lists(st.booleans(), min_size=3, max_size=40))
def test_a_rolling_update_never_takes_more_than_max_unavailable(count: int, limit: int, moods: list[bool]) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": limit}}
    nodes = {f"n{number}": HERE for number in range(count)}
    pods: dict[str, tuple[str, bool]] = dict.fromkeys(nodes, ("old", True))
    for mood in (*moods, *([True] * (2 * count + 2))):
        look = a_look(
            *[a_daemon(n, digest, ready=ready) for n, (digest, ready) in pods.items()], nodes=nodes, updateStrategy=strategy
        )
        for pod in rolling(look).delete:
            pods[pod.spec.nodeName] = ("new", False)
        assert sum(not ready for _, ready in pods.values()) <= limit
        if mood:
            unready = [name for name, (_, ready) in pods.items() if not ready]
            for name in unready[:1]:
                pods[name] = ("new", True)
    assert all(digest == "new" for digest, _ in pods.values())


def test_status_counts_nodes_not_pods() -> None:
    nodes = {"n1": HERE, "n2": HERE, "n3": Fit(False, True)}
    look = a_look(a_daemon("n1"), a_daemon("n1", "old", ready=False), a_daemon("n3", "old"), nodes=nodes)
    told = status(look, None)
    assert (told["desiredNumberScheduled"], told["currentNumberScheduled"], told["numberMisscheduled"]) == (2, 1, 1)
    assert (told["numberReady"], told["updatedNumberScheduled"], told["numberUnavailable"]) == (1, 1, 1)


def a_revision(number: int, data: Any, digest: str) -> ControllerRevision:
    metadata = {"name": digest, "labels": {HASH_LABEL: digest}}
    return view(ControllerRevision, {"metadata": metadata, "data": data, "revision": number})


def test_going_back_to_a_template_gives_its_revision_a_new_number() -> None:
    """Rule: https://kubernetes.io/docs/tasks/manage-daemon/rollback-daemon-set/#understanding-daemonset-revisions"""
    ds = a_daemon_set()
    old, new = a_revision(1, data_of(ds), "a"), a_revision(2, {"spec": {}}, "b")
    back = current(ds, [new, old])
    assert (back.number, back.existing) == (3, old)
    assert current(ds, [new]).existing is None
    assert current(ds, [old]).number == 1
    assert superfluous([old, new], {"b"}, 0) == [old]


def test_ended_daemons_are_replaced_ever_more_slowly() -> None:
    backoff = Backoff()
    assert [backoff.wait("u", "n", now) for now in (0, 0.5, 1, 2, 3)] == [0, 0.5, 0, 1, 0]
    assert backoff.wait("u", "n", 5000) == 0
    assert backoff.wait("u", "n", 5001) == 0, "after a long calm it begins anew"
