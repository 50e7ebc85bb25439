"""Evictor: ends the victims of a preemption, each told why, and lets the pods go that counted on the same room.

A victim's condition DisruptionTarget is there before its deletion, so that its controller sees both together.
https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-conditions · upstream
pkg/scheduler/framework/preemption/executor.go
"""

from datetime import UTC, datetime

from kube.api.meta import Tree, key_of
from kube.api.status import Conflict, NotFound
from kube.api.types import Pod
from kube.api.views import timestamp
from kube.client.event_series import SeriesRecorder
from kube.client.rest import STRATEGIC, Client
from scheduler.preemption import PREEMPTED, Room


class Evictor:
    def __init__(self, client: Client, recorder: SeriesRecorder, name: str) -> None:
        self._client = client
        self._recorder = recorder
        self._name = name

    async def make(self, room: Room, pod: Pod) -> None:
        """Ask every victim to go; they do so within their grace periods."""
        for victim in room.victims:
            if victim.metadata.deletionTimestamp is None:
                await self._evict(victim, pod, str(room.node))

    async def _evict(self, victim: Pod, pod: Pod, node: str) -> None:
        key, uid = key_of(victim), victim.metadata.uid
        condition: Tree = {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": PREEMPTED,
            "message": f"{self._name}: preempting to accommodate a higher priority pod",
            "lastTransitionTime": timestamp(datetime.now(UTC)),
        }
        if victim.metadata.generation is not None:
            condition["observedGeneration"] = victim.metadata.generation
        patch = {"metadata": {"uid": uid}, "status": {"conditions": [condition]}}
        try:
            await self._client.patch(Pod, key, patch, type=STRATEGIC, subresource="status")
            await self._client.delete(Pod, key, uid=uid)
        except (NotFound, Conflict):
            return  # it is gone already
        message = f"Preempted by pod {pod.metadata.uid} on node {node}"
        self._recorder.event(victim, "Normal", "Preempted", "Preempting", message, related=pod)

    async def withdraw(self, pod: Pod) -> None:
        """The pod's nomination does not hold any more."""
        try:
            patch = {"status": {"nominatedNodeName": None}}
            await self._client.patch(Pod, key_of(pod), patch, type=STRATEGIC, subresource="status")
        except NotFound:
            return
