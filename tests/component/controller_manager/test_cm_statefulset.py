"""Stateful sets through a controller manager: numbered pods, their order, their updates, their claims."""

import asyncio
from typing import Any

from kube.api.meta import Tree
from kube.api.types import ControllerRevision, PersistentVolumeClaim, Pod, StatefulSet
from tests.component.controller_manager.conftest import Cluster, a_template, a_workload, at


def a_set(replicas: int, **spec: Any) -> Tree:
    return a_workload("web", replicas, a_template(), serviceName="web", **spec)


async def stand(cluster: Cluster, *names: str, image: str = "") -> None:
    """Wait until exactly these pods are there and ready, and the status says so."""

    async def look() -> bool:
        pods = await cluster.pods()
        assert sorted(pod.metadata.name or "" for pod in pods) == sorted(names)
        assert not image or {pod.spec.containers[0].image for pod in pods} == {image}
        status = (await cluster.client.get(StatefulSet, "default", "web")).status
        return (status.readyReplicas or 0) == status.replicas == len(names)

    await cluster.until(look, f"pods {names}")


def test_pods_are_scaled_updated_and_rolled_back_in_order(runner: asyncio.Runner, cluster: Cluster) -> None:
    """A template of before is known again as the revision that it was.

    Conformance: [sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] should perform rolling updates and roll backs of template modifications [Conformance]
    Conformance: [sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] should have a working scale subresource [Conformance]
    """  # noqa: E501

    async def scenario() -> None:
        client = cluster.client
        await cluster.start_and_settle()
        async with cluster.pods_get_ready():
            await client.create(StatefulSet, a_set(1))
            await stand(cluster, "web-0")
            before = await client.get_tree(StatefulSet, "default", "web")
            first = before["status"]["currentRevision"]
            await client.patch(StatefulSet, at("web"), {"spec": {"replicas": 3}}, subresource="scale")
            await stand(cluster, "web-0", "web-1", "web-2")
            births = sorted(await cluster.pods(), key=lambda pod: pod.metadata.name or "")
            assert [pod.metadata.labels["apps.kubernetes.io/pod-index"] for pod in births if pod.metadata.labels] == ["0", "1", "2"]
            template = {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "web:2"}]}}}}
            await client.patch(StatefulSet, at("web"), template)
            await stand(cluster, "web-0", "web-1", "web-2", image="web:2")
            second = (await client.get(StatefulSet, "default", "web")).status.updateRevision
            assert second != first
            template["spec"]["template"]["spec"]["containers"][0]["image"] = "web:1"
            await client.patch(StatefulSet, at("web"), template)
            await stand(cluster, "web-0", "web-1", "web-2", image="web:1")

            async def told() -> bool:
                status = (await client.get(StatefulSet, "default", "web")).status
                return bool(status.currentRevision == status.updateRevision == first and status.updatedReplicas == 3)

            await cluster.until(told, "the first revision is the current one again")
            assert len(await client.list(ControllerRevision, "default")) == 2
            await client.patch(StatefulSet, at("web"), {"spec": {"replicas": 0}}, subresource="scale")
            await stand(cluster)

    runner.run(scenario())


def test_a_failed_pod_is_made_anew_under_its_name_with_its_claim(runner: asyncio.Runner, cluster: Cluster) -> None:
    """And the claim stays when the set has gone.

    Conformance: [sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] Should recreate evicted statefulset [Conformance]
    """  # noqa: E501
    claim = {
        "metadata": {"name": "www"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}},
    }

    async def scenario() -> None:
        client = cluster.client
        await cluster.start_and_settle()
        async with cluster.pods_get_ready():
            await client.create(StatefulSet, a_set(1, volumeClaimTemplates=[claim]))
            await stand(cluster, "web-0")
            (pod,) = await cluster.pods()
            await cluster.set_phase(pod, "Failed", reason="Evicted")

            async def again() -> bool:
                fresh = await client.get(Pod, "default", "web-0")
                return fresh.metadata.uid != pod.metadata.uid and fresh.status.phase == "Running"

            await cluster.until(again, "another pod of the same name")
            assert [one.metadata.name for one in await client.list(PersistentVolumeClaim, "default")] == ["www-web-0"]

    runner.run(scenario())


def test_all_pods_come_at_once_where_their_order_does_not_matter(runner: asyncio.Runner, cluster: Cluster) -> None:
    """Though none of them is ready.

    Conformance: [sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] Burst scaling should run to completion even with unhealthy pods [Slow] [Conformance]
    """  # noqa: E501

    async def scenario() -> None:
        await cluster.start_and_settle()
        await cluster.client.create(StatefulSet, a_set(3, podManagementPolicy="Parallel"))

        async def there(count: int) -> bool:
            assert len(await cluster.pods()) == count
            return True

        await cluster.until(lambda: there(3), "three pods")
        await cluster.client.patch(StatefulSet, at("web"), {"spec": {"replicas": 0}}, subresource="scale")
        await cluster.until(lambda: there(0), "no pods")

    runner.run(scenario())
