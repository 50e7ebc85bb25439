"""Quotas: the API server charges them, the controller counts them; both in one process against a real etcd."""

# ruff: noqa: E501 -- the names of the official suite are longer than our lines

import asyncio
from typing import Any

import pytest

from kube.api.meta import Tree
from kube.api.quota import parsed
from kube.api.status import Forbidden, Invalid, NotFound
from kube.api.types import (
    ConfigMap,
    Pod,
    ReplicaSet,
    ReplicationController,
    ResourceQuota,
    Secret,
    Service,
)
from kube.client.rest import Client
from tests.component.controller_manager.conftest import Cluster, a_template, a_workload, at

HARD = {
    "cpu": "1", "memory": "500Mi", "ephemeral-storage": "50Gi", "requests.example.com/dongle": "3", "pods": "5", "services": "10",
    "services.loadbalancers": "1", "services.nodeports": "1", "replicationcontrollers": "10", "resourcequotas": "5",
    "configmaps": "10", "secrets": "10", "count/replicasets.apps": "5",
}  # fmt: skip


def a_quota(name: str = "q", hard: dict[str, str] | None = None, **spec: Any) -> Tree:
    return {"metadata": {"name": name, "namespace": "default"}, "spec": {"hard": hard or HARD, **spec}}


def a_pod(name: str, requests: dict[str, str] | None = None, limits: dict[str, str] | None = None, **spec: Any) -> Tree:
    resources = {side: amounts for side, amounts in (("requests", requests), ("limits", limits)) if amounts}
    container = {"name": "c", "image": "i", "resources": resources}
    return {"metadata": {"name": name, "namespace": "default"}, "spec": {"containers": [container], **spec}}


async def uses(cluster: Cluster, name: str = "q", **wanted: str) -> None:
    """Wait until the quota's status says so; `__` stands for a dot, `_` for a dash."""
    expected = parsed({key.replace("__", ".").replace("_", "-"): amount for key, amount in wanted.items()})

    async def look() -> bool:
        used = parsed((await cluster.client.get(ResourceQuota, "default", name)).status.used)
        assert {key: used.get(key) for key in expected} == expected
        return True

    await cluster.until(look, f"quota {name} with {wanted}")


async def remove(client: Client, kind: type[Any], name: str) -> None:
    await client.delete(kind, at(name), grace_seconds=0)


@pytest.fixture
def counted(runner: asyncio.Runner, cluster: Cluster) -> Cluster:
    """With a running controller manager and a quota that was counted once."""

    async def begin() -> None:
        await cluster.start_and_settle()
        await cluster.client.create(ResourceQuota, a_quota())
        await uses(cluster, pods="0", resourcequotas="1")

    runner.run(begin())
    return cluster


def test_status_of_a_new_quota_is_counted_at_once(runner: asyncio.Runner, counted: Cluster) -> None:
    """Every limit has what is used of it.

    Conformance: [sig-api-machinery] ResourceQuota should create a ResourceQuota and ensure its status is promptly calculated. [Conformance]
    """

    async def scenario() -> None:
        found = await counted.client.get(ResourceQuota, "default", "q")
        assert parsed(found.status.hard) == parsed(HARD)
        assert found.status.used.keys() == HARD.keys()

    runner.run(scenario())


def test_service_is_charged_and_paid_back(runner: asyncio.Runner, counted: Cluster) -> None:
    """Node ports and load balancers, too; what is too much is refused.

    Conformance: [sig-api-machinery] ResourceQuota should create a ResourceQuota and capture the life of a service. [Conformance]
    """

    def a_service(name: str, type: str) -> Tree:
        ports = [{"port": 80}]
        return {"metadata": {"name": name, "namespace": "default"}, "spec": {"type": type, "ports": ports, "selector": {"a": "b"}}}

    async def scenario() -> None:
        client = counted.client
        await client.create(Service, a_service("one", "ClusterIP"))
        await client.create(Service, a_service("two", "NodePort"))
        with pytest.raises(Forbidden, match=r"exceeded quota: q, requested: services.nodeports=1, used: services.nodeports=1"):
            await client.create(Service, a_service("three", "LoadBalancer"))
        await uses(counted, services="3", services__nodeports="1", services__loadbalancers="0")  # with the API server's own
        await remove(client, Service, "one")
        await remove(client, Service, "two")
        await uses(counted, services="1", services__nodeports="0")

    runner.run(scenario())


