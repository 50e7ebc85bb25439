"""What the conformance suite asks of the garbage collector and of the end of a namespace, without a node."""

import asyncio
from collections.abc import Iterable
from typing import Any

from kube.api.meta import Key, Tree, key_of
from kube.api.types import ConfigMap, Deployment, Namespace, Pod, ReplicaSet, ReplicationController, Service, ServiceAccount
from kube.client.rest import STRATEGIC, Client
from tests.component.controller_manager.conftest import Cluster, a_template, at

COUNT = 10  # the fewest pods that the suite's own tests take


def a_deployment(replicas: int) -> Tree:
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": a_template()}
    return {"metadata": {"name": "web", "namespace": "default"}, "spec": spec}


def a_controller(name: str, replicas: int) -> Tree:
    spec = {"replicas": replicas, "selector": {"app": name}, "template": a_template(name)}
    return {"metadata": {"name": name, "namespace": "default"}, "spec": spec}


def an_owner(kind: str, tree: Tree, **more: Any) -> Tree:
    return {"apiVersion": "v1", "kind": kind, "name": tree["metadata"]["name"], "uid": tree["metadata"]["uid"], **more}


async def a_bare_pod(client: Client, name: str, namespace: str = "default", **metadata: Any) -> Tree:
    tree = {"metadata": {"name": name, "namespace": namespace, **metadata}, "spec": a_template()["spec"]}
    return await client.create(Pod, tree)


async def pods_there(cluster: Cluster, count: int) -> list[Pod]:
    async def there() -> list[Pod]:
        found = await cluster.pods()
        assert len(found) == count
        return found

    found: list[Pod] = await cluster.until(there, f"{count} pods")
    return found


async def nothing_left(cluster: Cluster, kinds: Iterable[type[Any]]) -> None:
    async def gone() -> bool:
        return not any([await cluster.client.list(kind, "default") for kind in kinds])

    await cluster.until(gone, "all to be gone")


def test_pods_of_a_replication_controller_go_with_it(runner: asyncio.Runner, cluster: Cluster) -> None:
    """Conformance: [sig-api-machinery] Garbage collector should delete pods created by rc when not orphaning [Conformance]"""

    async def scenario() -> None:
        await cluster.start_and_settle()
        await cluster.client.create(ReplicationController, a_controller("rc", 2))
        await pods_there(cluster, 2)
        await cluster.client.delete(ReplicationController, at("rc"), propagation="Background")
        await nothing_left(cluster, (ReplicationController, Pod))

    runner.run(scenario())


def test_pods_of_a_replication_controller_are_orphaned_on_demand(runner: asyncio.Runner, cluster: Cluster) -> None:
    """
    Conformance: [sig-api-machinery] Garbage collector should orphan pods created by rc if delete options say so [Serial] [Conformance]
    """  # noqa: E501

    async def scenario() -> None:
        await cluster.start_and_settle()
        await cluster.client.create(ReplicationController, a_controller("rc", COUNT))
        before = {pod.metadata.uid for pod in await pods_there(cluster, COUNT)}
        await cluster.client.delete(ReplicationController, at("rc"), propagation="Orphan")

        async def orphaned() -> bool:
            assert not await cluster.client.list(ReplicationController, "default")
            pods = await cluster.pods()
            assert all(not pod.metadata.ownerReferences for pod in pods)
            return {pod.metadata.uid for pod in pods} == before

        await cluster.until(orphaned, "the same pods, nobody's")

    runner.run(scenario())


def test_a_replica_set_and_its_pods_go_with_their_deployment(runner: asyncio.Runner, cluster: Cluster) -> None:
    """Conformance: [sig-api-machinery] Garbage collector should delete RS created by deployment when not orphaning [Conformance]"""

    async def scenario() -> None:
        await cluster.start_and_settle()
        await cluster.client.create(Deployment, a_deployment(2))
        await pods_there(cluster, 2)
        await cluster.client.delete(Deployment, at("web"), propagation="Background")
        await nothing_left(cluster, (Deployment, ReplicaSet, Pod))

    runner.run(scenario())


def test_a_replica_set_is_orphaned_on_demand(runner: asyncio.Runner, cluster: Cluster) -> None:
    """
    Conformance: [sig-api-machinery] Garbage collector should orphan RS created by deployment when deleteOptions.PropagationPolicy is Orphan [Conformance]
    """  # noqa: E501

    async def scenario() -> None:
        await cluster.start_and_settle()
        await cluster.client.create(Deployment, a_deployment(2))
        await pods_there(cluster, 2)
        await cluster.client.delete(Deployment, at("web"), propagation="Orphan")

        async def orphaned() -> bool:
            assert not await cluster.client.list(Deployment, "default")
            (left,) = await cluster.client.list(ReplicaSet, "default")
            assert not left.metadata.ownerReferences
            return all(pod.metadata.ownerReferences[0].uid == left.metadata.uid for pod in await pods_there(cluster, 2))

        await cluster.until(orphaned, "the replica set to be nobody's, its pods its own")

    runner.run(scenario())


