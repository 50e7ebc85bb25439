"""Mirror pods: how static pods show on the API server: an object that cannot be edited, made again when it is deleted.

https://kubernetes.io/docs/tasks/configure-pod-container/static-pod/#behavior-of-static-pods · upstream
pkg/kubelet/pod/mirror_client.go
"""

import asyncio
from collections.abc import Awaitable, Callable

from kube.api.meta import Key, Tree, key_of
from kube.api.status import AlreadyExists, ApiError, NotFound
from kube.api.types import Node, Pod
from kube.api.views import tree_of
from kube.client.rest import Client, Unreachable
from kube.component.logging import get_logger
from kubelet.pod_state import HASH, MIRROR

log = get_logger("kubelet.mirror_pods")

RETRY_SECONDS = 5.0


class MirrorPods:
    """Keeps one mirror for each static pod. Level-based: `wanted` and the cache of pods say what is to do."""

    def __init__(self, client: Client, node_name: str, mirrors: Callable[[], list[Pod]], wanted: Callable[[], list[Pod]]) -> None:
        self._client = client
        self._node_name = node_name
        self._mirrors = mirrors  # what the API server has, by the newest word
        self._wanted = wanted
        self._changed = asyncio.Event()
        self._changed.set()

    def changed(self) -> None:
        """A static pod or a mirror came, changed or went."""
        self._changed.set()

    async def run(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self._reconcile()

    async def _reconcile(self) -> None:
        wanted = {key_of(pod): pod for pod in self._wanted()}
        present = {key_of(mirror): mirror for mirror in self._mirrors()}
        for key, mirror in present.items():
            pod = wanted.get(key)
            if pod is None or not mirrors(mirror, pod):
                await self._tried(key, self._delete(key, mirror))
        for key, pod in wanted.items():
            if key not in present:
                await self._tried(key, self._create(pod))

    async def _tried(self, key: Key, work: Awaitable[None]) -> None:
        """One that fails is tried again later, and keeps no other waiting."""
        try:
            await work
        except (ApiError, Unreachable) as error:
            log.warning("mirror pod is behind, trying again", pod=key, reason=error)
            asyncio.get_running_loop().call_later(RETRY_SECONDS, self.changed)

    async def _delete(self, key: Key, mirror: Pod) -> None:
        try:
            await self._client.delete(Pod, key, uid=mirror.metadata.uid, grace_seconds=0)
        except NotFound:
            return

    async def _create(self, pod: Pod) -> None:
        owner = await self._client.get(Node, "", self._node_name)
        try:
            await self._client.create(Pod, mirror_of(pod, owner))
        except AlreadyExists:
            return


def mirrors(mirror: Pod, pod: Pod) -> bool:
    """Whether a mirror shows this very static pod, and is not being deleted."""
    annotations = mirror.metadata.annotations or {}
    return mirror.metadata.deletionTimestamp is None and annotations.get(MIRROR) == (pod.metadata.annotations or {}).get(HASH)


def mirror_of(pod: Pod, owner: Node) -> Tree:
    tree: Tree = tree_of(pod)
    metadata = tree["metadata"]
    metadata.pop("uid")
    metadata["annotations"] = {**metadata["annotations"], MIRROR: metadata["annotations"][HASH]}
    reference = {"apiVersion": "v1", "kind": "Node", "name": owner.metadata.name, "uid": owner.metadata.uid, "controller": True}
    metadata["ownerReferences"] = [reference]
    tree.pop("status", None)
    return tree
