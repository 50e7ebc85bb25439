"""The scheduler chooses volumes with nodes: with the real API server, and the controller manager that binds them."""

import asyncio
from typing import Any

from controller_manager.config import Config
from controller_manager.start import chosen_controllers, control
from kube.api.meta import Key, Tree
from kube.api.types import Node, PersistentVolume, PersistentVolumeClaim, Pod, ServiceAccount, StorageClass
from kube.client.rest import Client
from scheduler.profiles import profiles_of
from scheduler.start import schedule
from tests.wait import eventually

ROOM = {"cpu": "4", "memory": "1Gi", "pods": "10"}
CONTROLLERS = ("persistentvolume-binder-controller",)


def a_volume(name: str, node: str) -> Tree:
    expression = {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}
    return {
        "metadata": {"name": name},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "capacity": {"storage": "1Gi"},
            "storageClassName": "local",
            "local": {"path": f"/srv/{name}"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}},
        },
    }


def a_claim(name: str, of: str = "local") -> Tree:
    resources = {"requests": {"storage": "1Gi"}}
    spec = {"accessModes": ["ReadWriteOnce"], "resources": resources, "storageClassName": of}
    return {"metadata": {"name": name, "namespace": "default"}, "spec": spec}


def a_pod(name: str, claim: str) -> Tree:
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]
    spec = {"containers": [{"name": "c", "image": "i"}], "volumes": volumes, "automountServiceAccountToken": False}
    return {"metadata": {"name": name, "namespace": "default"}, "spec": spec}


async def a_cluster(client: Client) -> list[asyncio.Task[None]]:
    await client.create(ServiceAccount, {"metadata": {"name": "default", "namespace": "default"}})
    for name in ("n1", "n2"):
        head = {"name": name, "labels": {"kubernetes.io/hostname": name}}
        await client.create(Node, {"metadata": head, "status": {"allocatable": ROOM, "capacity": ROOM}})
        await client.patch(Node, Key("", name), {"spec": {"taints": []}})
    wait = {"provisioner": "kubernetes.io/no-provisioner", "volumeBindingMode": "WaitForFirstConsumer"}
    await client.create(StorageClass, {"metadata": {"name": "local"}, **wait})
    config = Config(controllers=CONTROLLERS)
    manager = asyncio.ensure_future(control(client, config, chosen_controllers(config)))
    return [manager, asyncio.ensure_future(schedule(client, profiles_of(None)))]


def test_a_claim_that_waits_is_bound_to_a_volume_of_the_pods_node(runner: asyncio.Runner, client: Client) -> None:
    """Two pods at once get two volumes; a third waits, and a fourth for its missing claim, until there is one.

    Rule: https://kubernetes.io/docs/concepts/storage/storage-classes/#volume-binding-mode
    """

    async def scenario() -> None:
        tasks = await a_cluster(client)
        for name, node in (("v1", "n1"), ("v2", "n2")):
            await client.create(PersistentVolume, a_volume(name, node))
        for number in (1, 2, 3):
            await client.create(PersistentVolumeClaim, a_claim(f"c{number}"))

        async def available() -> bool:
            return all(one.status.phase == "Available" for one in await client.list(PersistentVolume))

        await eventually(available, within=15)
        for number in (1, 2, 3):
            await client.create(Pod, a_pod(f"p{number}", f"c{number}"))
        await client.create(Pod, a_pod("p4", "none"))
        await eventually(lambda: _count(client, 2), within=20, what="two pods bound")
        pods = {pod.metadata.name: pod for pod in await client.list(Pod, "default") if pod.spec.nodeName}
        for name, pod in pods.items():
            claim = await client.get(PersistentVolumeClaim, "default", name.replace("p", "c"))
            assert (claim.status.phase, claim.spec.volumeName) == ("Bound", pod.spec.nodeName.replace("n", "v"))
        assert {pod.spec.nodeName for pod in pods.values()} == {"n1", "n2"}
        await eventually(lambda: _refused(client, "p4", 'persistentvolumeclaim "none" not found'), within=10)
        waiting = next(name for name in ("p1", "p2", "p3") if name not in pods)
        await eventually(lambda: _refused(client, waiting, "2 node(s) didn't find available persistent volumes to bind"), within=10)
        await client.create(PersistentVolume, a_volume("v3", "n1"))
        await client.create(PersistentVolume, a_volume("v4", "n1"))
        await client.create(PersistentVolumeClaim, a_claim("none"))
        await eventually(lambda: _count(client, 4), within=20, what="all pods bound")
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    runner.run(scenario())


async def _count(client: Client, wanted: int) -> bool:
    return sum(bool(pod.spec.nodeName) for pod in await client.list(Pod, "default")) == wanted


async def _refused(client: Client, name: str, words: str) -> Any:
    pod = await client.get(Pod, "default", name)
    return any(one.reason == "Unschedulable" and words in (one.message or "") for one in pod.status.conditions or ())
