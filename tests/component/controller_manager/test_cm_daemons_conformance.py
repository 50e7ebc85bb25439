"""What the conformance suite asks of the controllers of daemons, jobs, budgets and taints: real API server, real controllers, and
pods made ready by hand."""

# ruff: noqa: E501 -- the names of the official suite are longer than our lines

import asyncio
from typing import Any

from kube.api.meta import Tree, controller_of, key_of
from kube.api.types import DaemonSet, Event, Job, Node, Pod, PodDisruptionBudget, ReplicaSet
from kube.client.rest import STRATEGIC
from tests.component.controller_manager.conftest import Cluster, a_template, a_workload, at
from tests.component.controller_manager.test_cm_replicas_conformance import count, image, names


async def a_node(cluster: Cluster, name: str) -> None:
    status = {"conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady", "message": ""}]}
    await cluster.client.create(Node, {"metadata": {"name": name}, "status": status})


def a_daemon_set(**spec: Any) -> Tree:
    template = a_template(**spec.pop("template", {}))
    return {
        "metadata": {"name": "ds", "namespace": "default"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template, **spec},
    }


def test_a_daemon_set_keeps_a_pod_on_each_node_that_is_meant(runner: asyncio.Runner, cluster: Cluster) -> None:
    """
    Conformance: [sig-apps] Daemon set [Serial] should run and stop simple daemon [Conformance]
    Conformance: [sig-apps] Daemon set [Serial] should run and stop complex daemon [Conformance]
    Conformance: [sig-apps] Daemon set [Serial] should retry creating failed daemon pods [Conformance]
    """

    async def scenario() -> None:
        client = cluster.client
        await cluster.start_and_settle()
        for name in ("n1", "n2"):
            await a_node(cluster, name)
        async with cluster.pods_get_ready():
            await client.create(DaemonSet, a_daemon_set())
            one, two = await count(cluster, 2)
            await client.delete(Pod, key_of(one))
            pods = await count(cluster, 2)
            assert one.metadata.uid not in {pod.metadata.uid for pod in pods}
            await cluster.set_phase(two, "Failed")

            async def retried() -> bool:
                pods = await cluster.pods()
                return len(pods) == 2 and two.metadata.uid not in {pod.metadata.uid for pod in pods}

            await cluster.until(retried, "another pod for the one that failed")
            selector = {"spec": {"template": {"spec": {"nodeSelector": {"color": "blue"}}}}}
            await client.patch(DaemonSet, at("ds"), selector)
            await names(cluster)
            await client.patch(Node, at("n1", ""), {"metadata": {"labels": {"color": "blue"}}})
            await count(cluster, 1)
            await client.patch(Node, at("n1", ""), {"metadata": {"labels": {"color": "green"}}})
            await names(cluster)
            selector["spec"]["template"]["spec"]["nodeSelector"]["color"] = "green"
            await client.patch(DaemonSet, at("ds"), selector)
            await count(cluster, 1)

    runner.run(scenario())


def test_a_daemon_set_goes_back_without_touching_pods_that_never_left(runner: asyncio.Runner, cluster: Cluster) -> None:
    """
    Conformance: [sig-apps] Daemon set [Serial] should update pod when spec was updated and update strategy is RollingUpdate [Conformance]
    Conformance: [sig-apps] Daemon set [Serial] should rollback without unnecessary restarts [Conformance]
    """

    async def scenario() -> None:
        client = cluster.client
        await cluster.start_and_settle()
        for name in ("n1", "n2"):
            await a_node(cluster, name)

        async def all_of(name: str) -> set[str]:
            async def look() -> set[str]:
                pods = [pod for pod in await cluster.pods() if pod.status.phase == "Running"]
                assert [pod.spec.containers[0].image for pod in pods] == [name, name]
                return {str(pod.metadata.uid) for pod in pods}

            found: set[str] = await cluster.until(look, f"two pods of {name}")
            return found

        async with cluster.pods_get_ready():
            await client.create(DaemonSet, a_daemon_set())
            await all_of("web:1")
            await client.patch(DaemonSet, at("ds"), image("web:2"), type=STRATEGIC)
            before = await all_of("web:2")
        await client.patch(DaemonSet, at("ds"), image("foo:non-existent"), type=STRATEGIC)

        async def one_left() -> set[str]:
            left = {str(pod.metadata.uid) for pod in await cluster.pods() if pod.spec.containers[0].image == "web:2"}
            assert len(left) == 1
            assert len(await cluster.pods()) == 2
            return left

        kept = await cluster.until(one_left, "one pod of the bad template, one of the good one")
        async with cluster.pods_get_ready():
            await client.patch(DaemonSet, at("ds"), image("web:2"), type=STRATEGIC)
            after = await all_of("web:2")
        assert before & after == kept

    runner.run(scenario())


def a_job(name: str, **spec: Any) -> Tree:
    template = {"spec": {"containers": [{"name": "c", "image": "i"}], "restartPolicy": "Never"}}
    return {"metadata": {"name": name, "namespace": "default", "labels": {"e2e": "job"}}, "spec": {"template": template, **spec}}


