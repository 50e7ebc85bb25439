"""Taint eviction: pods leave a node that has a NoExecute taint they do not tolerate, or tolerate only for some time.

Of several tolerations the shortest tolerationSeconds counts; taking the taint off cancels what was due.
Our choice: the time runs from the taint's timeAdded (or the pod's creation, if later), so that a restart does not prolong it; of a
taint without timeAdded, from when it was first seen.
https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions · pkg/controller/tainteviction
"""

from collections.abc import Sequence
from datetime import datetime

from controller_manager.conditions import condition
from controller_manager.controller import Context, Controller, Watch
from controller_manager.pod_index import index_by_node, on_node
from kube.api.meta import Key, key_of
from kube.api.status import NotFound
from kube.api.toleration import tolerates
from kube.api.types import Node, Pod, Taint
from kube.client.rest import STRATEGIC


class TaintEvictionController(Controller[Key]):
    name = "taint-eviction-controller"
    reconciles = Pod
    reads = (Node,)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        index_by_node(self.cache(Pod))
        self._due: dict[Key, tuple[str, datetime]] = {}  # the UIDs of pods that must leave, and since when their time runs

    def extra(self) -> tuple[Watch, ...]:
        return (Watch(Node, lambda node: [key_of(pod) for pod in on_node(self.cache(Pod), node.metadata.name)]),)

    async def reconcile(self, key: Key) -> float | None:
        pod = self.cache(Pod).get(key)
        if pod is None or pod.metadata.deletionTimestamp is not None or not pod.spec.nodeName:
            self._due.pop(key, None)
            return None
        taints = no_execute_taints(self.cache(Node).get(Key("", pod.spec.nodeName)))
        now = self.clock.now()
        since = self._since(pod, taints, now)
        left = seconds_left(pod, taints, since, now) if taints else None
        if left is None:
            if self._due.pop(key, None) is not None:
                self.recorder.event(pod, "Normal", "TaintManagerEviction", f"Cancelling deletion of Pod {key}")
            return None
        self._due[key] = (pod.metadata.uid, since)
        if left > 0:
            return left
        await self._evict(pod)
        return None

    def _since(self, pod: Pod, taints: Sequence[Taint], now: datetime) -> datetime:
        uid, known = self._due.get(key_of(pod), ("", now))
        return known if uid == pod.metadata.uid else started(pod, taints) or now

    async def _evict(self, pod: Pod) -> None:
        self.recorder.event(pod, "Normal", "TaintManagerEviction", f"Marking for deletion Pod {key_of(pod)}")
        message = "Taint manager: deleting due to NoExecute taint"
        told = condition("DisruptionTarget", "True", "DeletionByTaintManager", message, self.clock.now())
        patch = {"metadata": {"uid": pod.metadata.uid}, "status": {"conditions": [told]}}
        try:
            await self.client.patch(Pod, key_of(pod), patch, type=STRATEGIC, subresource="status")
            await self.client.delete(Pod, key_of(pod), uid=pod.metadata.uid)
        except NotFound:
            return


def no_execute_taints(node: Node | None) -> list[Taint]:
    spec = node.spec if node is not None else None
    return [taint for taint in (spec.taints if spec is not None else None) or () if taint.effect == "NoExecute"]


def started(pod: Pod, taints: Sequence[Taint]) -> datetime | None:
    """Since when the taints trouble the pod; None where they do not tell."""
    times = [taint.timeAdded for taint in taints if taint.timeAdded is not None]
    created = pod.metadata.creationTimestamp
    return max(min(times), created) if times and created is not None else None


def seconds_left(pod: Pod, taints: Sequence[Taint], since: datetime, now: datetime) -> float | None:
    """Until the pod must leave; 0 at once, None never."""
    used = []
    for taint in taints:
        covering = [one for one in pod.spec.tolerations or () if tolerates(one, taint)]
        if not covering:
            return 0.0
        used += covering
    limits = [max(one.tolerationSeconds, 0) for one in used if one.tolerationSeconds is not None]
    if not limits:
        return None
    return max(min(limits) - (now - since).total_seconds(), 0.0)
