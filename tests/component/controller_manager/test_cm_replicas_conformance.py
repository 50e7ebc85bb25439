"""What the conformance suite asks of the controllers of replicas: real API server, real controllers, and pods made ready by hand."""

# ruff: noqa: E501 -- the names of the official suite are longer than our lines

import asyncio
from contextlib import suppress
from typing import Any

from kube.api.meta import Tree, controller_of
from kube.api.status import Conflict
from kube.api.types import (
    Deployment,
    Pod,
    ReplicaSet,
    ReplicationController,
    ResourceQuota,
    StatefulSet,
)
from kube.client.informer import Informer
from kube.client.rest import STRATEGIC
from tests.component.controller_manager.conftest import Cluster, a_template, a_workload, at

OLD_REVISION = 3546343826724305832  # the suite's own: more than a double can hold


def image(name: str) -> Tree:
    """A patch of a workload."""
    return {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": name}]}}}}


def a_controller(replicas: int) -> Tree:
    spec = {"replicas": replicas, "selector": {"app": "web"}, "template": a_template()}
    return {"metadata": {"name": "web", "namespace": "default"}, "spec": spec}


async def sizes(cluster: Cluster) -> dict[str, int]:
    """The replica sets' wanted replicas, by image."""
    sets = await cluster.client.list(ReplicaSet, "default")
    return {one.spec.template.spec.containers[0].image: one.spec.replicas for one in sets}


async def has_sizes(cluster: Cluster, **wanted: int) -> None:
    async def look() -> bool:
        assert {name.removeprefix("web:"): size for name, size in (await sizes(cluster)).items()} == wanted
        return True

    await cluster.until(look, f"replica sets of {wanted}")


async def names(cluster: Cluster, *wanted: str) -> dict[str, Pod]:
    """Wait until exactly these pods are there."""

    async def look() -> list[dict[str, Pod]]:
        found = {str(pod.metadata.name): pod for pod in await cluster.pods()}
        assert sorted(found) == sorted(wanted)
        return [found]

    (found,) = await cluster.until(look, f"pods {wanted}")
    return dict(found)


async def count(cluster: Cluster, wanted: int, selector: str = "app=web") -> list[Pod]:
    async def look() -> list[Pod]:
        found = await cluster.pods(selector=selector)
        assert len(found) == wanted
        return found

    found: list[Pod] = await cluster.until(look, f"{wanted} pods")
    return found


def test_a_deployment_takes_over_older_replica_sets_and_clears_them_away(runner: asyncio.Runner, cluster: Cluster) -> None:
    """Its revision is one more than theirs.

    Conformance: [sig-apps] Deployment RollingUpdateDeployment should delete old pods and create new ones [Conformance]
    Conformance: [sig-apps] Deployment deployment should delete old replica sets [Conformance]
    """

    async def scenario() -> None:
        client = cluster.client
        await cluster.start_and_settle()
        async with cluster.pods_get_ready():
            old = a_workload("old", 1, a_template())
            old["metadata"]["labels"] = {"app": "web"}
            old["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": str(OLD_REVISION)}
            uid = (await client.create(ReplicaSet, old))["metadata"]["uid"]
            await count(cluster, 1)
            await client.create(Deployment, a_workload("web", 1, a_template(image="web:2")))
            await has_sizes(cluster, **{"1": 0, "2": 1})
            deployment = await client.get(Deployment, "default", "web")
            assert deployment.metadata.annotations["deployment.kubernetes.io/revision"] == str(OLD_REVISION + 1)
            adopted = await client.get(ReplicaSet, "default", "old")
            assert adopted.metadata.uid == uid
            assert controller_of(adopted.metadata).uid == deployment.metadata.uid
            await client.patch(Deployment, at("web"), {"spec": {"revisionHistoryLimit": 0}})
            await has_sizes(cluster, **{"2": 1})

    runner.run(scenario())


def test_a_deployment_is_rolled_over_and_scaled_in_proportion(runner: asyncio.Runner, cluster: Cluster) -> None:
    """
    Conformance: [sig-apps] Deployment deployment should support rollover [Conformance]
    Conformance: [sig-apps] Deployment deployment should support proportional scaling [Conformance]
    """

    async def scenario() -> None:
        client = cluster.client
        await cluster.start_and_settle()
        async with cluster.pods_get_ready():
            rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 3, "maxUnavailable": 2}}
            await client.create(Deployment, a_workload("web", 10, a_template(), strategy=rolling))
            await has_sizes(cluster, **{"1": 10})

            async def available() -> bool:
                return (await client.get(Deployment, "default", "web")).status.availableReplicas == 10

            await cluster.until(available, "ten pods that are ready")
        await client.patch(Deployment, at("web"), image("web:404"), type=STRATEGIC)
        await has_sizes(cluster, **{"1": 8, "404": 5})
        await client.patch(Deployment, at("web"), {"spec": {"replicas": 30}}, subresource="scale")
        await has_sizes(cluster, **{"1": 20, "404": 13})
        await client.patch(Deployment, at("web"), {"spec": {"replicas": 2}}, subresource="scale")
        async with cluster.pods_get_ready():
            await client.patch(Deployment, at("web"), image("web:3"), type=STRATEGIC)  # before the last one is done
            await has_sizes(cluster, **{"1": 0, "404": 0, "3": 2})
            await count(cluster, 2)

    runner.run(scenario())


