"""Namespaces, garbage, services' addresses and nodes against the real API server and etcd."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from controller_manager.config import Config
from kube.api.meta import Key, Tree
from kube.api.status import NotFound
from kube.api.types import (
    ConfigMap,
    Deployment,
    Endpoints,
    EndpointSlice,
    Event,
    Lease,
    Namespace,
    Node,
    Pod,
    ReplicaSet,
    Service,
    ServiceAccount,
)
from kube.client.rest import STRATEGIC
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
            return (await client.get(ConfigMap, "room", "kube-root-ca.crt")).data == published.data

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


@pytest.fixture
def impatient(manager_config: Config) -> Config:
    return replace(manager_config, node_monitor_grace_period=1.0, node_startup_grace_period=1.0)


def test_a_silent_node_is_tainted_and_its_pods_leave(runner: asyncio.Runner, cluster: Cluster, impatient: Config) -> None:
    """Rule: https://kubernetes.io/docs/concepts/architecture/nodes/#heartbeats"""

    async def scenario() -> None:
        cluster.config = impatient
        await cluster.start_and_settle()
        client = cluster.client
        ready = {"conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady", "message": ""}]}
        for name in ("lively", "silent"):
            await client.create(Node, {"metadata": {"name": name}, "status": ready})
            lease = {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": "2026-01-01T00:00:00.000000Z"}
            await client.create(Lease, {"metadata": {"name": name, "namespace": "kube-node-lease"}, "spec": lease})
        for name, tolerations in (("stays", [{"operator": "Exists"}]), ("leaves", [])):
            unreachable = {
                "key": "node.kubernetes.io/unreachable",
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": 0,
            }
            spec = {**a_template()["spec"], "nodeName": "silent", "tolerations": tolerations or [unreachable]}
            await client.create(Pod, {"metadata": {"name": name, "namespace": "default"}, "spec": spec})
            await cluster.set_phase(await client.get(Pod, "default", name), "Running")

        async def effects(name: str) -> set[tuple[str, str]]:
            node = await client.get(Node, "", name)
            return {(taint.key.rpartition("/")[2], taint.effect) for taint in node.spec.taints or ()}

        async def lost() -> bool:
            for second in range(3):  # the lively one's sign of life
                await client.patch(
                    Lease, Key("kube-node-lease", "lively"), {"spec": {"renewTime": f"2026-01-01T00:00:0{second}.000000Z"}}
                )
            node = await client.get(Node, "", "silent")
            found = {one.type: one.status for one in node.status.conditions}
            assert found["Ready"] == "Unknown"
            return await effects("silent") == {("unreachable", "NoSchedule"), ("unreachable", "NoExecute")}

        await cluster.until(lost, "the silent node to be tainted")
        assert await effects("lively") == set()

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
            return await effects("silent") == set()

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
