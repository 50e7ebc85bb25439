"""Nodes and the pods on them against the real API server and etcd."""

import asyncio
from contextlib import suppress
from dataclasses import replace

import pytest

from controller_manager.config import Config
from controller_manager.controller import Context
from controller_manager.controllers.podgc import PodGCController
from kube.api.meta import Key, Tree
from kube.api.status import NotFound
from kube.api.types import Lease, Node, Pod
from kube.client.informer import Informers
from kube.client.rest import STRATEGIC
from kube.component.clock import SystemClock
from kube.component.flags import Seconds
from tests.component.controller_manager.conftest import Cluster, a_template, at


@pytest.fixture
def impatient(manager_config: Config) -> Config:
    return replace(manager_config, node_monitor_grace_period=Seconds(1.0), node_startup_grace_period=Seconds(1.0))


async def effects(cluster: Cluster, name: str) -> set[tuple[str, str]]:
    node = await cluster.client.get(Node, "", name)
    return {(taint.key.rpartition("/")[2], taint.effect) for taint in node.spec.taints or ()}


async def a_node_with_lease(cluster: Cluster, name: str) -> None:
    ready = {"conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady", "message": ""}]}
    await cluster.client.create(Node, {"metadata": {"name": name}, "status": ready})
    lease = {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": "2026-01-01T00:00:00.000000Z"}
    await cluster.client.create(Lease, {"metadata": {"name": name, "namespace": "kube-node-lease"}, "spec": lease})


async def a_pod_on(cluster: Cluster, node: str, name: str, *tolerations: Tree) -> None:
    spec = {**a_template()["spec"], "nodeName": node, "tolerations": list(tolerations)}
    await cluster.client.create(Pod, {"metadata": {"name": name, "namespace": "default"}, "spec": spec})
    await cluster.set_phase(await cluster.client.get(Pod, "default", name), "Running")


def test_a_silent_node_is_tainted_and_its_pods_leave(runner: asyncio.Runner, cluster: Cluster, impatient: Config) -> None:
    """Rule: https://kubernetes.io/docs/concepts/architecture/nodes/#heartbeats"""

    async def scenario() -> None:
        cluster.config = impatient
        await cluster.start_and_settle()
        client = cluster.client
        await a_node_with_lease(cluster, "lively")
        await a_node_with_lease(cluster, "silent")
        unreachable = {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 0}
        await a_pod_on(cluster, "silent", "stays", {"operator": "Exists"})
        await a_pod_on(cluster, "silent", "leaves", unreachable)

        async def lost() -> bool:
            for second in range(3):  # the lively one's signs of life
                renewed = {"spec": {"renewTime": f"2026-01-01T00:00:0{second}.000000Z"}}
                await client.patch(Lease, Key("kube-node-lease", "lively"), renewed)
            node = await client.get(Node, "", "silent")
            found = {one.type: one.status for one in node.status.conditions}
            assert found["Ready"] == "Unknown"
            return await effects(cluster, "silent") == {("unreachable", "NoSchedule"), ("unreachable", "NoExecute")}

        await cluster.until(lost, "the silent node to be tainted")
        assert await effects(cluster, "lively") == set()

        async def moved() -> bool:
            pods = {pod.metadata.name: pod for pod in await client.list(Pod, "default")}
            leaving = {one.type: one.reason for one in pods["leaves"].status.conditions or ()}
            assert pods["leaves"].metadata.deletionTimestamp is not None
            assert leaving["DisruptionTarget"] == "DeletionByTaintManager"
            assert pods["stays"].metadata.deletionTimestamp is None
            return next(one.status for one in pods["stays"].status.conditions if one.type == "Ready") == "False"

        await cluster.until(moved, "one pod to leave, the other to be not ready")
        condition = {"type": "Ready", "status": "True", "reason": "KubeletReady", "lastHeartbeatTime": "2026-01-01T00:01:00Z"}
        await client.patch(Node, Key("", "silent"), {"status": {"conditions": [condition]}}, type=STRATEGIC, subresource="status")

        async def back() -> bool:
            return await effects(cluster, "silent") == set()

        await cluster.until(back, "a node that speaks again to lose its taints")

    runner.run(scenario())


def test_nodes_get_addresses_that_no_restart_gives_out_again(runner: asyncio.Runner, cluster: Cluster) -> None:
    """Rule: --allocate-node-cidrs of kube-controller-manager"""

    async def scenario() -> None:
        client = cluster.client
        first = cluster.start()
        for number in range(3):
            await client.create(Node, {"metadata": {"name": f"n{number}"}})

        async def allocated(count: int) -> list[str]:
            pieces = [node.spec.podCIDR for node in await client.list(Node)]
            assert all(pieces)
            assert len(set(pieces)) == count
            return pieces

        await cluster.until(lambda: allocated(3), "three pieces")
        await cluster.kill(first)
        await client.create(Node, {"metadata": {"name": "n3"}})
        cluster.start()
        pieces = await cluster.until(lambda: allocated(4), "a fourth piece, another one")
        assert sorted(pieces) == [f"10.244.{number}.0/24" for number in range(4)]

    runner.run(scenario())


def test_a_pod_that_is_deleted_before_it_was_bound_goes(runner: asyncio.Runner, cluster: Cluster) -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-garbage-collection"""

    async def scenario() -> None:
        await cluster.start_and_settle()
        client = cluster.client
        metadata = {"name": "p", "namespace": "default", "finalizers": ["example.com/hold"]}
        await client.create(Pod, {"metadata": metadata, "spec": a_template()["spec"]})
        await client.delete(Pod, at("p"))
        await client.patch(Pod, at("p"), {"metadata": {"finalizers": None}})

        async def gone() -> bool:
            try:
                await client.get(Pod, "default", "p")
            except NotFound:
                return True
            return False

        await cluster.until(gone, "the pod to go")

    runner.run(scenario())


class HandClock(SystemClock):
    """Seconds pass when the test says so."""

    seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds


def test_the_pods_of_a_node_that_is_no_more_go_after_a_while(runner: asyncio.Runner, cluster: Cluster) -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-garbage-collection"""

    async def scenario() -> None:
        await cluster.start_and_settle()
        clock, informers = HandClock(), Informers(cluster.client)
        collector = PodGCController(Context(cluster.client, informers, clock, cluster.config))
        following = asyncio.ensure_future(informers.run())
        try:
            await a_pod_on(cluster, "gone", "left")

            async def seen() -> bool:
                return collector.cache(Pod).get(at("left")) is not None

            await cluster.until(seen, "the pod in the cache")
            assert await collector.reconcile(at("left")) == 40
            clock.seconds = 41
            assert await collector.reconcile(at("left")) is None
            assert not await cluster.client.list(Pod, "default")
        finally:
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following

    runner.run(scenario())
