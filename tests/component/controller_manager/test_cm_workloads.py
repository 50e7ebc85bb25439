"""Jobs, DaemonSets and ReplicationControllers against the real API server and etcd."""

import asyncio
from typing import Any

import orjson

from kube.api.meta import Tree, key_of
from kube.api.resources import resource_of
from kube.api.types import ControllerRevision, DaemonSet, Event, Job, Node, Pod, ReplicationController
from kube.client.rest import STRATEGIC
from tests.component.controller_manager.conftest import Cluster, a_template, at

TRACKING = "batch.kubernetes.io/job-tracking"


def a_job(name: str, **spec: Any) -> Tree:
    template = {"spec": {"containers": [{"name": "c", "image": "i"}], "restartPolicy": "Never"}}
    return {"metadata": {"name": name, "namespace": "default"}, "spec": {"template": template, **spec}}


async def true_conditions(cluster: Cluster, name: str) -> dict[str, str]:
    job = await cluster.client.get(Job, "default", name)
    return {one.type: one.reason for one in job.status.conditions or () if one.status == "True"}


async def running_pods(cluster: Cluster, count: int) -> list[Pod]:
    found = [pod for pod in await cluster.pods() if pod.status.phase in ("Pending", "Running")]
    assert len(found) == count
    return found


def test_a_job_completes_and_counts_each_pod_once(runner: asyncio.Runner, cluster: Cluster) -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/controllers/job/"""

    async def scenario() -> None:
        await cluster.start_and_settle()
        client = cluster.client
        await client.create(Job, a_job("work", completions=3, parallelism=2))
        done: set[str] = set()
        while len(done) < 3:
            pods = await cluster.until(lambda: running_pods(cluster, min(2, 3 - len(done))), "pods to run")
            assert TRACKING in pods[0].metadata.finalizers
            done.add(pods[0].metadata.name)
            await cluster.set_phase(pods[0], "Succeeded")

        async def complete() -> bool:
            assert await true_conditions(cluster, "work") == {
                "SuccessCriteriaMet": "CompletionsReached",
                "Complete": "CompletionsReached",
            }
            return True

        await cluster.until(complete, "the job to complete")
        job = await client.get(Job, "default", "work")
        assert (job.status.succeeded, job.status.failed, job.status.active) == (3, None, None)
        assert job.status.completionTime is not None
        assert all(TRACKING not in (pod.metadata.finalizers or ()) for pod in await client.list(Pod, "default"))

        async def told() -> bool:
            return any(event.reason == "Completed" for event in await client.list(Event, "default"))

        await cluster.until(told, "the event")

    runner.run(scenario())


def test_a_job_fails_after_its_back_off_limit_and_stops_its_pods(runner: asyncio.Runner, cluster: Cluster) -> None:
    async def scenario() -> None:
        await cluster.start_and_settle()
        await cluster.client.create(Job, a_job("work", completions=3, parallelism=3, backoffLimit=0))
        pods = await cluster.until(lambda: running_pods(cluster, 3), "three pods")
        await cluster.set_phase(pods[0], "Failed")

        async def failed() -> bool:
            found = await true_conditions(cluster, "work")
            assert found == {"FailureTarget": "BackoffLimitExceeded", "Failed": "BackoffLimitExceeded"}
            return not await running_pods(cluster, 0)

        await cluster.until(failed, "the job to fail and its pods to be stopped")

    runner.run(scenario())


def test_a_job_is_suspended_resumed_and_deleted_when_its_time_is_over(runner: asyncio.Runner, cluster: Cluster) -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/controllers/job/#suspending-a-job"""

    async def scenario() -> None:
        await cluster.start_and_settle()
        client = cluster.client
        await client.create(Job, a_job("work", suspend=True, ttlSecondsAfterFinished=0))

        async def suspended() -> bool:
            assert await cluster.pods() == []
            return (await true_conditions(cluster, "work")).get("Suspended") == "JobSuspended"

        await cluster.until(suspended, "the job to be suspended")
        await client.patch(Job, at("work"), {"spec": {"suspend": False}})
        (pod,) = await cluster.until(lambda: running_pods(cluster, 1), "its pod")
        await cluster.set_phase(pod, "Succeeded")

        async def gone() -> bool:
            return not await client.list(Job, "default") and not await client.list(Pod, "default")

        await cluster.until(gone, "the job and its pods to be deleted")

    runner.run(scenario())