@pytest.mark.parametrize(
    ("kind", "name", "tree"),
    [
        pytest.param(Secret, "secrets", {"data": {}}, id="secret"),
        pytest.param(ConfigMap, "configmaps", {"data": {}}, id="configmap"),
        pytest.param(
            ReplicationController, "replicationcontrollers", {"spec": {"replicas": 0, "selector": {"app": "web"}, "template": a_template()}},
            id="replicationcontroller",
        ),
        pytest.param(ReplicaSet, "count/replicasets.apps", {"spec": a_workload("x", 0, a_template())["spec"]}, id="replicaset"),
    ],
)  # fmt: skip
def test_life_of_an_object_is_counted(runner: asyncio.Runner, counted: Cluster, kind: type[Any], name: str, tree: Tree) -> None:
    """What comes is charged, what goes is paid back.

    Conformance: [sig-api-machinery] ResourceQuota should create a ResourceQuota and capture the life of a secret. [Conformance]
    Conformance: [sig-api-machinery] ResourceQuota should create a ResourceQuota and capture the life of a configMap. [Conformance]
    Conformance: [sig-api-machinery] ResourceQuota should create a ResourceQuota and capture the life of a replication controller. [Conformance]
    Conformance: [sig-api-machinery] ResourceQuota should create a ResourceQuota and capture the life of a replica set. [Conformance]
    """

    async def used() -> int:
        return int((await counted.client.get(ResourceQuota, "default", "q")).status.used[name])

    async def scenario() -> None:
        before = await used()
        await counted.client.create(kind, {"metadata": {"name": "x", "namespace": "default"}, **tree})
        assert await used() == before + 1
        await remove(counted.client, kind, "x")

        async def paid_back() -> bool:
            return await used() == before

        await counted.until(paid_back, f"{name} to be paid back")

    runner.run(scenario())


def test_life_of_a_pod_is_counted(runner: asyncio.Runner, counted: Cluster) -> None:
    """Also of what it requests; one that asks for more than is left is refused; its requests cannot change.

    Conformance: [sig-api-machinery] ResourceQuota should create a ResourceQuota and capture the life of a pod. [Conformance]
    """

    async def scenario() -> None:
        client = counted.client
        requests = {"cpu": "500m", "memory": "252Mi", "ephemeral-storage": "30Gi", "example.com/dongle": "2"}
        made = await client.create(Pod, a_pod("p", requests, {"example.com/dongle": "2"}))
        expected = {
            "pods": "1",
            "cpu": "500m",
            "memory": "252Mi",
            "ephemeral_storage": "30Gi",
            "requests__example__com/dongle": "2",
        }
        await uses(counted, **expected)
        with pytest.raises(Forbidden) as refused:
            await client.create(Pod, a_pod("q", {"cpu": "600m", "memory": "100Mi"}))
        text = 'pods "q" is forbidden: exceeded quota: q, requested: cpu=600m, used: cpu=500m, limited: cpu=1'
        assert refused.value.message == text
        with pytest.raises(Forbidden, match=r"requested: requests.example.com/dongle=2"):
            await client.create(
                Pod, a_pod("r", {"cpu": "1m", "memory": "1Mi", "example.com/dongle": "2"}, {"example.com/dongle": "2"})
            )
        made["spec"]["containers"][0]["resources"]["requests"]["cpu"] = "100m"
        with pytest.raises(Invalid):
            await client.update(Pod, made)
        await uses(counted, **expected)
        await remove(client, Pod, "p")
        await uses(counted, pods="0", cpu="0", memory="0", ephemeral_storage="0")

    runner.run(scenario())


def test_pod_must_say_what_the_quota_limits(runner: asyncio.Runner, counted: Cluster) -> None:
    """Rule: behaviour E.3.43"""

    async def scenario() -> None:
        with pytest.raises(Forbidden) as refused:
            await counted.client.create(Pod, a_pod("p"))
        assert refused.value.message == 'pods "p" is forbidden: failed quota: q: must specify cpu for: c; memory for: c'

    runner.run(scenario())


def test_pod_that_ended_is_paid_back(runner: asyncio.Runner, counted: Cluster) -> None:
    async def scenario() -> None:
        await counted.client.create(Pod, a_pod("p", {"cpu": "1", "memory": "1Mi"}))
        await uses(counted, pods="1", cpu="1")
        await counted.set_phase(await counted.client.get(Pod, "default", "p"), "Succeeded")
        await uses(counted, pods="0", cpu="0")

    runner.run(scenario())


def test_parallel_creates_never_exceed(runner: asyncio.Runner, counted: Cluster) -> None:
    """Rule: behaviour E.3.43, quota race"""

    async def one(number: int) -> bool:
        try:
            await counted.client.create(ConfigMap, {"metadata": {"name": f"c{number}", "namespace": "default"}})
        except Forbidden:
            return False
        return True

    async def scenario() -> None:
        before = int((await counted.client.get(ResourceQuota, "default", "q")).status.used["configmaps"])
        made = await asyncio.gather(*(one(number) for number in range(30)))
        assert sum(made) == 10 - before
        await uses(counted, configmaps="10")

    runner.run(scenario())


def test_dry_run_charges_nothing(runner: asyncio.Runner, counted: Cluster) -> None:
    async def scenario() -> None:
        tree = {"metadata": {"name": "c", "namespace": "default"}}
        before = (await counted.client.get(ResourceQuota, "default", "q")).metadata.resourceVersion
        await counted.client.create(ConfigMap, tree, params={"dryRun": "All"})
        assert (await counted.client.get(ResourceQuota, "default", "q")).metadata.resourceVersion == before

    runner.run(scenario())


