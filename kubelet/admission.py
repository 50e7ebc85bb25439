"""Admission: whether this node takes a pod that was bound to it. Pure.

The scheduler decides on what it last saw; the node has the last word. A pod that is refused is Failed, and is replaced by its
controller elsewhere. A pod that has run here before is not refused.
https://kubernetes.io/docs/reference/node/kubelet-checkpoint-api/ · upstream pkg/kubelet/lifecycle/predicate.go
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from kube.api.pod_resources import amounts, requests
from kube.api.types import Pod
from kubelet.pod_state import is_static
from kubelet.security import forbidden_sysctl

COUNTED = ("cpu", "memory", "ephemeral-storage")


class Refusal(NamedTuple):
    reason: str
    message: str


class Admission:
    def __init__(self, allocatable: Mapping[str, str]) -> None:
        self._allocatable = amounts(allocatable)

    def refuse(self, pod: Pod, others: Iterable[Pod]) -> Refusal | None:
        if pod.status.startTime is not None or is_static(pod):
            return None
        sysctl = forbidden_sysctl(pod)
        if sysctl:
            return Refusal("SysctlForbidden", f'forbidden sysctl: "{sysctl}" not allowlisted')
        running = [one for one in others if one.status.phase not in ("Succeeded", "Failed")]
        if len(running) >= self._allocatable["pods"]:
            return _out_of("pods", 1, len(running), self._allocatable["pods"])
        wanted = requests(pod)
        used = [requests(one) for one in running]
        for name in COUNTED:
            taken = sum(one.get(name, 0) for one in used)
            if wanted.get(name) and taken + wanted[name] > self._allocatable.get(name, 0):
                return _out_of(name, wanted[name], taken, self._allocatable.get(name, 0))
        return None


def _out_of(name: str, requested: int, used: int, capacity: int) -> Refusal:
    counted = f"requested: {requested}, used: {used}, capacity: {capacity}"
    return Refusal(f"OutOf{name}", f"Pod was rejected: Node didn't have enough resource: {name}, {counted}")