def test_a_replication_controller_waits_for_its_pods(runner: asyncio.Runner, cluster: Cluster) -> None:
    """
    Conformance: [sig-api-machinery] Garbage collector should keep the rc around until all its pods are deleted if the deleteOptions says so [Serial] [Conformance]
    """  # noqa: E501

    async def scenario() -> None:
        await cluster.start_and_settle()
        client = cluster.client
        await client.create(ReplicationController, a_controller("rc", COUNT))
        held, *_ = await pods_there(cluster, COUNT)
        await client.patch(Pod, key_of(held), {"metadata": {"finalizers": ["example.com/hold"]}})
        await client.delete(ReplicationController, at("rc"), propagation="Foreground")

        async def one_left() -> bool:
            return [pod.metadata.uid for pod in await client.list(Pod, "default")] == [held.metadata.uid]

        await cluster.until(one_left, "only the pod that is held")
        waiting = await client.get(ReplicationController, "default", "rc")
        assert waiting.metadata.finalizers == ["foregroundDeletion"]
        await client.patch(Pod, key_of(held), {"metadata": {"finalizers": None}})
        await nothing_left(cluster, (ReplicationController, Pod))

    runner.run(scenario())


def test_a_pod_with_another_valid_owner_stays(runner: asyncio.Runner, cluster: Cluster) -> None:
    """
    Conformance: [sig-api-machinery] Garbage collector should not delete dependents that have both valid owner and owner that's waiting for dependents to be deleted [Serial] [Conformance]
    """  # noqa: E501

    async def scenario() -> None:
        await cluster.start_and_settle()
        client = cluster.client
        await client.create(ReplicationController, a_controller("going", COUNT))
        pods = await pods_there(cluster, COUNT)
        staying = await client.create(ReplicationController, a_controller("staying", 0))
        shared = pods[: COUNT // 2]
        for pod in shared:
            patch = {"metadata": {"ownerReferences": [an_owner("ReplicationController", staying)]}}
            await client.patch(Pod, key_of(pod), patch, type=STRATEGIC)
        await client.delete(ReplicationController, at("going"), propagation="Foreground")

        async def only_shared() -> bool:
            assert [one.metadata.name for one in await client.list(ReplicationController, "default")] == ["staying"]
            return {pod.metadata.uid for pod in await client.list(Pod, "default")} == {pod.metadata.uid for pod in shared}

        await cluster.until(only_shared, "the pods that have another owner")
        assert all(pod.metadata.deletionTimestamp is None for pod in await client.list(Pod, "default"))

    runner.run(scenario())


def test_a_circle_of_pods_is_collected(runner: asyncio.Runner, cluster: Cluster) -> None:
    """Conformance: [sig-api-machinery] Garbage collector should not be blocked by dependency circle [Conformance]"""

    async def scenario() -> None:
        await cluster.start_and_settle()
        client = cluster.client
        pods = [await a_bare_pod(client, f"pod{number}") for number in (1, 2, 3)]
        for pod, owner in zip(pods, [pods[2], pods[0], pods[1]], strict=True):
            patch = {"metadata": {"ownerReferences": [an_owner("Pod", owner, controller=True, blockOwnerDeletion=True)]}}
            await client.patch(Pod, at(pod["metadata"]["name"]), patch)
        await client.delete(Pod, at("pod1"), propagation="Foreground")
        await nothing_left(cluster, (Pod,))

    runner.run(scenario())


async def a_namespace(cluster: Cluster) -> None:
    """One in which pods can be created."""
    await cluster.client.create(Namespace, {"metadata": {"name": "going"}})
    await cluster.until(lambda: cluster.client.get(ServiceAccount, "going", "default"), "the account that pods need")


async def until_gone(cluster: Cluster) -> None:
    async def gone() -> bool:
        return "going" not in [one.metadata.name for one in await cluster.client.list(Namespace)]

    await cluster.until(gone, "the namespace to be gone")


def test_a_namespace_takes_its_pods_and_services_with_it(runner: asyncio.Runner, cluster: Cluster) -> None:
    """
    Conformance: [sig-api-machinery] Namespaces [Serial] should ensure that all pods are removed when a namespace is deleted [Conformance]
    Conformance: [sig-api-machinery] Namespaces [Serial] should ensure that all services are removed when a namespace is deleted [Conformance]
    """  # noqa: E501

    async def scenario() -> None:
        await cluster.start_and_settle()
        client = cluster.client
        await a_namespace(cluster)
        await a_bare_pod(client, "pod", "going")
        ports = [{"port": 80, "targetPort": 80}]
        await client.create(Service, {"metadata": {"name": "s", "namespace": "going"}, "spec": {"ports": ports}})
        await client.delete(Namespace, Key("", "going"))
        await until_gone(cluster)
        await a_namespace(cluster)
        assert not await client.list(Pod, "going")
        assert not await client.list(Service, "going")

    runner.run(scenario())


def test_the_pods_of_a_namespace_go_before_the_rest(runner: asyncio.Runner, cluster: Cluster) -> None:
    """
    Conformance: [sig-api-machinery] OrderedNamespaceDeletion namespace deletion should delete pod first [Conformance]
    """

    async def scenario() -> None:
        await cluster.start_and_settle()
        client = cluster.client
        await a_namespace(cluster)
        await a_bare_pod(client, "held", "going", finalizers=["example.com/hold"])
        await client.create(ConfigMap, {"metadata": {"name": "c", "namespace": "going"}})
        await client.delete(Namespace, Key("", "going"))

        async def told() -> bool:
            found = await client.get(Namespace, "", "going")
            told = {one.type: one.message for one in found.status.conditions or [] if one.status == "True"}
            assert "pods." in told.get("NamespaceContentRemaining", "")
            return (await client.get(Pod, "going", "held")).metadata.deletionTimestamp is not None

        await cluster.until(told, "the pod to be deleting, and the namespace to say so")
        assert (await client.get(ConfigMap, "going", "c")).metadata.deletionTimestamp is None
        await client.patch(Pod, at("held", "going"), {"metadata": {"finalizers": None}})
        await until_gone(cluster)

    runner.run(scenario())
