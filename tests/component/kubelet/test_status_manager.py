"""The status manager with the real API server, where somebody else writes the status of the node's pods, too."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from kube.api.meta import Key, Tree
from kube.api.types import Node, Pod, ServiceAccount
from kube.client.informer import Informer
from kube.client.rest import STRATEGIC, Client
from kubelet.status_manager import RETRY_SECONDS, StatusManager
from tests.wait import eventually

KEY = Key("default", "told")
POD: Tree = {
    "metadata": {"namespace": "default", "name": "told"},
    "spec": {"nodeName": "n", "containers": [{"name": "main", "image": "i"}]},
}
RUNNING: Tree = {
    "phase": "Running",
    "podIP": "10.244.0.9",
    "podIPs": [{"ip": "10.244.0.9"}],
    "conditions": [
        {"type": kind, "status": "True", "lastTransitionTime": "2026-01-02T03:04:05Z"} for kind in ("Ready", "ContainersReady")
    ],
}


@asynccontextmanager
async def a_pod_is_told(client: Client) -> AsyncIterator[tuple[StatusManager, Pod]]:
    """A manager that told a pod's status, and hears of every change."""
    await client.create(Node, {"metadata": {"name": "n"}})
    await client.create(ServiceAccount, {"metadata": {"namespace": KEY.namespace, "name": "default"}})
    await client.create(Pod, POD)
    informer = Informer(client, Pod, namespace=KEY.namespace)
    manager = StatusManager(client, lambda pod: informer.cache.get(KEY))
    informer.on_change(lambda old, new: manager.seen(new.metadata.uid) if new is not None else None)
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(informer.run()), tasks.create_task(manager.run())]
        await informer.synced.wait()
        pod = informer.cache.get(KEY)
        assert pod is not None
        manager.report(pod, RUNNING, gone=False)
        await is_told(client)
        yield manager, pod
        for one in running:
            one.cancel()


async def is_told(client: Client) -> None:
    async def look() -> Any:
        conditions = (await client.get_tree(Pod, *KEY))["status"].get("conditions", ())
        return {one["type"]: one["status"] for one in conditions} | RUNNING_CONDITIONS == {
            one["type"]: one["status"] for one in conditions
        }

    await eventually(look, RETRY_SECONDS + 10, "the status is told")


RUNNING_CONDITIONS = {one["type"]: one["status"] for one in RUNNING["conditions"]}


def test_what_somebody_wrote_over_a_pods_status_is_told_again(client: Client, runner: asyncio.Runner) -> None:
    """The node lifecycle controller takes Ready from the pods of a silent node; the node may be back by then, with nothing new.
    Rule: upstream status_manager.go, needsReconcile"""

    async def story() -> None:
        async with a_pod_is_told(client):
            patch = {"status": {"conditions": [{"type": "Ready", "status": "False"}]}}
            told = await client.patch(Pod, KEY, patch, type=STRATEGIC, subresource="status")
            assert {one["type"]: one["status"] for one in told["status"]["conditions"]}["Ready"] == "False"
            await is_told(client)

    runner.run(story())


def test_a_change_of_anything_else_is_not_answered_with_the_status(client: Client, runner: asyncio.Runner) -> None:
    """Conditions of others, labels: each write of the kubelet's would be one too many."""

    async def story() -> None:
        async with a_pod_is_told(client) as (manager, pod):
            await client.patch(Pod, KEY, {"metadata": {"labels": {"a": "b"}}})
            more = {"status": {"conditions": [{"type": "example.com/gate", "status": "True"}]}}
            told = await client.patch(Pod, KEY, more, type=STRATEGIC, subresource="status")
            # What is reported next is sent after what would have been sent again.
            asyncio.get_running_loop().call_later(
                RETRY_SECONDS * 1.5, lambda: manager.report(pod, RUNNING | {"message": "next"}, gone=False)
            )

            async def next_one() -> Tree | None:
                tree = await client.get_tree(Pod, *KEY)
                return tree if tree["status"].get("message") == "next" else None

            after = await eventually(next_one, 15, "the next status")
            assert int(after["metadata"]["resourceVersion"]) == int(told["metadata"]["resourceVersion"]) + 1

    runner.run(story())
