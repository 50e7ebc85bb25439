"""Eviction: when the node runs short, of what, which pod has to go, and what it is told. Pure.

A threshold is a signal and the least that must be left, as an amount or a share of what there is. A hard one counts at once, a
soft one after its grace. Pods that use more than they asked for go first, then by priority, then by how much more they use.
Static and critical pods stay. https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from kube.api import quantity
from kube.api.pod_resources import amounts, limits, requests
from kube.api.types import Pod
from kubelet.pod_state import is_static
from kubelet.resources import CRITICAL_PRIORITY
from kubelet.samples import PodSample, Reading

HARD = ("memory.available<100Mi", "nodefs.available<10%", "nodefs.inodesFree<5%", "imagefs.available<15%", "imagefs.inodesFree<5%")
MEMORY, DISK, PROCESSES = "MemoryPressure", "DiskPressure", "PIDPressure"
SIGNALS = {  # signal -> the condition that it makes, and what the node is low on
    "memory.available": (MEMORY, "memory"),
    "nodefs.available": (DISK, "ephemeral-storage"),
    "nodefs.inodesFree": (DISK, "inodes"),
    "imagefs.available": (DISK, "ephemeral-storage"),
    "imagefs.inodesFree": (DISK, "inodes"),
    "pid.available": (PROCESSES, "pids"),
}


class BadThreshold(Exception):
    """A threshold that cannot be understood, and why."""


Readings = Mapping[str, Reading]  # by signal


@dataclass(frozen=True)
class Threshold:
    signal: str
    least: str  # a quantity, or a percentage
    grace_seconds: float = 0.0  # 0: a hard one
    reclaim: str = ""  # how much more must be free afterwards

    def amount(self, reading: Reading, text: str = "") -> int:
        return _amount(text or self.least, reading.capacity)

    def met(self, readings: Readings, *, with_reclaim: bool = False) -> bool:
        reading = readings.get(self.signal)
        if reading is None:
            return False
        least = self.amount(reading)
        if with_reclaim and self.reclaim:
            least += self.amount(reading, self.reclaim)
        return reading.available < least


@dataclass(frozen=True)
class Pressure:
    """What the node is short of."""

    memory: bool = False
    disk: bool = False
    pid: bool = False

    @property
    def names(self) -> list[str]:
        return [name for name, holds in ((MEMORY, self.memory), (DISK, self.disk), (PROCESSES, self.pid)) if holds]


def thresholds(
    hard: Iterable[str], soft: Iterable[str], graces: Mapping[str, float], reclaim: Mapping[str, str]
) -> list[Threshold]:
    """From the words of the flags. Raises BadThreshold."""
    found = []
    for words, is_soft in ((hard, False), (soft, True)):
        for word in words:
            signal, _, least = word.partition("<")
            if signal not in SIGNALS or not least:
                raise BadThreshold(f'invalid eviction threshold "{word}"')
            if is_soft and not graces.get(signal):
                raise BadThreshold(f"grace period must be specified for the soft eviction threshold {signal}")
            found.append(Threshold(signal, least, graces[signal] if is_soft else 0.0, reclaim.get(signal, "")))
    return found


def least_of(thresholds: Iterable[Threshold], signal: str, capacity: int) -> int:
    """What a hard threshold keeps free: pods cannot be promised it."""
    return next((_amount(one.least, capacity) for one in thresholds if one.signal == signal and not one.grace_seconds), 0)


def _amount(text: str, capacity: int) -> int:
    return int(capacity * Decimal(text[:-1]) / 100) if text.endswith("%") else quantity.value(text)


def ranked(pods: Iterable[PodSample], resource: str) -> list[PodSample]:
    """The pods that may go, the first to go first."""
    candidates = [one for one in pods if may_go(one.pod)]

    def rank(one: PodSample) -> tuple[bool, int, int]:
        asked = requests(one.pod).get(resource, 0)
        over = used(one, resource) - asked
        return (resource == "pids" or over <= 0), one.pod.spec.priority or 0, -over

    return sorted(candidates, key=rank)


def may_go(pod: Pod) -> bool:
    return not is_static(pod) and (pod.spec.priority or 0) < CRITICAL_PRIORITY and pod.metadata.deletionTimestamp is None


def used(one: PodSample, resource: str) -> int:
    if resource == "memory":
        return one.usage.working_set
    if resource == "pids":
        return one.usage.processes
    return one.ephemeral.inodes if resource == "inodes" else one.ephemeral.size


def eviction_message(one: PodSample, threshold: Threshold, reading: Reading) -> str:
    """In upstream's words."""
    resource = SIGNALS[threshold.signal][1]
    least, left = _shown(threshold.amount(reading)), _shown(reading.available)
    text = f"The node was low on resource: {resource}. Threshold quantity: {least}, available: {left}. "
    asked = {container.name: amounts(getattr(container.resources, "requests", None)) for container in one.pod.spec.containers}
    for container in one.containers:
        name = container.record.name
        using = container.usage.working_set if resource == "memory" else container.logs.size + container.root.size
        request = asked.get(name, {}).get(resource, 0)
        if resource in ("memory", "ephemeral-storage") and using > request:
            larger = f"has larger consumption of {resource}"
            text += f"Container {name} was using {using >> 10}Ki, request is {_shown(request)}, {larger}. "
    return text


def storage_excess(one: PodSample) -> str | None:
    """Which limit of local storage the pod is over, in upstream's words; None: none."""
    sizes = {volume.name: volume.taken.size for volume in one.volumes if volume.own}
    for volume in one.pod.spec.volumes or ():
        limit = volume.emptyDir.sizeLimit if volume.emptyDir is not None else None
        if limit is not None and sizes.get(volume.name, 0) > quantity.value(limit) > 0:
            return f'Usage of EmptyDir volume "{volume.name}" exceeds the limit "{limit}". '
    total = limits(one.pod).get("ephemeral-storage", 0)
    if total and one.ephemeral.size > total:
        return f"Pod ephemeral local storage usage exceeds the total limit of containers {_shown(total)}. "
    for container in one.containers:
        spec = next((each for each in one.pod.spec.containers if each.name == container.record.name), None)
        limit = (getattr(spec.resources, "limits", None) or {}).get("ephemeral-storage") if spec is not None else None
        if limit is not None and container.logs.size + container.root.size > quantity.value(limit):
            return f'Container {container.record.name} exceeded its local ephemeral storage limit "{limit}". '
    return None


def limits_storage(pod: Pod) -> bool:
    """Whether there is a limit to hold the pod to."""
    sized = any(one.emptyDir is not None and one.emptyDir.sizeLimit is not None for one in pod.spec.volumes or ())
    return sized or bool(limits(pod).get("ephemeral-storage"))


def _shown(amount: int) -> str:
    return quantity.render(Decimal(amount), "binary") if amount >= 1024 else str(amount)
