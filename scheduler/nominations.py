"""Nominations: pods for which room is being made on a node, until they are bound.

While its victims end, a pod stands in the queue, and what it will take counts as taken for pods that are no more important; so
nobody slips into the room that was made for it. The node's name is also in the pod's status, from where a scheduler that was
started anew has it.
https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/#user-exposed-information
"""

from collections.abc import Iterator
from contextlib import contextmanager

from kube.api.types import Pod
from scheduler.pod_info import PodInfo
from scheduler.snapshot import Snapshot


class Nominations:
    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._pods: dict[str, tuple[PodInfo, str]] = {}  # by uid

    def set(self, pod: PodInfo, node: str) -> None:
        self._pods[pod.uid] = (pod, node)

    def remove(self, uid: str) -> bool:
        """Whether there was one."""
        return self._pods.pop(uid, None) is not None

    def node_of(self, uid: str) -> str | None:
        known = self._pods.get(uid)
        return known[1] if known is not None else None

    def less_important(self, pod: PodInfo, node: str) -> list[Pod]:
        """Those that count on room on this node which the pod takes: they must look anew."""
        there = (one for one, at in self._pods.values() if at == node)
        return [one.pod for one in there if one.priority < pod.priority]

    @contextmanager
    def counted_for(self, pod: PodInfo) -> Iterator[None]:
        """With the others placed as they will be, in the snapshot."""
        others = [(one, node) for uid, (one, node) in self._pods.items() if uid != pod.uid and one.priority >= pod.priority]
        for one, node in others:
            self._snapshot.set_pod(one, node)
        try:
            yield
        finally:
            for one, _ in others:
                self._snapshot.remove_pod(one.uid)
