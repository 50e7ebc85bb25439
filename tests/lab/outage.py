"""The outage that the tests of faults run under: two of three workers are lost, and the third has to do."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from deploy.lab import network, power
from tests.csi_driver import MemoryDriver
from tests.lab.conftest import Lab
from tests.lab.faults import containers, web
from tests.lab.storage import VOLUME, a_volume_and_its_pod, attached_to, drivers_on, remove
from tests.wait import eventually_sync

LEFT, CUT_OFF, KILLED = "node2", "node3", "node4"
OTHERS = ("node1", LEFT, KILLED)
TOLERATED_SECONDS = 3  # that a pod stays bound to a node of which nothing is heard; five minutes by default
LOST = [
    {"key": f"node.kubernetes.io/{why}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": TOLERATED_SECONDS}
    for why in ("not-ready", "unreachable")
]


@dataclass(frozen=True)
class Outage:
    since: float  # on the monotonic clock
    alone: str  # the uid of the stateful set's pod, on the node that is cut off
    lost: frozenset[str]  # uids of the pods on the lost nodes
    drivers: dict[str, MemoryDriver]  # of storage, by node

    @staticmethod
    def end(lab: Lab) -> None:
        network.heal(lab.plan)
        started = lab.lab("start", KILLED, within=90)
        assert started.returncode == 0, started.stdout + started.stderr

    def run_by_the_engine(self, lab: Lab) -> set[str]:
        """Uids of pods, on the nodes that were lost; of one that is off, none."""
        return {
            one["Config"]["Labels"]["io.kubernetes.pod.uid"]
            for node in (CUT_OFF, KILLED)
            for one in containers(lab, node, "label=io.kubernetes.pod.namespace=default")
        }


def pods_of(lab: Lab, app: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = lab.get("pods", f"--selector=app={app}")
    return found


def near(node: str) -> dict[str, Any]:
    """An affinity: there, as long as it is there."""
    there = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}]}
    return {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "preference": there}]}}


@pytest.fixture(scope="package")
def outage(lab: Lab) -> Iterator[Outage]:
    """Begins here; `end` is for the test that sees them come back, or for the end of all tests."""
    with drivers_on(lab, LEFT, KILLED) as drivers:
        begin(lab)
        pods = pods_of(lab, "moving") + pods_of(lab, "alone")
        assert {one["spec"]["nodeName"] for one in pods} == {LEFT, CUT_OFF, KILLED}
        lost = frozenset(one["metadata"]["uid"] for one in pods if one["spec"]["nodeName"] != LEFT)
        since = time.monotonic()
        try:
            for other in OTHERS:  # as `lab cut` and `lab kill` do, both at once
                network.cut(lab.plan, lab.host(CUT_OFF), lab.host(other))
            drivers[KILLED].stop()
            power.off(lab.host(KILLED))
            yield Outage(since, pods_of(lab, "alone")[0]["metadata"]["uid"], lost, drivers)
        finally:
            Outage.end(lab)
            remove(lab)
            lab.kubectl("delete", "deployment/moving", "statefulset/alone", "service/moving", "service/alone")


def begin(lab: Lab) -> None:
    """What runs on the nodes before they are lost."""
    spread = {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"}
    # Each revision by itself: what is left of the one before does not push the new pods together elsewhere.
    spread |= {"labelSelector": {"matchLabels": {"app": "moving"}}, "matchLabelKeys": ["pod-template-hash"]}
    moving, service = web("moving", 3, {"tolerations": LOST, "topologySpreadConstraints": [spread]})
    alone, governing = web("alone", 1, {"tolerations": LOST, "affinity": near(CUT_OFF)})
    alone = alone | {"kind": "StatefulSet", "spec": alone["spec"] | {"serviceName": "alone"}}
    lab.apply(moving, service, alone, governing, *a_volume_and_its_pod(tolerations=LOST, affinity=near(KILLED)))
    eventually_sync(lambda: attached_to(lab) == [KILLED], 60, "the volume is attached where its pod is")
    for one in ("deployment/moving", "statefulset/alone", f"deployment/{VOLUME}"):
        lab.kubectl("rollout", "status", one, "--timeout=60s", within=70)
