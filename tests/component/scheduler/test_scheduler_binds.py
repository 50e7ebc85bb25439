"""The scheduler against the real API server: pods get their nodes, or are told why not."""

import asyncio
from typing import Any

from prometheus_client import REGISTRY

from kube.api.meta import Key
from kube.api.types import Event, Node, Pod, ServiceAccount
from kube.client.event_series import SeriesRecorder
from kube.client.informer import Informers
from kube.client.rest import Client
from scheduler.profiles import profile_of
from scheduler.queue import PLACES
from scheduler.scheduler import Desk, Scheduler
from tests.wait import eventually

NODE = {"cpu": "1", "memory": "1Gi", "pods": "10"}


def a_pod(name: str, cpu: str = "100m") -> dict[str, Any]:
    container = {"name": "c", "image": "i", "resources": {"requests": {"cpu": cpu}}}
    spec = {"containers": [container], "automountServiceAccountToken": False}
    return {"metadata": {"name": name, "namespace": "default"}, "spec": spec}


async def a_cluster(client: Client) -> asyncio.Task[None]:
    """A service account, one node without taints, and a running scheduler."""
    await client.create(ServiceAccount, {"metadata": {"name": "default", "namespace": "default"}})
    await client.create(Node, {"metadata": {"name": "n"}, "status": {"allocatable": NODE, "capacity": NODE}})
    await client.patch(Node, Key("", "n"), {"spec": {"taints": []}})
    return asyncio.ensure_future(_schedule(client))


def test_pods_are_bound_until_the_node_is_full_and_again_when_it_empties(runner: asyncio.Runner, client: Client) -> None:
    async def scenario() -> None:
        running = await a_cluster(client)
        for number in range(3):
            await client.create(Pod, a_pod(f"p{number}", cpu="400m"))
        await eventually(lambda: _bound(client, 2), within=10)
        waiting = await eventually(lambda: _unschedulable(client), within=10)
        message = (
            "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No "
        )
        assert waiting.message.startswith(message)
        placed = next(pod for pod in await client.list(Pod, "default") if pod.spec.nodeName)
        await client.delete(Pod, Key("default", placed.metadata.name), grace_seconds=0)
        await eventually(lambda: _bound(client, 2), within=15, what="the freed room is used")
        events = {event.reason: event for event in await client.list(Event, "default")}
        told = {reason: (event.action, event.reportingComponent, event.count) for reason, event in events.items()}
        assert told["Scheduled"] == ("Binding", "default-scheduler", None)
        assert told["FailedScheduling"] == ("Scheduling", "default-scheduler", None)
        assert events["Scheduled"].firstTimestamp is None, "told in the newer form"
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    runner.run(scenario())


def test_a_pod_that_waits_for_another_goes_to_its_node_once_it_is_there(runner: asyncio.Runner, client: Client) -> None:
    """Rule: https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#inter-pod-affinity-and-anti-affinity"""

    def related(name: str, side: str) -> dict[str, Any]:
        term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "db"}}}
        tree = a_pod(name)
        tree["spec"]["affinity"] = {side: {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
        return tree

    async def scenario() -> None:
        running = await a_cluster(client)
        await client.patch(Node, Key("", "n"), {"metadata": {"labels": {"kubernetes.io/hostname": "n"}}})
        await client.create(Pod, related("web", "podAffinity"))
        waiting = await eventually(lambda: _unschedulable(client), within=10)
        assert waiting.message.startswith("0/1 nodes are available: 1 node(s) didn't match pod affinity rules.")
        database = a_pod("db")
        database["metadata"]["labels"] = {"app": "db"}
        await client.create(Pod, database)
        await eventually(lambda: _bound(client, 2), within=10)
        await client.create(Pod, related("apart", "podAntiAffinity"))
        waiting = await eventually(lambda: _unschedulable(client), within=10)
        assert waiting.message.startswith("0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules.")
        await client.delete(Pod, Key("default", "db"), grace_seconds=0)
        await eventually(lambda: _bound(client, 2), within=10, what="nobody is in its way")
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    runner.run(scenario())


def test_a_pod_kept_away_by_an_emptier_domain_is_tried_when_that_domains_node_goes(runner: asyncio.Runner, client: Client) -> None:
    """Rule: upstream plugins/podtopologyspread, EventsToRegister: a node that is deleted may help"""
    hostname = "kubernetes.io/hostname"

    def spread(name: str) -> dict[str, Any]:
        tree = a_pod(name)
        tree["metadata"]["labels"] = {"app": "web"}
        selector = {"matchLabels": {"app": "web"}}
        tree["spec"]["topologySpreadConstraints"] = [
            {"maxSkew": 1, "topologyKey": hostname, "whenUnsatisfiable": "DoNotSchedule", "labelSelector": selector}
        ]
        return tree

    async def scenario() -> None:
        running = await a_cluster(client)
        await client.patch(Node, Key("", "n"), {"metadata": {"labels": {hostname: "n"}}})
        full = {**NODE, "pods": "0"}
        await client.create(
            Node, {"metadata": {"name": "full", "labels": {hostname: "full"}}, "status": {"allocatable": full, "capacity": full}}
        )
        await client.patch(Node, Key("", "full"), {"spec": {"taints": []}})
        await client.create(Pod, spread("first"))
        await eventually(lambda: _bound(client, 1), within=10)
        await client.create(Pod, spread("second"))
        await eventually(lambda: _unschedulable(client), within=10)
        await client.delete(Node, Key("", "full"))
        await eventually(lambda: _bound(client, 2), within=15)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    runner.run(scenario())


def test_a_pod_that_is_being_deleted_is_not_tried(runner: asyncio.Runner, client: Client) -> None:
    """# what if a pod that has no node is deleted, and a finalizer keeps it

    Rule: upstream pkg/scheduler/schedule_one.go, skipPodSchedule
    """

    def pending() -> float:
        counts = (REGISTRY.get_sample_value("scheduler_pending_pods", {"queue": place}) for place in PLACES)
        return sum(count or 0 for count in counts)

    async def pending_is(count: int) -> bool:
        return pending() == count

    async def scenario() -> None:
        running = await a_cluster(client)
        kept = a_pod("kept", cpu="2")
        kept["metadata"]["finalizers"] = ["example.com/kept"]
        await client.create(Pod, kept)
        await eventually(lambda: _unschedulable(client), within=10)
        assert pending() == 1
        await client.delete(Pod, Key("default", "kept"))
        await eventually(lambda: pending_is(0), within=10)
        assert len(await client.list(Pod, "default")) == 1
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    runner.run(scenario())


async def _schedule(client: Client) -> None:
    informers, recorder = Informers(client), SeriesRecorder(client, "default-scheduler")
    scheduler = Scheduler(client, informers, [Desk(client, recorder, profile_of({}))])
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(informers.run())
        tasks.create_task(recorder.run())
        tasks.create_task(scheduler.run())


async def _bound(client: Client, count: int) -> bool:
    return sum(bool(pod.spec.nodeName) for pod in await client.list(Pod, "default")) == count


async def _unschedulable(client: Client) -> Any:
    conditions = [one for pod in await client.list(Pod, "default") for one in pod.status.conditions or ()]
    return next((one for one in conditions if one.reason == "Unschedulable"), None)
