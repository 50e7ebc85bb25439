"""Admission: whether this node takes a pod that was bound to it. Pure.

The scheduler decides on what it last saw; the node has the last word. A pod that is refused is Failed, and is replaced by its
controller elsewhere. A pod that has run here before is not refused.
https://kubernetes.io/docs/reference/node/kubelet-checkpoint-api/ · upstream pkg/kubelet/lifecycle/predicate.go
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from kube.api.pod_qos import qos_class
from kube.api.pod_resources import amounts, requests
from kube.api.types import Pod
from kubelet.eviction import MEMORY, Pressure
from kubelet.placement import NodeSource, misplaced, unknown
from kubelet.pod_state import is_static
from kubelet.resize import PendingResize
from kubelet.resources import BEST_EFFORT, CRITICAL_PRIORITY
from kubelet.security import forbidden_sysctl, unenforceable

FINAL = ("Succeeded", "Failed")
MEMORY_TAINT = "node.kubernetes.io/memory-pressure"
COUNTED = ("cpu", "memory", "ephemeral-storage")


class Refusal(NamedTuple):
    reason: str
    message: str


class Admission:
    def __init__(self, allocatable: Mapping[str, str], *, unsafe_sysctls: Collection[str] = (), apparmor: bool = False) -> None:
        self._allocatable = amounts(allocatable)
        self._unsafe_sysctls = unsafe_sysctls  # names that --allowed-unsafe-sysctls adds to the safe ones
        self._apparmor = apparmor  # whether the host has it
        self.node: NodeSource = unknown
        self.pressure: Callable[[], Pressure] = Pressure  # what the node is short of, now
        self.going_down: Callable[[], bool] = bool  # whether the machine is being shut down

    def refuse(self, pod: Pod, others: Iterable[Pod]) -> Refusal | None:
        if self.going_down():
            return Refusal("NodeShutdown", "Pod was rejected as the node is shutting down.")
        if pod.status.startTime is not None or is_static(pod):
            return None
        short_of = _under(self.pressure(), pod)
        if short_of:
            return Refusal("Evicted", f"The node had condition: [{' '.join(short_of)}]. ")
        sysctl = forbidden_sysctl(pod, self._unsafe_sysctls)
        if sysctl:
            return Refusal("SysctlForbidden", f'forbidden sysctl: "{sysctl}" not allowlisted')
        unprotected = unenforceable(pod, apparmor=self._apparmor)
        if unprotected is not None:
            return Refusal(*unprotected)
        running = [one for one in others if one.status.phase not in FINAL]
        if len(running) >= self._allocatable["pods"]:
            return _out_of("pods", 1, len(running), self._allocatable["pods"])
        for name, asked, used, capacity in self._lacking(pod, running):
            return _out_of(name, asked, used, capacity)
        wrong = misplaced(pod, running, self.node())
        return Refusal(*wrong) if wrong is not None else None

    def refuse_resize(self, pod: Pod, others: Iterable[Pod]) -> PendingResize | None:
        """Whether a pod that runs here may have what it wants now; `others` are without it."""
        for name, asked, _, capacity in self._lacking(pod, ()):
            message = f"Node didn't have enough capacity: {name}, requested: {asked}, capacity: {capacity}"
            return PendingResize("Infeasible", message)
        for name, asked, used, capacity in self._lacking(pod, (one for one in others if one.status.phase not in FINAL)):
            counted = f"requested: {asked}, used: {used}, capacity: {capacity}"
            return PendingResize("Deferred", f"Node didn't have enough resource: {name}, {counted}")
        return None

    def _lacking(self, pod: Pod, others: Iterable[Pod]) -> Iterator[tuple[str, int, int, int]]:
        """What does not fit beside the others: name, asked for, used, capacity."""
        wanted = requests(pod)
        used = [requests(one) for one in others]
        for name in COUNTED:
            taken, capacity = sum(one.get(name, 0) for one in used), self._allocatable.get(name, 0)
            if wanted.get(name) and taken + wanted[name] > capacity:
                yield name, wanted[name], taken, capacity


def _under(pressure: Pressure, pod: Pod) -> list[str]:
    """The pressures that keep the pod out: a lack of memory only those that asked for none, and do not tolerate it."""
    names = pressure.names
    if not names or (pod.spec.priority or 0) >= CRITICAL_PRIORITY:
        return []
    if names == [MEMORY]:
        tolerates = any(one.key in (None, "", MEMORY_TAINT) and one.operator == "Exists" for one in pod.spec.tolerations or ())
        return [] if tolerates or qos_class(pod) != BEST_EFFORT else names
    return names


def _out_of(name: str, requested: int, used: int, capacity: int) -> Refusal:
    counted = f"requested: {requested}, used: {used}, capacity: {capacity}"
    return Refusal(f"OutOf{name}", f"Node didn't have enough resource: {name}, {counted}")
