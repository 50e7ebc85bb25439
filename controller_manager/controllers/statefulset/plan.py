"""Plan of a StatefulSet: which pods to create, to delete and to wait for; and its status. Pure.

OrderedReady: in the order of their numbers, each only when all before it are available; scaled down from the highest, one at a
time. Parallel: all at once. A pod that ended is deleted and made anew under its name. A rolling update goes from the highest
number down to the partition, never with more pods unavailable than maxUnavailable; below the partition the old revision stays,
and comes back where such a pod is lost.
https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#deployment-and-scaling-guarantees (KEP-961 maxUnavailable)
pkg/controller/statefulset/stateful_set_control.go
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from controller_manager.controllers.statefulset.identity import first_ordinal, ordinal_of, ordinals, revision_of
from controller_manager.pod_state import available, ready, terminal
from controller_manager.status_patch import without_empty
from kube.api import intstr
from kube.api.meta import Tree
from kube.api.types import Pod, StatefulSet
from kube.api.views import tree_of


@dataclass(frozen=True)
class Look:
    """A StatefulSet and its pods at one moment; `current` and `update` are names of revisions."""

    sts: StatefulSet
    pods: Sequence[Pod]
    current: str
    update: str
    now: datetime

    @property
    def by_ordinal(self) -> dict[int, Pod]:
        numbered = ((ordinal_of(self.sts, pod.metadata.name), pod) for pod in self.pods)
        return {ordinal: pod for ordinal, pod in numbered if ordinal is not None}

    @property
    def in_order(self) -> bool:
        return bool(self.sts.spec.podManagementPolicy != "Parallel")

    def works(self, pod: Pod) -> bool:
        """Running and ready for long enough."""
        seconds = self.sts.spec.minReadySeconds or 0
        return bool(pod.status.phase == "Running") and available(pod, seconds, self.now)


@dataclass
class Plan:
    create: list[tuple[int, str]] = field(default_factory=list)  # a number, and the name of the revision
    delete: list[Pod] = field(default_factory=list)
    ended: list[Pod] = field(default_factory=list)  # to delete, too: they come back

    def __bool__(self) -> bool:
        return bool(self.create or self.delete or self.ended)


def plan(look: Look) -> Plan:
    """The next steps; nothing while something must be waited for."""
    found = Plan()
    if look.sts.metadata.deletionTimestamp is not None:
        return found
    pods = look.by_ordinal
    waits = _wanted(look, pods, found)
    if look.in_order and (waits or found):
        return found
    condemned = [pod for ordinal, pod in sorted(pods.items(), reverse=True) if ordinal not in ordinals(look.sts)]
    if condemned and look.in_order:
        _shrink_in_order(look, pods, condemned, found)
        return found
    found.delete += [pod for pod in condemned if pod.metadata.deletionTimestamp is None]
    _roll(look, pods, found)
    return found


def revision_for(look: Look, ordinal: int) -> str:
    """Which revision a pod of this number is made of."""
    strategy = look.sts.spec.updateStrategy
    if strategy is None or strategy.type == "OnDelete":
        return look.update
    return look.current if ordinal < first_ordinal(look.sts) + _partition(look.sts) else look.update


def status(look: Look, collisions: int | None) -> Tree:
    standing = [pod for pod in look.pods if pod.metadata.deletionTimestamp is None]
    able = [pod for pod in look.pods if pod.status.phase == "Running" and ready(pod)]
    tree = {
        "observedGeneration": look.sts.metadata.generation,
        "replicas": len(look.pods),
        "readyReplicas": len(able),
        "availableReplicas": sum(look.works(pod) for pod in look.pods),
        "currentReplicas": sum(revision_of(pod) == look.current for pod in standing),
        "updatedReplicas": sum(revision_of(pod) == look.update for pod in standing),
        "currentRevision": look.current,
        "updateRevision": look.update,
        "collisionCount": collisions,
        "conditions": tree_of(look.sts.status.conditions or []),
    }
    if _rolled(look, tree):
        tree["currentRevision"], tree["currentReplicas"] = look.update, tree["updatedReplicas"]
    return without_empty(tree, always=("replicas", "availableReplicas"))


def _wanted(look: Look, pods: dict[int, Pod], found: Plan) -> bool:
    """Create what is missing, remove what has ended; whether a pod must be waited for."""
    waits = False
    for ordinal in ordinals(look.sts):
        pod = pods.get(ordinal)
        if pod is None:
            found.create.append((ordinal, revision_for(look, ordinal)))
        elif terminal(pod):
            waits = True
            if pod.metadata.deletionTimestamp is None:
                found.ended.append(pod)
        elif pod.metadata.deletionTimestamp is not None or not look.works(pod):
            waits = True
        if look.in_order and (waits or found):
            break
    return waits


def _shrink_in_order(look: Look, pods: dict[int, Pod], condemned: list[Pod], found: Plan) -> None:
    """The highest one; if that does not work, only where no lower one fails either."""
    highest = condemned[0]
    if highest.metadata.deletionTimestamp is not None:
        return
    failing = [pod for _, pod in sorted(pods.items()) if not look.works(pod) or pod.metadata.deletionTimestamp is not None]
    if look.works(highest) or failing[0] is highest:
        found.delete.append(highest)


def _roll(look: Look, pods: dict[int, Pod], found: Plan) -> None:
    """From the highest number down to the partition; old pods that do not work cost nothing."""
    strategy = look.sts.spec.updateStrategy
    if strategy is None or strategy.type == "OnDelete":
        return
    wanted = ordinals(look.sts)
    gone = {id(pod) for pod in found.ended}
    standing = {
        ordinal: pods[ordinal] for ordinal in wanted if ordinal in pods and pods[ordinal].metadata.deletionTimestamp is None
    }
    working = {ordinal for ordinal, pod in standing.items() if look.works(pod)}
    room = _max_unavailable(look.sts) - (len(wanted) - len(working))
    for ordinal in reversed(wanted[_partition(look.sts) :]):
        pod = standing.get(ordinal)
        if pod is None or id(pod) in gone or revision_of(pod) == look.update:
            continue
        if ordinal in working:
            if room <= 0:
                return
            room -= 1
        found.delete.append(pod)


def _rolled(look: Look, told: Tree) -> bool:
    """Whether a rolling update is at its end: every pod is of the new revision, and ready."""
    strategy = look.sts.spec.updateStrategy
    if strategy is None or strategy.type == "OnDelete":
        return False
    wanted = len(ordinals(look.sts))
    return bool(told["updatedReplicas"] == told["readyReplicas"] == told["replicas"] == wanted)


def _partition(sts: StatefulSet) -> int:
    rolling = sts.spec.updateStrategy.rollingUpdate if sts.spec.updateStrategy is not None else None
    return (rolling.partition or 0) if rolling is not None else 0


def _max_unavailable(sts: StatefulSet) -> int:
    """At least one: rounded down it could be none, and nothing would ever roll."""
    rolling = sts.spec.updateStrategy.rollingUpdate if sts.spec.updateStrategy is not None else None
    value = rolling.maxUnavailable if rolling is not None else None
    return max(intstr.resolve(1 if value is None else value, len(ordinals(sts)), round_up=False), 1)
