"""Budgets, eviction, protection of claims, aggregated roles: what controllers write for the API server to act on."""

import asyncio
from typing import Any

import pytest

from kube.api.meta import Key, Tree, key_of
from kube.api.status import NotFound, TooManyRequests
from kube.api.types import ClusterRole, PersistentVolumeClaim, Pod, PodDisruptionBudget, ReplicaSet
from kube.client.rest import STRATEGIC
from tests.component.controller_manager.conftest import Cluster, a_template, a_workload, at


def a_budget(**spec: Any) -> Tree:
    selector = {"matchLabels": {"app": "web"}}
    return {"metadata": {"name": "b", "namespace": "default"}, "spec": {"selector": selector, **spec}}


async def says(cluster: Cluster, **wanted: Any) -> None:
    async def look() -> bool:
        status = (await cluster.client.get(PodDisruptionBudget, "default", "b")).status
        assert {name: getattr(status, name) for name in wanted} == wanted
        return True

    await cluster.until(look, f"budget with {wanted}")


async def three_ready_pods(cluster: Cluster) -> list[Pod]:
    await cluster.client.create(ReplicaSet, a_workload("web", 3, a_template()))

    async def there() -> bool:
        pods = await cluster.pods()
        return len(pods) == 3 and all(pod.status.phase == "Running" for pod in pods)

    await cluster.until(there, "three ready pods")
    return await cluster.pods()


def test_budget_counts_healthy_pods(runner: asyncio.Runner, cluster: Cluster) -> None:
    """In numbers and in per cent of what the workload wants.

    Conformance: [sig-apps] DisruptionController should update/patch PodDisruptionBudget status [Conformance]
    """

    async def scenario() -> None:
        await cluster.start_and_settle()
        async with cluster.pods_get_ready():
            await three_ready_pods(cluster)
            await cluster.client.create(PodDisruptionBudget, a_budget(minAvailable="50%"))
            await says(cluster, expectedPods=3, desiredHealthy=2, currentHealthy=3, disruptionsAllowed=1)
            await cluster.client.patch(PodDisruptionBudget, at("b"), {"spec": {"minAvailable": None, "maxUnavailable": 0}})
            await says(cluster, desiredHealthy=3, disruptionsAllowed=0)
            (condition,) = (await cluster.client.get(PodDisruptionBudget, "default", "b")).status.conditions or ()
            assert (condition.type, condition.status, condition.reason) == ("DisruptionAllowed", "False", "InsufficientPods")

    runner.run(scenario())


def test_eviction_waits_until_the_budget_allows_it(runner: asyncio.Runner, cluster: Cluster) -> None:
    """Refused with 429, then let through once the budget is changed.

    Conformance: [sig-apps] DisruptionController should block an eviction until the PDB is updated to allow it [Conformance]
    """

    async def scenario() -> None:
        client = cluster.client
        await cluster.start_and_settle()
        async with cluster.pods_get_ready():
            pod, *_ = await three_ready_pods(cluster)
            await client.create(PodDisruptionBudget, a_budget(minAvailable=3))
            await says(cluster, currentHealthy=3, disruptionsAllowed=0)
            eviction = {
                "apiVersion": "policy/v1",
                "kind": "Eviction",
                "metadata": {"name": pod.metadata.name, "namespace": "default"},
            }
            with pytest.raises(TooManyRequests, match=r"violate the pod's disruption budget"):
                await client.request("POST", f"/api/v1/namespaces/default/pods/{pod.metadata.name}/eviction", body=eviction)
            await client.patch(PodDisruptionBudget, at("b"), {"spec": {"minAvailable": 2}})
            await says(cluster, disruptionsAllowed=1)
            await client.create_subresource(Pod, key_of(pod), "eviction", eviction)

    runner.run(scenario())


def test_pod_without_workload_stops_a_relative_budget(runner: asyncio.Runner, cluster: Cluster) -> None:
    async def scenario() -> None:
        await cluster.start_and_settle()
        template = a_template()
        metadata = {"name": "p", "namespace": "default", **template["metadata"]}
        await cluster.client.create(Pod, {"metadata": metadata, "spec": template["spec"]})
        await cluster.client.create(PodDisruptionBudget, a_budget(maxUnavailable=1))

        async def failed() -> bool:
            conditions = (await cluster.client.get(PodDisruptionBudget, "default", "b")).status.conditions or ()
            return [one.reason for one in conditions] == ["SyncFailed"]

        await cluster.until(failed, "the condition")

    runner.run(scenario())


def test_claim_in_use_stays_until_its_pod_is_gone(runner: asyncio.Runner, cluster: Cluster) -> None:
    """Rule: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#storage-object-in-use-protection"""

    async def scenario() -> None:
        client = cluster.client
        await cluster.start_and_settle()
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        claim = await client.create(PersistentVolumeClaim, {"metadata": {"name": "c", "namespace": "default"}, "spec": spec})
        assert claim["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]
        volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]
        pod = {"containers": [{"name": "c", "image": "i"}], "volumes": volumes, "nodeName": "n"}
        await client.create(Pod, {"metadata": {"name": "p", "namespace": "default"}, "spec": pod})
        await client.delete(PersistentVolumeClaim, at("c"))
        await client.delete(Pod, at("p"), grace_seconds=0)

        async def gone() -> bool:
            try:
                await client.get(PersistentVolumeClaim, "default", "c")
            except NotFound:
                return True
            return False

        await cluster.until(gone, "the claim to go")

    runner.run(scenario())


def test_aggregated_role_gathers_new_roles(runner: asyncio.Runner, cluster: Cluster) -> None:
    """Rule: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#aggregated-clusterroles"""
    rule = {"verbs": ["get"], "apiGroups": ["example.com"], "resources": ["widgets"]}

    async def scenario() -> None:
        await cluster.start_and_settle()
        label = {"rbac.authorization.k8s.io/aggregate-to-view": "true"}
        await cluster.client.create(ClusterRole, {"metadata": {"name": "widgets", "labels": label}, "rules": [rule]})

        async def gathered() -> bool:
            admin = await cluster.client.get_tree(ClusterRole, "", "admin")
            return rule in admin["rules"]

        await cluster.until(gathered, "admin to have what view has")
        await cluster.client.patch(ClusterRole, Key("", "widgets"), {"rules": []}, type=STRATEGIC)

    runner.run(scenario())