def test_the_pods_of_a_deleted_job_are_let_go(runner: asyncio.Runner, cluster: Cluster) -> None:
    """What if the job goes while its pods carry the tracking finalizer?"""

    async def scenario() -> None:
        await cluster.start_and_settle()
        client = cluster.client
        await client.create(Job, a_job("work"))
        await cluster.until(lambda: running_pods(cluster, 1), "its pod")
        await client.delete(Job, at("work"), propagation="Background")

        async def gone() -> bool:
            return not await client.list(Pod, "default")

        await cluster.until(gone, "the pod to go")
        await client.create(Job, a_job("left"))
        await cluster.until(lambda: running_pods(cluster, 1), "its pod")
        await client.delete(Job, at("left"))

        async def free() -> bool:
            (pod,) = await cluster.pods()
            return not (await client.list(Job, "default") or pod.metadata.ownerReferences or pod.metadata.finalizers)

        await cluster.until(free, "the pod to be nobody's: no policy was said")

    runner.run(scenario())


def test_a_daemon_set_follows_the_nodes_and_rolls(runner: asyncio.Runner, cluster: Cluster) -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/"""

    async def scenario() -> None:
        await cluster.start_and_settle()
        client = cluster.client
        for name in ("n1", "n2"):
            await a_ready_node(cluster, name)
        spec = {"selector": {"matchLabels": {"app": "web"}}, "template": a_template()}
        async with cluster.pods_get_ready():
            await client.create(DaemonSet, {"metadata": {"name": "ds", "namespace": "default"}, "spec": spec})

            async def everywhere(count: int, image: str) -> bool:
                status = (await client.get(DaemonSet, "default", "ds")).status
                assert (status.desiredNumberScheduled, status.numberAvailable, status.updatedNumberScheduled) == (count,) * 3
                assert {pod.spec.containers[0].image for pod in await cluster.pods()} == {image}
                return True

            await cluster.until(lambda: everywhere(2, "web:1"), "a pod for each node")
            await a_ready_node(cluster, "n3")
            await cluster.until(lambda: everywhere(3, "web:1"), "a pod for the new node")
            patch = {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "web:2"}]}}}}
            await client.patch(DaemonSet, at("ds"), patch, type=STRATEGIC)
            await cluster.until(lambda: everywhere(3, "web:2"), "all pods of the new template")
        answer = await client.request("GET", resource_of(ControllerRevision).path("default"))
        revisions = answer.tree()["items"]
        assert {one["revision"] for one in revisions} == {1, 2}
        for one in revisions:  # upstream's clients compare the bytes with those of a Go map
            assert orjson.dumps(one["data"], option=orjson.OPT_SORT_KEYS) in answer.body

    runner.run(scenario())


def test_a_replication_controller_gets_the_same_care(runner: asyncio.Runner, cluster: Cluster) -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/controllers/replicationcontroller/"""

    async def scenario() -> None:
        await cluster.start_and_settle()
        client = cluster.client
        spec = {"replicas": 2, "selector": {"app": "web"}, "template": a_template()}
        await client.create(ReplicationController, {"metadata": {"name": "rc", "namespace": "default"}, "spec": spec})
        pods = await cluster.until(lambda: running_pods(cluster, 2), "two pods")
        await client.delete(Pod, key_of(pods[0]))
        await cluster.until(lambda: running_pods(cluster, 2), "the deleted pod replaced")

    runner.run(scenario())


async def a_ready_node(cluster: Cluster, name: str) -> None:
    """Registered, and its not-ready taint taken off by the node controller."""
    status = {"conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady", "message": ""}]}
    await cluster.client.create(Node, {"metadata": {"name": name}, "status": status})

    async def untainted() -> bool:
        return not ((await cluster.client.get(Node, "", name)).spec.taints or ())

    await cluster.until(untainted, f"node {name} without taints")