async def _scoped(cluster: Cluster, first: Tree, in_first: str, second: Tree, in_second: str) -> None:
    """Each pod counts in the quota of its scope alone, for as long as it lives."""
    for quota in (in_first, in_second):
        await uses(cluster, quota, pods="0")
    for pod, counts, other in ((first, in_first, in_second), (second, in_second, in_first)):
        await cluster.client.create(Pod, pod)
        await uses(cluster, counts, pods="1")
        await uses(cluster, other, pods="0")
        await remove(cluster.client, Pod, pod["metadata"]["name"])
        await uses(cluster, counts, pods="0")


def test_best_effort_scopes(runner: asyncio.Runner, cluster: Cluster) -> None:
    """Pods that ask for nothing, and the others.

    Conformance: [sig-api-machinery] ResourceQuota should verify ResourceQuota with best effort scope. [Conformance]
    """

    async def scenario() -> None:
        await cluster.start_and_settle()
        for name, scope in (("best", "BestEffort"), ("other", "NotBestEffort")):
            await cluster.client.create(ResourceQuota, a_quota(name, {"pods": "5"}, scopes=[scope]))
        asks = a_pod("b", {"cpu": "500m", "memory": "200Mi"}, {"cpu": "1", "memory": "400Mi"})
        await _scoped(cluster, a_pod("a"), "best", asks, "other")

    runner.run(scenario())


def test_terminating_scopes(runner: asyncio.Runner, cluster: Cluster) -> None:
    """Pods with a deadline, and the others; what they ask for counts with them.

    Conformance: [sig-api-machinery] ResourceQuota should verify ResourceQuota with terminating scopes. [Conformance]
    """
    hard = {"pods": "5", "requests.cpu": "1", "requests.memory": "500Mi", "limits.cpu": "2", "limits.memory": "1Gi"}
    asked = ({"cpu": "500m", "memory": "200Mi"}, {"cpu": "1", "memory": "400Mi"})

    async def scenario() -> None:
        await cluster.start_and_settle()
        for name, scope in (("ends", "Terminating"), ("stays", "NotTerminating")):
            await cluster.client.create(ResourceQuota, a_quota(name, hard, scopes=[scope]))
        await _scoped(cluster, a_pod("a", *asked), "stays", a_pod("b", *asked, activeDeadlineSeconds=3600), "ends")
        await cluster.client.create(Pod, a_pod("c", *asked, activeDeadlineSeconds=3600))
        await uses(cluster, "ends", requests__cpu="500m", requests__memory="200Mi", limits__cpu="1", limits__memory="400Mi")

    runner.run(scenario())


def test_quota_is_changed_and_deleted(runner: asyncio.Runner, counted: Cluster) -> None:
    """Its status follows its spec.

    Conformance: [sig-api-machinery] ResourceQuota should be able to update and delete ResourceQuota. [Conformance]
    Conformance: [sig-api-machinery] ResourceQuota should apply changes to a resourcequota status [Conformance]
    """

    async def scenario() -> None:
        client = counted.client
        found = await client.get_tree(ResourceQuota, "default", "q")
        found["spec"]["hard"] = {"cpu": "2", "memory": "1Gi"}
        await client.update(ResourceQuota, found)

        async def followed() -> bool:
            status = (await client.get(ResourceQuota, "default", "q")).status
            return parsed(status.hard) == parsed({"cpu": "2", "memory": "1Gi"}) and status.used.keys() == {"cpu", "memory"}

        await counted.until(followed, "the status to follow")
        await client.patch(ResourceQuota, at("q"), {"status": {"hard": {"memory": "2Gi"}}}, subresource="status")
        await counted.until(followed, "the status to be put right")
        await client.delete(ResourceQuota, at("q"))
        with pytest.raises(NotFound):
            await client.get(ResourceQuota, "default", "q")

    runner.run(scenario())


def test_lifecycle_of_a_quota(runner: asyncio.Runner, counted: Cluster) -> None:
    """Patched, found by label, deleted as a collection.

    Conformance: [sig-api-machinery] ResourceQuota should manage the lifecycle of a ResourceQuota [Conformance]
    """

    async def scenario() -> None:
        client = counted.client
        patch = {"metadata": {"labels": {"mine": "yes"}}, "spec": {"hard": {"memory": "750Mi"}}}
        patched = await client.patch(ResourceQuota, at("q"), patch)
        assert patched["spec"]["hard"]["memory"] == "750Mi"
        (found,) = await client.list(ResourceQuota, label_selector="mine=yes")
        assert found.metadata.name == "q"
        await client.request("DELETE", "/api/v1/namespaces/default/resourcequotas", params={"labelSelector": "mine=yes"})
        assert not await client.list(ResourceQuota, label_selector="mine=yes")

    runner.run(scenario())
