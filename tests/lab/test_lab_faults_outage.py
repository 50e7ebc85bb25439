"""Two workers are lost at once: one is killed, one is cut off from everybody for two minutes; then both come back.

What they ran moves to the worker that is left, once nobody has heard of them for the grace period and the pods tolerate it no
longer. Nothing is in use twice: a stateful set's pod has no second one while the first may still run, and a volume for one node
is at one node. When the nodes are back, what was moved away from them is ended there, too.

The outage begins before the first test of these files and goes on under them; this file is the last.
"""

import time
from collections import Counter
from typing import Any

import pytest

from tests.lab.conftest import Lab
from tests.lab.outage import CUT_OFF, KILLED, LEFT, Outage, pods_of
from tests.lab.storage import VOLUME, attached_to, driver_on
from tests.wait import eventually_sync

CUT_SECONDS = 120

pytestmark = [pytest.mark.root, pytest.mark.timeout(420)]


def test_pods_of_lost_nodes_move_to_the_node_that_is_left(lab: Lab, outage: Outage) -> None:
    """Rule: https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions"""

    def moved() -> bool:
        pods = [one for one in pods_of(lab, "moving") if not leaving(one)]
        assert [(one["spec"].get("nodeName"), is_ready(one)) for one in pods] == [(LEFT, True)] * 3
        return True

    eventually_sync(moved, max(1.0, outage.since + 90 - time.monotonic()), "three pods run on the node that is left")
    taints = {one["metadata"]["name"]: {taint["key"] for taint in one["spec"].get("taints", ())} for one in lab.get("nodes")}
    for node in (CUT_OFF, KILLED):
        assert "node.kubernetes.io/unreachable" in taints[node]
    # Nobody can know whether the set's pod still runs: it is to go, and has no second one.
    (alone,) = pods_of(lab, "alone")
    assert leaving(alone)
    assert alone["metadata"]["uid"] == outage.alone
    assert outage.alone in outage.run_by_the_engine(lab)  # it does
    # Nor whether the volume is still written to: it stays where it is, and the pod's successor waits for it.
    events = ("get", "events", "--field-selector=reason=FailedAttachVolume", "-o", "name")
    eventually_sync(lambda: lab.kubectl(*events), 60, "the pod that waits is told")
    assert attached_to(lab) == [KILLED]
    assert lab.get("deployment", VOLUME)["status"].get("readyReplicas", 0) == 0
    nothing_is_in_use_twice(lab)


def test_nodes_that_come_back_end_what_was_moved_away_from_them(lab: Lab, outage: Outage) -> None:
    """Rule: https://kubernetes.io/docs/concepts/architecture/nodes/#condition, volumesInUse of a node's status"""
    until = outage.since + CUT_SECONDS
    eventually_sync(lambda: time.monotonic() >= until, max(1.0, until - time.monotonic() + 1), "two minutes have passed")
    outage.end(lab)
    ready = "get nodes -o jsonpath={.items[*].status.conditions[?(@.type=='Ready')].status}"
    lab.until(ready, "True True True True", within=90)

    def gone() -> bool:
        there = {one["metadata"]["uid"] for name in ("moving", "alone") for one in pods_of(lab, name)}
        assert not there & outage.lost, "the API server knows them"
        assert not outage.run_by_the_engine(lab) & outage.lost, "the engines run them"
        return True

    eventually_sync(gone, 60, "what was moved away is gone")
    outage.drivers[KILLED] = driver_on(lab, KILLED)
    eventually_sync(lambda: attached_to(lab) == [LEFT], 90, "the volume goes where its pod is now")
    lab.kubectl("rollout", "status", f"deployment/{VOLUME}", "--timeout=60s", within=70)
    (alone,) = eventually_sync(lambda: [one for one in pods_of(lab, "alone") if is_ready(one)], 60, "the set's pod, anew")
    assert alone["metadata"]["uid"] != outage.alone
    assert outage.drivers[KILLED].named("NodeUnstageVolume") != []
    for node in (CUT_OFF, KILLED):
        eventually_sync(lambda node=node: "taints" not in lab.get("node", node)["spec"], 20, f"{node} is taken again")
    lab.kubectl("rollout", "restart", "deployment/moving")  # they spread out again
    lab.kubectl("rollout", "status", "deployment/moving", "--timeout=60s", within=70)
    assert {one["spec"]["nodeName"] for one in pods_of(lab, "moving") if not leaving(one)} == {LEFT, CUT_OFF, KILLED}
    nothing_is_in_use_twice(lab)


def nothing_is_in_use_twice(lab: Lab) -> None:
    pods = [one for one in lab.get("pods", "--all-namespaces") if not one["spec"].get("hostNetwork")]
    addresses = Counter(one["status"]["podIP"] for one in pods if one["status"].get("podIP"))
    ranges = Counter(one["spec"]["podCIDR"] for one in lab.get("nodes"))
    assert [one for one, times in (addresses | ranges).items() if times > 1] == []


def leaving(pod: dict[str, Any]) -> bool:
    return "deletionTimestamp" in pod["metadata"]


def is_ready(pod: dict[str, Any]) -> bool:
    return any(one["type"] == "Ready" and one["status"] == "True" for one in pod["status"].get("conditions", ()))
