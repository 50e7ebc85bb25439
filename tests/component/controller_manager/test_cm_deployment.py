"""Deployments and ReplicaSets against the real API server and etcd."""

import asyncio
from functools import partial

from kube.api.meta import controller_of, key_of
from kube.api.types import Deployment, Event, Pod, ReplicaSet
from kube.client.rest import STRATEGIC
from tests.component.controller_manager.conftest import Cluster, a_template, a_workload, at


async def rolled_out(cluster: Cluster, name: str, replicas: int, revision: str) -> bool:
    """What `kubectl rollout status` waits for."""
    found = await cluster.client.get(Deployment, "default", name)
    status = found.status
    assert status.observedGeneration == found.metadata.generation
    sizes = (status.replicas or 0, status.updatedReplicas or 0, status.availableReplicas or 0)
    assert sizes == (replicas, replicas, replicas)
    assert (found.metadata.annotations or {})["deployment.kubernetes.io/revision"] == revision
    return True


async def only_image(cluster: Cluster, image: str) -> bool:
    return {pod.spec.containers[0].image for pod in await cluster.pods()} == {image}


def test_a_deployment_reaches_its_size_rolls_over_and_goes_back(runner: asyncio.Runner, cluster: Cluster) -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/"""

    async def scenario() -> None:
        cluster.start()
        client = cluster.client
        async with cluster.pods_get_ready():
            await client.create(Deployment, a_workload("web", 3, a_template()))
            await cluster.until(lambda: rolled_out(cluster, "web", 3, "1"), "three pods of revision 1")
            for image, revision in (("web:2", "2"), ("web:3", "3"), ("web:2", "4")):
                container = {"name": "c", "image": image}
                patch = {"spec": {"template": {"spec": {"containers": [container]}}}}
                await client.patch(Deployment, at("web"), patch, type=STRATEGIC)
                await cluster.until(partial(rolled_out, cluster, "web", 3, revision), f"revision {revision}")
                assert await only_image(cluster, image), "what the status says is so"
        sets = await client.list(ReplicaSet, "default")
        assert sorted(one.spec.replicas for one in sets) == [0, 0, 3], "going back to web:2 uses its old set again"
        deployment = await client.get(Deployment, "default", "web")
        progress = next(one for one in deployment.status.conditions if one.type == "Progressing")
        assert (progress.status, progress.reason) == ("True", "NewReplicaSetAvailable")

        async def all_gone() -> bool:
            return (await client.get(Deployment, "default", "web")).status.terminatingReplicas == 0

        await cluster.until(all_gone, "the old pods gone, and that told")

        async def told() -> bool:
            events = await client.list(Event, "default")
            return any(
                one.message.startswith("Scaled up replica set web-") and one.message.endswith("from 0 to 3") for one in events
            )

        await cluster.until(told, "the event of the first scaling")

    runner.run(scenario())


def test_a_paused_deployment_scales_and_does_not_roll(runner: asyncio.Runner, cluster: Cluster) -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#pausing-and-resuming-a-deployment"""

    async def scenario() -> None:
        cluster.start()
        client = cluster.client
        async with cluster.pods_get_ready():
            await client.create(Deployment, a_workload("web", 2, a_template()))
            await cluster.until(lambda: rolled_out(cluster, "web", 2, "1"), "two pods")
            changed = {"paused": True, "replicas": 4, "template": {"metadata": {"annotations": {"a": "b"}}}}
            await client.patch(Deployment, at("web"), {"spec": changed})

            async def scaled() -> bool:
                assert len(await client.list(ReplicaSet, "default")) == 1
                return len(await cluster.pods()) == 4

            await cluster.until(scaled, "four pods of the old template")
            await client.patch(Deployment, at("web"), {"spec": {"paused": False}})
            await cluster.until(lambda: rolled_out(cluster, "web", 4, "2"), "four pods of the new template")

    runner.run(scenario())


