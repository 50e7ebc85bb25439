"""Pod source: where this node's pods come from: the API server's pods bound to the node, and static pods of files.

Static pods' mirrors come back from the API server too; they are no pods to run, but name the object that a static pod's status
goes to. https://kubernetes.io/docs/concepts/architecture/#kubelet
"""

import asyncio
from collections.abc import Callable

from kube.api.meta import Key, key_of
from kube.api.types import Pod
from kube.client.informer import Informer
from kubelet.pod_state import is_mirror, is_static
from kubelet.pod_workers import PodWorkers


class PodSource:
    """Feeds the workers. `informer` is None where there is no API server."""

    def __init__(self, workers: PodWorkers, informer: Informer[Pod] | None, *, files: bool) -> None:
        self._workers = workers
        self._informer = informer
        self._static: dict[str, Pod] = {}  # by uid
        self._files_spoke = asyncio.Event()
        if not files:
            self._files_spoke.set()
        self.on_mirrors: Callable[[], None] = _nothing  # is called when static or mirror pods change
        self.on_new_mirror: Callable[[Pod], None] = _nothing_new  # is called when the static pod's object is new
        self.on_object: Callable[[str], None] = _nothing_new  # is called with the pod's uid when its object is new or changed

    def start(self) -> None:
        """Begin to feed what the API server says."""
        if self._informer is not None:
            self._informer.on_change(self._from_api)

    async def all_spoke(self) -> None:
        """Until each source has said once which pods it has."""
        await self._files_spoke.wait()
        if self._informer is not None:
            await self._informer.synced.wait()

    def static_pods(self) -> list[Pod]:
        return list(self._static.values())

    def mirror_pods(self) -> list[Pod]:
        return [pod for pod in self._informer.cache.list() if is_mirror(pod)] if self._informer is not None else []

    def api_object(self, pod: Pod) -> Pod | None:
        """What the API server has of a pod: itself, or a static pod's mirror."""
        if self._informer is None:
            return None
        found = self._informer.cache.get(key_of(pod))
        if found is None or (is_static(pod) and not is_mirror(found)):
            return None
        return found if is_static(pod) or found.metadata.uid == pod.metadata.uid else None

    def static_pod(self, key: Key) -> Pod | None:
        return next((pod for pod in self._static.values() if key_of(pod) == key), None)

    def files_say(self, pods: dict[str, Pod]) -> None:
        """All static pods, by uid."""
        for uid in self._static.keys() - pods.keys():
            self._workers.remove(uid)
        new = [pod for uid, pod in pods.items() if uid not in self._static]
        self._static = pods
        for pod in new:
            self._workers.set(pod)
        self._files_spoke.set()
        self.on_mirrors()

    def _from_api(self, old: Pod | None, new: Pod | None) -> None:
        one = new if new is not None else old
        if is_mirror(one):
            self.on_mirrors()
            pod = self.static_pod(key_of(one))
            worker = self._workers.get(pod.metadata.uid) if pod is not None else None
            if worker is not None and new is not None and old is None:
                self.on_new_mirror(worker.pod)  # a mirror that was made anew knows nothing yet
                worker.wake()
            if pod is not None and new is not None:
                self.on_object(pod.metadata.uid)
            return
        if new is None:
            self._workers.remove(one.metadata.uid)
        else:
            self._workers.set(new)
            self.on_object(new.metadata.uid)


def _nothing_new(pod: Pod | str) -> None:
    """Nobody wants to know."""


def _nothing() -> None:
    """Nobody wants to know."""
