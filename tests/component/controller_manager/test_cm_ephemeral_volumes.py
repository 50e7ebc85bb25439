"""Claims of ephemeral volumes: made for their pod, gone with it, and never another's."""

import asyncio

from kube.api.meta import Tree
from kube.api.status import NotFound
from kube.api.types import Event, PersistentVolumeClaim, Pod
from tests.component.controller_manager.conftest import Cluster, at

SPEC = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}


def a_pod(name: str) -> Tree:
    template = {"metadata": {"labels": {"kind": "scratch"}}, "spec": SPEC}
    volumes = [{"name": "v", "ephemeral": {"volumeClaimTemplate": template}}]
    spec = {"containers": [{"name": "c", "image": "i"}], "volumes": volumes}
    return {"metadata": {"name": name, "namespace": "default"}, "spec": spec}


def test_a_claim_is_made_for_the_pod_and_goes_with_it(runner: asyncio.Runner, cluster: Cluster) -> None:
    """A claim of that name which is somebody else's is left alone, and the pod is told.

    Rule: https://kubernetes.io/docs/concepts/storage/ephemeral-volumes/#persistentvolumeclaim-naming
    """

    async def scenario() -> None:
        client = cluster.client
        await client.create(PersistentVolumeClaim, {"metadata": {"name": "q-v", "namespace": "default"}, "spec": SPEC})
        await cluster.start_and_settle()
        pod = await client.create(Pod, a_pod("p"))
        claim = await cluster.until(lambda: client.get(PersistentVolumeClaim, "default", "p-v"), "the claim")
        assert [one.uid for one in claim.metadata.ownerReferences] == [pod["metadata"]["uid"]]
        assert claim.metadata.labels == {"kind": "scratch"}
        await client.create(Pod, a_pod("q"))

        async def told() -> bool:
            messages = [one.message or "" for one in await client.list(Event, "default") if one.reason == "FailedBinding"]
            return any('PVC "default/q-v"' in text and "was not created for pod" in text for text in messages)

        await cluster.until(told, "the event")
        assert (await client.get(PersistentVolumeClaim, "default", "q-v")).metadata.ownerReferences is None
        await client.delete(Pod, at("p"), grace_seconds=0)

        async def gone() -> bool:
            try:
                await client.get(PersistentVolumeClaim, "default", "p-v")
            except NotFound:
                return True
            return False

        await cluster.until(gone, "the claim to go")

    runner.run(scenario())