def test_recreate_never_mixes_old_and_new_pods(runner: asyncio.Runner, cluster: Cluster) -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#recreate-deployment

    Conformance: [sig-apps] Deployment RecreateDeployment should delete old pods and create new ones [Conformance]
    """

    async def scenario() -> None:
        cluster.start()
        client = cluster.client
        async with cluster.pods_get_ready():
            await client.create(Deployment, a_workload("web", 2, a_template(), strategy={"type": "Recreate"}))
            await cluster.until(lambda: rolled_out(cluster, "web", 2, "1"), "two pods")
            patch = {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "web:2"}]}}}}
            await client.patch(Deployment, at("web"), patch, type=STRATEGIC)

            async def done() -> bool:
                images.append({pod.spec.containers[0].image for pod in await client.list(Pod, "default")})
                return await rolled_out(cluster, "web", 2, "2")

            images: list[set[str]] = []
            await cluster.until(done, "two new pods")
            assert all(len(seen) <= 1 for seen in images)

    runner.run(scenario())


def test_a_replica_set_replaces_adopts_and_releases(runner: asyncio.Runner, cluster: Cluster) -> None:
    """Rule: https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#non-template-pod-acquisitions · KEP-3973"""

    async def scenario() -> None:
        client = cluster.client
        metadata = {"name": "orphan", "namespace": "default", "labels": {"app": "web"}}
        orphan = {"metadata": metadata, "spec": {**a_template()["spec"], "nodeName": "n"}}
        await cluster.start_and_settle()
        await client.create(Pod, orphan)
        made = await client.create(ReplicaSet, a_workload("rs", 3, a_template()))
        uid = made["metadata"]["uid"]

        async def three() -> list[Pod]:
            found = await cluster.pods(selector="app=web")
            assert len(found) == 3
            assert all(controller_of(pod.metadata) and controller_of(pod.metadata).uid == uid for pod in found)
            return found

        pods = await cluster.until(three, "three pods, the orphan among them")
        assert "orphan" in {pod.metadata.name for pod in pods}
        await client.delete(Pod, key_of(pods[0]))  # the orphan, which is on a node and has its grace period
        held, pods = pods[0], await cluster.until(three, "the deleted one replaced")

        async def terminating(wanted: int) -> bool:
            return bool((await client.get(ReplicaSet, "default", "rs")).status.terminatingReplicas == wanted)

        await cluster.until(partial(terminating, 1), "the one that goes counted apart")
        await client.delete(Pod, key_of(held), grace_seconds=0)
        await cluster.until(partial(terminating, 0), "it gone")
        await client.patch(Pod, key_of(pods[0]), {"metadata": {"labels": {"app": "other"}}})
        await cluster.until(three, "the relabelled one replaced")
        released = await client.get(Pod, "default", pods[0].metadata.name)
        assert controller_of(released.metadata) is None
        await client.patch(ReplicaSet, at("rs"), {"spec": {"replicas": 1}})

        async def one() -> bool:
            status = (await client.get(ReplicaSet, "default", "rs")).status
            return len(await cluster.pods(selector="app=web")) == 1 and status.replicas == 1

        await cluster.until(one, "scaled down to one")

    runner.run(scenario())


def test_a_manager_that_takes_over_creates_nothing_twice(runner: asyncio.Runner, cluster: Cluster) -> None:
    """What if the manager dies in the midst of creating pods?"""

    async def scenario() -> None:
        client = cluster.client
        first = cluster.start()
        await client.create(Deployment, a_workload("web", 30, a_template()))

        async def some() -> bool:
            return len(await cluster.pods()) >= 5

        await cluster.until(some, "the first pods")
        await cluster.kill(first)
        cluster.start()

        async def all_there() -> bool:
            found = await client.get(Deployment, "default", "web")
            assert len(await client.list(Pod, "default")) <= 30
            return found.status.replicas == 30

        await cluster.until(all_there, "thirty pods")
        assert len(await client.list(Pod, "default")) == 30
        assert len(await client.list(ReplicaSet, "default")) == 1

    runner.run(scenario())