def test_deployments_and_replica_sets_are_patched_scaled_and_deleted_together(runner: asyncio.Runner, cluster: Cluster) -> None:
    """
    Conformance: [sig-apps] Deployment should run the lifecycle of a Deployment [Conformance]
    Conformance: [sig-apps] ReplicaSet Replace and Patch tests [Conformance]
    """

    async def scenario() -> None:
        client = cluster.client
        await cluster.start_and_settle()
        labels = {"test-deployment-static": "true"}
        kinds: tuple[type[Any], ...] = (Deployment, ReplicaSet)
        for kind in kinds:
            async with cluster.pods_get_ready():
                tree = a_workload("web", 1, a_template())
                tree["metadata"]["labels"] = labels
                await client.create(kind, tree)
                await count(cluster, 1)

                async def replaced(kind: Any = kind) -> bool:
                    fresh = await client.get_tree(kind, "default", "web")
                    fresh["spec"]["replicas"] = 2
                    with suppress(Conflict):  # the controller wrote its status meanwhile
                        await client.update(kind, fresh)
                        return True
                    return False

                await cluster.until(replaced, "to be replaced")
                await count(cluster, 2)
                patch: Tree = {"metadata": {"labels": {"patched": "yes"}}, **image("web:2")}
                patch["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 0
                await client.patch(kind, at("web"), patch, type=STRATEGIC)
                scale = await client.patch(kind, at("web"), {"spec": {"replicas": 3}}, subresource="scale")
                assert (scale["kind"], scale["spec"]["replicas"]) == ("Scale", 3)
                await count(cluster, 3)
                condition = {"type": "StatusUpdate", "status": "True", "reason": "E2E", "message": "Set from e2e test"}
                told = await client.patch(
                    kind, at("web"), {"status": {"conditions": [condition]}}, type=STRATEGIC, subresource="status"
                )
                assert "StatusUpdate" in {one["type"] for one in told["status"]["conditions"]}
                (listed,) = await client.list(kind, "", label_selector="test-deployment-static=true,patched=yes")
                assert listed.spec.template.spec.containers[0].image == "web:2"
                await client.delete(kind, at("web"), propagation="Background")
                await names(cluster)

    runner.run(scenario())


def test_a_stateful_set_is_updated_in_phases(runner: asyncio.Runner, cluster: Cluster) -> None:
    """
    Conformance: [sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] should perform canary updates and phased rolling updates of template modifications [Conformance]
    """

    async def scenario() -> None:
        client = cluster.client
        await cluster.start_and_settle()

        async def stand(*images: str) -> dict[str, Pod]:
            async def look() -> dict[str, Pod]:
                pods = {str(pod.metadata.name): pod for pod in await cluster.pods() if pod.status.phase == "Running"}
                assert {name: pod.spec.containers[0].image for name, pod in pods.items()} == {
                    f"web-{number}": f"web:{one}" for number, one in enumerate(images)
                }
                return pods

            found: dict[str, Pod] = await cluster.until(look, f"pods of {images}")
            return found

        def partition(number: int) -> Tree:
            return {"spec": {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": number}}}}

        async with cluster.pods_get_ready():
            await client.create(StatefulSet, a_workload("web", 3, a_template(), serviceName="web", **partition(3)["spec"]))
            await stand("1", "1", "1")
            await client.patch(StatefulSet, at("web"), image("web:2"), type=STRATEGIC)

            async def noticed() -> bool:
                status = (await client.get(StatefulSet, "default", "web")).status
                return bool(status.currentRevision != status.updateRevision)

            await cluster.until(noticed, "the new revision")
            await stand("1", "1", "1")
            await client.patch(StatefulSet, at("web"), partition(2))
            pods = await stand("1", "1", "2")
            for name in ("web-0", "web-2"):
                await client.delete(Pod, at(name))
            again = await stand("1", "1", "2")
            assert again["web-0"].metadata.uid != pods["web-0"].metadata.uid
            for number, images in ((1, "122"), (0, "222")):
                await client.patch(StatefulSet, at("web"), partition(number))
                await stand(*images)

    runner.run(scenario())


def test_a_stateful_set_is_scaled_in_order_and_halts_at_a_pod_that_is_not_ready(runner: asyncio.Runner, cluster: Cluster) -> None:
    """
    Conformance: [sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] Scaling should happen in predictable order and halt if any stateful pod is unhealthy [Slow] [Conformance]
    """

    async def scenario() -> None:
        client = cluster.client
        await cluster.start_and_settle()
        await client.create(StatefulSet, a_workload("web", 3, a_template(), serviceName="web"))
        for number in range(3):
            pods = await names(cluster, *(f"web-{one}" for one in range(number + 1)))
            await cluster.set_phase(pods[f"web-{number}"], "Running")
        unready = [{"type": "Ready", "status": "False"}]
        pods = await names(cluster, "web-0", "web-1", "web-2")
        for name in pods:
            await client.patch(Pod, at(name), {"status": {"conditions": unready}}, type=STRATEGIC, subresource="status")

        async def ready(wanted: int) -> bool:
            status = (await client.get(StatefulSet, "default", "web")).status
            return bool((status.readyReplicas or 0) == wanted and status.observedGeneration is not None)

        await cluster.until(lambda: ready(0), "none that is ready")
        await client.patch(StatefulSet, at("web"), {"spec": {"replicas": 0}}, subresource="scale")

        async def observed() -> bool:
            found = await client.get(StatefulSet, "default", "web")
            return bool(found.status.observedGeneration == found.metadata.generation)

        await cluster.until(observed, "the wish to be seen")
        await names(cluster, "web-0", "web-1", "web-2")  # it halts
        informer, gone = Informer(client, Pod), list[str]()
        informer.on_change(lambda old, new: gone.append(old.metadata.name) if new is None else None)
        watching = asyncio.ensure_future(informer.run())
        await informer.synced.wait()
        for pod in pods.values():
            await cluster.set_phase(pod, "Running")
        await names(cluster)

        async def heard() -> bool:
            return len(gone) >= len(pods)

        await cluster.until(heard, "the watch to tell of all")
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        assert gone == ["web-2", "web-1", "web-0"]

    runner.run(scenario())


def test_a_replication_controller_adopts_releases_and_tells_of_a_quota(runner: asyncio.Runner, cluster: Cluster) -> None:
    """
    Conformance: [sig-apps] ReplicationController should adopt matching pods on creation [Conformance]
    Conformance: [sig-apps] ReplicationController should release no longer matching pods [Conformance]
    Conformance: [sig-apps] ReplicationController should surface a failure condition on a common issue like exceeded quota [Conformance]
    Conformance: [sig-apps] ReplicaSet should adopt matching pods on creation and release no longer matching pods [Conformance]
    """

    async def scenario() -> None:
        client = cluster.client
        await cluster.start_and_settle()
        for kind, tree in ((ReplicationController, a_controller(1)), (ReplicaSet, a_workload("web", 1, a_template()))):
            orphan = {
                "metadata": {"name": "orphan", "namespace": "default", "labels": {"app": "web"}},
                "spec": a_template()["spec"],
            }
            await client.create(Pod, orphan)
            await client.create(kind, tree)

            async def adopted() -> bool:
                owner = controller_of((await client.get(Pod, "default", "orphan")).metadata)
                return owner is not None and owner.name == "web"

            await cluster.until(adopted, "the orphan to be adopted")
            await count(cluster, 1)
            await client.patch(Pod, at("orphan"), {"metadata": {"labels": {"app": "other"}}})
            (fresh,) = await count(cluster, 1)
            assert fresh.metadata.name != "orphan"

            async def released() -> bool:
                return controller_of((await client.get(Pod, "default", "orphan")).metadata) is None

            await cluster.until(released, "the pod of another label to be let go")
            await client.delete(kind, at("web"), propagation="Background")
            await client.delete(Pod, at("orphan"))
            await names(cluster)
        await client.create(ResourceQuota, {"metadata": {"name": "q", "namespace": "default"}, "spec": {"hard": {"pods": "2"}}})

        async def counted() -> bool:
            return bool((await client.get(ResourceQuota, "default", "q")).status.hard)

        await cluster.until(counted, "the quota to be in force")
        await client.create(ReplicationController, a_controller(3))

        async def fails(wanted: bool) -> bool:
            conditions = (await client.get(ReplicationController, "default", "web")).status.conditions or ()
            told = {one.type: (one.status, one.reason) for one in conditions}
            assert told == ({"ReplicaFailure": ("True", "FailedCreate")} if wanted else {})
            return True

        await cluster.until(lambda: fails(True), "the failure to be told")
        await client.patch(ReplicationController, at("web"), {"spec": {"replicas": 2}}, subresource="scale")
        await cluster.until(lambda: fails(False), "the failure to be over")

    runner.run(scenario())
