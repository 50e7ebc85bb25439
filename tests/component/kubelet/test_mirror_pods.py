"""Mirror pods on the real API server."""

import asyncio
from datetime import UTC, datetime

from kube.api.meta import Key, key_of
from kube.api.types import Node, Pod
from kube.client.rest import Client
from kubelet.mirror_pods import MirrorPods
from kubelet.static_pods import static_pod
from tests.wait import eventually

MANIFEST = "apiVersion: v1\nkind: Pod\nmetadata: {name: %s}\nspec: {containers: [{name: c, image: i}], restartPolicy: %s}"


def test_a_static_pod_that_the_server_refuses_keeps_no_other_from_being_shown(runner: asyncio.Runner, client: Client) -> None:
    """Rule: https://kubernetes.io/docs/tasks/configure-pod-container/static-pod/#behavior-of-static-pods"""
    texts = [MANIFEST % words for words in (("a-refused", "Wrong"), ("b-good", "Always"))]
    pods = [static_pod(text.encode(), "n", "file", datetime.now(UTC)) for text in texts]

    async def scenario() -> None:
        await client.create(Node, {"metadata": {"name": "n"}})
        running = asyncio.create_task(MirrorPods(client, "n", list, lambda: pods).run())

        async def shown() -> bool:
            return [key_of(one) for one in await client.list(Pod, "default")] == [Key("default", "b-good-n")]

        await eventually(shown, within=10)
        running.cancel()
        await asyncio.wait([running])

    runner.run(scenario())
