"""Eviction: when the node runs short, which pods have to go. Pure.

Hard thresholds are upstream's defaults: 100 MiB of memory, 10 % of the disk, 5 % of its inodes. One pod goes at a time: one
that uses more than it asked for first, then by priority, then by how much more. Static and critical pods stay.
https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kube.api.pod_resources import requests
from kube.api.types import Pod
from kubelet.pod_state import is_static
from kubelet.resources import CRITICAL_PRIORITY

MEMORY_BYTES = 100 << 20
DISK_SHARE = 0.10
INODE_SHARE = 0.05
PID_SHARE = 0.05


@dataclass(frozen=True)
class Pressure:
    """What is left of a node."""

    memory_available: int  # bytes
    disk_available: float  # share
    inodes_available: float  # share
    pids_available: float  # share

    @property
    def memory(self) -> bool:
        return self.memory_available < MEMORY_BYTES

    @property
    def disk(self) -> bool:
        return self.disk_available < DISK_SHARE or self.inodes_available < INODE_SHARE

    @property
    def pid(self) -> bool:
        return self.pids_available < PID_SHARE


def victim(pods: Iterable[Pod], memory_used: Callable[[Pod], int]) -> Pod | None:
    """The pod to evict for its memory, if one may be."""
    candidates = [pod for pod in pods if not is_static(pod) and (pod.spec.priority or 0) < CRITICAL_PRIORITY]

    def rank(pod: Pod) -> tuple[bool, int, int]:
        over = memory_used(pod) - requests(pod).get("memory", 0)
        return over <= 0, pod.spec.priority or 0, -over

    return min(candidates, key=rank, default=None)


def eviction_message(pod: Pod, used: int, available: int) -> str:
    asked, name = requests(pod).get("memory", 0), pod.spec.containers[0].name
    return (
        f"The node was low on resource: memory. Threshold quantity: {MEMORY_BYTES >> 20}Mi, available: {available >> 10}Ki. "
        f"Container {name} was using {used >> 10}Ki, request is {asked >> 10}Ki, has larger consumption of memory. "
    )
