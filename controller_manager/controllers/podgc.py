"""Pod garbage collector: removes pods that nobody else will ever remove.

- pods bound to a node that is no more (after 40 s, and a look past the cache);
- pods that are being deleted and were never bound;
- pods that are being deleted on a node that is not ready and tainted out-of-service;
- the oldest ended pods beyond --terminated-pod-gc-threshold.
https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-garbage-collection · pkg/controller/podgc
"""

from collections.abc import Iterable
from enum import Enum

from controller_manager.conditions import condition
from controller_manager.controller import Context, Controller, Watch
from controller_manager.pod_index import index_by_node, on_node
from controller_manager.pod_state import terminal
from kube.api.meta import Key, Tree, key_of
from kube.api.status import NotFound
from kube.api.types import Node, Pod
from kube.client.rest import STRATEGIC

QUARANTINE_SECONDS = 40.0
OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"
ENDED = "ended"


class Fate(Enum):
    KEEP = "keep"
    ORPHANED = "orphaned"  # its node is no more, as far as the cache knows
    UNBOUND = "unbound"
    OUT_OF_SERVICE = "out of service"


class PodGCController(Controller[Key]):
    name = "pod-garbage-collector-controller"
    reconciles = Pod
    reads = (Node,)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        index_by_node(self.cache(Pod))
        self.cache(Pod).add_index(ENDED, lambda pod: (ENDED,) if terminal(pod) else ())
        self._missing: dict[str, float] = {}  # by node: since when pods were seen on it without it

    def extra(self) -> tuple[Watch, ...]:
        return (Watch(Node, lambda node: [key_of(pod) for pod in on_node(self.cache(Pod), node.metadata.name)]),)

    async def reconcile(self, key: Key) -> float | None:
        pod = self.cache(Pod).get(key)
        if pod is None:
            return None
        name = pod.spec.nodeName
        node = self.cache(Node).get(Key("", name)) if name else None
        fate = plan(pod, node)
        if fate is Fate.ORPHANED:
            return await self._orphaned(pod)
        if name:
            self._missing.pop(name, None)
        if fate is not Fate.KEEP:
            await self._remove(pod, None)
        elif terminal(pod):
            for one in surplus(self.cache(Pod).by_index(ENDED, ENDED), self.config.terminated_pod_gc_threshold):
                await self._remove(one, None)
        return None

    async def _orphaned(self, pod: Pod) -> float | None:
        name, now = pod.spec.nodeName, self.clock.monotonic()
        left = self._missing.setdefault(name, now) + QUARANTINE_SECONDS - now
        if left > 0:
            return left
        try:
            await self.client.get(Node, "", name)
        except NotFound:
            message = "PodGC: node no longer exists"
            await self._remove(pod, condition("DisruptionTarget", "True", "DeletionByPodGC", message, self.clock.now()))
        return None

    async def _remove(self, pod: Pod, why: Tree | None) -> None:
        """At once: there is no kubelet that would end it. One that has not ended is marked as failed before."""
        key = key_of(pod)
        try:
            if not terminal(pod):
                status: Tree = {"phase": "Failed"} | ({"conditions": [why]} if why is not None else {})
                patch = {"metadata": {"uid": pod.metadata.uid}, "status": status}
                await self.client.patch(Pod, key, patch, type=STRATEGIC, subresource="status")
            await self.client.delete(Pod, key, uid=pod.metadata.uid, grace_seconds=0)
        except NotFound:
            return


def plan(pod: Pod, node: Node | None) -> Fate:
    """What is to become of a pod; `node` is what the cache has of its node."""
    deleting = pod.metadata.deletionTimestamp is not None
    if not pod.spec.nodeName:
        return Fate.UNBOUND if deleting else Fate.KEEP
    if node is None:
        return Fate.ORPHANED
    return Fate.OUT_OF_SERVICE if deleting and _out_of_service(node) else Fate.KEEP


def surplus(ended: Iterable[Pod], threshold: int) -> list[Pod]:
    """The oldest of the ended pods beyond the threshold."""
    by_age = sorted(ended, key=lambda pod: (pod.metadata.creationTimestamp, pod.metadata.name))
    return by_age[: max(len(by_age) - threshold, 0)] if threshold > 0 else []


def _out_of_service(node: Node) -> bool:
    is_ready = any(one.type == "Ready" and one.status == "True" for one in node.status.conditions or ())
    taints = (node.spec.taints if node.spec is not None else None) or ()
    return not is_ready and any(taint.key == OUT_OF_SERVICE for taint in taints)
