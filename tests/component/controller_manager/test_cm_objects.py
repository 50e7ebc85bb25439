"""Namespaces, garbage, services' addresses and nodes against the real API server and etcd."""

import asyncio
from typing import Any

from kube.api.meta import Key, Tree
from kube.api.types import (
    ConfigMap,
    Deployment,
    Endpoints,
    EndpointSlice,
    Event,
    Namespace,
    Pod,
    ReplicaSet,
    Service,
    ServiceAccount,
)
from tests.component.controller_manager.conftest import Cluster, a_template, a_workload, at


def a_config_map(name: str, *owners: Tree, namespace: str = "default", blocks: bool = True, **metadata: Any) -> Tree:
    references = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"],
            "blockOwnerDeletion": blocks,
        }
        for owner in owners
    ]
    return {"metadata": {"name": name, "namespace": namespace, "ownerReferences": references, **metadata}}


async def names(cluster: Cluster) -> set[str]:
    return {one.metadata.name for one in await cluster.client.list(ConfigMap, "default")} - {"kube-root-ca.crt"}


def test_every_namespace_gets_an_account_and_the_authority(runner: asyncio.Runner, cluster: Cluster) -> None:
    """Rule: https://kubernetes.io/docs/concepts/security/service-accounts/#default-service-accounts"""

    async def scenario() -> None:
        await cluster.start_and_settle()
        client = cluster.client
        await client.create(Namespace, {"metadata": {"name": "room"}})
        await cluster.until(lambda: client.get(ServiceAccount, "room", "default"), "the account")
        published = await cluster.until(lambda: client.get(ConfigMap, "room", "kube-root-ca.crt"), "the authority")
        assert published.data["ca.crt"].startswith("-----BEGIN")
        await client.patch(ConfigMap, Key("room", "kube-root-ca.crt"), {"data": {"ca.crt": "forged", "more": "x"}})

        async def mended() -> bool:
            found = await client.get(ConfigMap, "room", "kube-root-ca.crt")
            return bool(found.data == published.data)

        await cluster.until(mended, "the authority put right again")
        await client.delete(ServiceAccount, Key("room", "default"))
        await cluster.until(lambda: client.get(ServiceAccount, "room", "default"), "the account made again")

    runner.run(scenario())


def test_a_deleted_namespace_is_emptied_and_goes(runner: asyncio.Runner, cluster: Cluster) -> None:
    """Rule: https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/"""

    async def scenario() -> None:
        await cluster.start_and_settle()
        client = cluster.client
        await client.create(Namespace, {"metadata": {"name": "room"}})
        await cluster.until(lambda: client.get(ServiceAccount, "room", "default"), "the account")
        workload = a_workload("web", 2, a_template())
        workload["metadata"]["namespace"] = "room"
        await client.create(Deployment, workload)
        await client.create(ConfigMap, a_config_map("held", namespace="room", finalizers=["example.com/hold"]))

        async def two() -> bool:
            return len(await cluster.pods("room")) == 2

        await cluster.until(two, "its pods")
        await client.delete(Namespace, Key("", "room"))

        async def told() -> bool:
            namespace = await client.get(Namespace, "", "room")
            found = {one.type: one.message for one in namespace.status.conditions or () if one.status == "True"}
            assert found.get("NamespaceFinalizersRemaining", "").endswith("example.com/hold in 1 resource instances")
            return not await client.list(Pod, "room") and not await client.list(Deployment, "room")

        await cluster.until(told, "what holds it in the conditions")
        await client.patch(ConfigMap, Key("room", "held"), {"metadata": {"finalizers": None}})

        async def gone() -> bool:
            return "room" not in {one.metadata.name for one in await client.list(Namespace)}

        await cluster.until(gone, "the namespace to go")

    runner.run(scenario())


def test_dependents_go_in_the_background(runner: asyncio.Runner, cluster: Cluster) -> None:
    """Rule: https://kubernetes.io/docs/concepts/architecture/garbage-collection/#background-deletion"""

    async def scenario() -> None:
        await cluster.start_and_settle()
        client = cluster.client
        first = await client.create(ConfigMap, a_config_map("first"))
        second = await client.create(ConfigMap, a_config_map("second"))
        await client.create(ConfigMap, a_config_map("of-one", first))
        await client.create(ConfigMap, a_config_map("of-both", first, second))
        dangling = {"metadata": {"name": "never", "uid": "00000000-0000-0000-0000-000000000000"}}
        await client.create(ConfigMap, a_config_map("of-none", dangling))
        await client.delete(ConfigMap, at("first"))

        async def collected() -> bool:
            assert await names(cluster) == {"second", "of-both"}
            left = (await client.get(ConfigMap, "default", "of-both")).metadata.ownerReferences
            return [one.name for one in left] == ["second"]

        await cluster.until(collected, "only what still has an owner")

    runner.run(scenario())


def test_an_owner_waits_for_its_dependents_in_the_foreground(runner: asyncio.Runner, cluster: Cluster) -> None:
    """Rule: https://kubernetes.io/docs/concepts/architecture/garbage-collection/#foreground-deletion"""

    async def scenario() -> None:
        await cluster.start_and_settle()
        client = cluster.client
        owner = await client.create(ConfigMap, a_config_map("owner"))
        await client.create(ConfigMap, a_config_map("held", owner, finalizers=["example.com/hold"]))
        await client.create(ConfigMap, a_config_map("free", owner))
        await client.delete(ConfigMap, at("owner"), propagation="Foreground")

        async def waiting() -> bool:
            return await names(cluster) == {"owner", "held"}

        await cluster.until(waiting, "the owner to wait for the one that is held")
        await client.patch(ConfigMap, at("held"), {"metadata": {"finalizers": None}})

        async def gone() -> bool:
            return not await names(cluster)

        await cluster.until(gone, "both to go")

    runner.run(scenario())