def test_a_job_adopts_its_pods_lets_others_go_and_is_managed_like_any_object(runner: asyncio.Runner, cluster: Cluster) -> None:
    """
    Conformance: [sig-apps] Job should adopt matching orphans and release non-matching pods [Conformance]
    Conformance: [sig-apps] Job should delete a job [Conformance]
    Conformance: [sig-apps] Job should manage the lifecycle of a job [Conformance]
    """

    async def scenario() -> None:
        client = cluster.client
        await cluster.start_and_settle()
        uid = (await client.create(Job, a_job("work", parallelism=2, completions=2)))["metadata"]["uid"]
        pod, other = await count(cluster, 2, "job-name=work")

        async def owner_of(pod: Pod) -> str | None:
            owner = controller_of((await client.get(Pod, "default", str(pod.metadata.name))).metadata)
            return owner.uid if owner is not None else None

        async def adopted() -> bool:
            return bool(await owner_of(pod) == uid)

        await client.patch(Pod, key_of(pod), {"metadata": {"ownerReferences": None}})
        await cluster.until(adopted, "the orphan to be adopted again")
        unlabelled = dict.fromkeys(pod.metadata.labels)
        await client.patch(Pod, key_of(other), {"metadata": {"labels": unlabelled}})

        async def released() -> bool:
            return await owner_of(other) is None

        await cluster.until(released, "the pod without labels to be let go")
        await count(cluster, 2, "job-name=work")
        await client.delete(Job, at("work"), propagation="Foreground")
        await names(cluster, str(other.metadata.name))
        await client.delete(Pod, key_of(other))
        for name in ("one", "two"):
            await client.create(Job, a_job(name, suspend=True))
        await client.patch(Job, at("one"), {"metadata": {"labels": {"one": "patched"}}})
        tree = await client.get_tree(Job, "default", "two")
        tree["metadata"] |= {"annotations": {"updated": "true"}, "resourceVersion": ""}
        assert (await client.update(Job, tree))["metadata"]["annotations"]["updated"] == "true"
        (listed,) = await client.list(Job, "", label_selector="one=patched")
        assert listed.metadata.name == "one"
        await client.request("DELETE", "/apis/batch/v1/namespaces/default/jobs", params={"labelSelector": "e2e=job"})

        async def gone() -> bool:
            return not await client.list(Job, "default")

        await cluster.until(gone, "the collection to be deleted")

    runner.run(scenario())


def test_a_budget_is_created_changed_deleted_and_kept_up_to_date(runner: asyncio.Runner, cluster: Cluster) -> None:
    """
    Conformance: [sig-apps] DisruptionController should create a PodDisruptionBudget [Conformance]
    Conformance: [sig-apps] DisruptionController should observe PodDisruptionBudget status updated [Conformance]
    """

    async def scenario() -> None:
        client = cluster.client
        await cluster.start_and_settle()
        budget: Tree = {"metadata": {"name": "b", "namespace": "default"}}
        budget |= {"spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}}
        await client.create(PodDisruptionBudget, budget)

        async def says(**wanted: Any) -> None:
            async def look() -> bool:
                found = await client.get(PodDisruptionBudget, "default", "b")
                assert found.status.observedGeneration == found.metadata.generation
                assert {name: getattr(found.status, name) for name in wanted} == wanted
                return True

            await cluster.until(look, f"a budget of {wanted}")

        await says(expectedPods=0, disruptionsAllowed=0)
        async with cluster.pods_get_ready():
            await client.create(ReplicaSet, a_workload("web", 3, a_template()))
            await says(expectedPods=3, currentHealthy=3, desiredHealthy=1, disruptionsAllowed=2)
        await client.patch(PodDisruptionBudget, at("b"), {"spec": {"minAvailable": "100%"}})
        await says(desiredHealthy=3, disruptionsAllowed=0)
        tree = await client.get_tree(PodDisruptionBudget, "default", "b")
        tree["spec"]["minAvailable"] = 2
        await client.update(PodDisruptionBudget, tree)
        await says(desiredHealthy=2, disruptionsAllowed=1)
        await client.delete(PodDisruptionBudget, at("b"))
        assert not await client.list(PodDisruptionBudget, "default")

    runner.run(scenario())


def test_pods_leave_a_tainted_node_by_their_own_time_and_stay_when_the_taint_goes(runner: asyncio.Runner, cluster: Cluster) -> None:
    """
    Conformance: [sig-node] NoExecuteTaintManager Multiple Pods [Serial] evicts pods with minTolerationSeconds [Disruptive] [Conformance]
    Conformance: [sig-node] NoExecuteTaintManager Single Pod [Serial] removing taint cancels eviction [Disruptive] [Conformance]
    """

    async def scenario() -> None:
        client = cluster.client
        await cluster.start_and_settle()
        await a_node(cluster, "n1")
        taint = {"key": "kubernetes.io/e2e-evict-taint-key", "value": "evictTaintVal", "effect": "NoExecute"}

        async def untainted() -> bool:
            return not (await client.get(Node, "", "n1")).spec.taints

        await cluster.until(untainted, "a node without taints")
        for name, seconds in (("soon", [1, 600]), ("later", [600])):
            tolerations = [{**taint, "operator": "Equal", "tolerationSeconds": one} for one in seconds]
            spec = {**a_template()["spec"], "nodeName": "n1", "tolerations": tolerations}
            await client.create(Pod, {"metadata": {"name": name, "namespace": "default"}, "spec": spec})
        for pod in (await names(cluster, "soon", "later")).values():
            await cluster.set_phase(pod, "Running")
        await client.patch(Node, at("n1", ""), {"spec": {"taints": [taint]}})
        await names(cluster, "later")
        gone = await client.get(Pod, "default", "soon")
        assert "DeletionByTaintManager" in {one.reason for one in gone.status.conditions}
        await client.patch(Node, at("n1", ""), {"spec": {"taints": None}})

        async def cancelled() -> bool:
            events = await client.list(Event, "default")
            return any(one.message == "Cancelling deletion of Pod default/later" for one in events)

        await cluster.until(cancelled, "the eviction to be cancelled")
        await names(cluster, "later")

    runner.run(scenario())
