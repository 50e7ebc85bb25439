"""What several plugins ask of the nodes: where a pod may go by labels and by taints, and how full it would make them."""

import numpy as np

from kube.api import node_affinity
from kube.api.toleration import untolerated
from kube.api.types import Taint
from scheduler.framework import Mask, Scores
from scheduler.pod_info import PodInfo
from scheduler.snapshot import LEAST_CPU_MILLIS, LEAST_MEMORY_BYTES, Snapshot

HARD = ("NoSchedule", "NoExecute")
LEAST = {"cpu": LEAST_CPU_MILLIS, "memory": LEAST_MEMORY_BYTES}


def selected(pod: PodInfo, nodes: Snapshot) -> Mask | None:
    """The nodes that the pod's nodeSelector and required affinity select; None for all of them."""
    if not pod.spec.nodeSelector and node_affinity.required_terms(pod.pod) is None:
        return None

    def made() -> Mask:
        return np.fromiter((node_affinity.wanted(pod.pod, info.node) for info in nodes.infos), np.bool_, len(nodes))

    return nodes.remembered(("selected nodes", pod.node_wish), made)


def tolerated(pod: PodInfo, nodes: Snapshot) -> Mask:
    """The nodes without a taint that keeps the pod away."""

    def made() -> Mask:
        return np.fromiter((not taints_left(pod, info.taints, HARD) for info in nodes.infos), np.bool_, len(nodes))

    return nodes.remembered(("tolerated", pod.tolerations), made)


def taints_left(pod: PodInfo, taints: list[Taint], effects: tuple[str, ...]) -> list[Taint]:
    """Those of these effects that the pod does not tolerate."""
    return untolerated(pod.spec.tolerations, taints, effects) if taints else []


def used_share(pod: PodInfo, nodes: Snapshot, resource: str) -> Scores:
    """How full each node would be with this pod, 0 to 1, as scores count it (a pod without requests is not free)."""
    least = LEAST.get(resource, 0)
    amount = pod.asked.get(resource) or least
    room = np.maximum(nodes.allocatable(resource), 1)
    return np.minimum(((nodes.assumed(resource) if least else nodes.requested(resource)) + amount) / room, 1.0)