def test_orphaned_dependents_stay(runner: asyncio.Runner, cluster: Cluster) -> None:
    """Rule: https://kubernetes.io/docs/concepts/architecture/garbage-collection/#orphan-dependents"""

    async def scenario() -> None:
        await cluster.start_and_settle()
        client = cluster.client
        await client.create(ReplicaSet, a_workload("rs", 2, a_template()))

        async def two() -> bool:
            return len(await cluster.pods()) == 2

        await cluster.until(two, "two pods")
        await client.delete(ReplicaSet, at("rs"), propagation="Orphan")

        async def orphaned() -> bool:
            assert not await client.list(ReplicaSet, "default")
            return [pod.metadata.ownerReferences for pod in await cluster.pods()] == [None, None]

        await cluster.until(orphaned, "the pods to be nobody's")

    runner.run(scenario())


def test_a_circle_of_owners_does_not_deadlock(runner: asyncio.Runner, cluster: Cluster) -> None:
    """Rule: e2e garbage_collector, should not be blocked by dependency circle"""

    async def scenario() -> None:
        await cluster.start_and_settle()
        client = cluster.client
        one = await client.create(ConfigMap, a_config_map("one"))
        two = await client.create(ConfigMap, a_config_map("two", one))
        three = await client.create(ConfigMap, a_config_map("three", two))
        await client.patch(
            ConfigMap, at("one"), {"metadata": {"ownerReferences": a_config_map("x", three)["metadata"]["ownerReferences"]}}
        )
        await client.delete(ConfigMap, at("one"), propagation="Foreground")

        async def gone() -> bool:
            return not await names(cluster)

        await cluster.until(gone, "all three to go")

    runner.run(scenario())


def test_an_owner_in_another_namespace_does_not_count(runner: asyncio.Runner, cluster: Cluster) -> None:
    """Rule: https://kubernetes.io/docs/concepts/overview/working-with-objects/owners-dependents/"""

    async def scenario() -> None:
        await cluster.start_and_settle()
        client = cluster.client
        far = await client.create(ConfigMap, a_config_map("far", namespace="kube-system"))
        await client.create(ConfigMap, a_config_map("child", far))

        async def told() -> bool:
            assert not await names(cluster)
            return any(event.reason == "OwnerRefInvalidNamespace" for event in await client.list(Event, "default"))

        await cluster.until(told, "the child to go, with an event")

    runner.run(scenario())


def test_a_service_follows_its_pods(runner: asyncio.Runner, cluster: Cluster) -> None:
    """Rule: https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/"""

    async def scenario() -> None:
        await cluster.start_and_settle()
        client = cluster.client
        spec = {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]}
        await client.create(Service, {"metadata": {"name": "web", "namespace": "default"}, "spec": spec})

        async def addresses(ready: int) -> bool:
            slices = await client.list(EndpointSlice, "default", label_selector="kubernetes.io/service-name=web")
            assert len(slices) == 1
            assert sum(bool(one.conditions.ready) for one in slices[0].endpoints or ()) == ready
            subsets = (await client.get(Endpoints, "default", "web")).subsets or ()
            return sum(len(one.addresses or ()) for one in subsets) == ready

        await cluster.until(lambda: addresses(0), "an empty slice")
        async with cluster.pods_get_ready():
            await client.create(ReplicaSet, a_workload("rs", 3, a_template()))
            await cluster.until(lambda: addresses(3), "three addresses")
        await client.patch(ReplicaSet, at("rs"), {"spec": {"replicas": 1}})
        await cluster.until(lambda: addresses(1), "one address")
        await client.delete(Service, at("web"))

        async def gone() -> bool:
            found = [one for one in await client.list(EndpointSlice, "default") if one.metadata.name.startswith("web-")]
            return not found and "web" not in {one.metadata.name for one in await client.list(Endpoints, "default")}

        await cluster.until(gone, "slices and endpoints to go with the service")

    runner.run(scenario())


def test_hand_made_endpoints_are_mirrored(runner: asyncio.Runner, cluster: Cluster) -> None:
    """Rule: https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/#endpointslice-mirroring"""

    async def scenario() -> None:
        await cluster.start_and_settle()
        client = cluster.client
        await client.create(Service, {"metadata": {"name": "db", "namespace": "default"}, "spec": {"ports": [{"port": 5432}]}})
        subsets = [{"addresses": [{"ip": "192.0.2.7"}], "ports": [{"port": 5432}]}]
        await client.create(Endpoints, {"metadata": {"name": "db", "namespace": "default"}, "subsets": subsets})

        async def mirrored() -> bool:
            (one,) = await client.list(EndpointSlice, "default", label_selector="kubernetes.io/service-name=db")
            assert one.metadata.labels["endpointslice.kubernetes.io/managed-by"] == "endpointslicemirroring-controller.k8s.io"
            return one.endpoints[0].addresses == ["192.0.2.7"]

        async def seen() -> bool:
            assert await client.list(EndpointSlice, "default", label_selector="kubernetes.io/service-name=db")
            return await mirrored()

        await cluster.until(seen, "the mirror")

    runner.run(scenario())
