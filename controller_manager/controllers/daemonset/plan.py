"""Plan of a DaemonSet: which daemon pods to create and delete, and its status. Pure.

One pod a node that fits. A rolling update replaces old pods: those that do not work at once, working ones as far as
maxUnavailable leaves room; or, with maxSurge, it starts the new pod beside the old one and removes that when the new one works.
https://kubernetes.io/docs/tasks/manage-daemon/update-daemon-set/ · pkg/controller/daemon/{daemon_controller,update}.go
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from controller_manager.controllers.daemonset.placement import Fit
from controller_manager.history import HASH_LABEL
from controller_manager.pod_state import available, ready
from controller_manager.status_patch import without_empty
from kube.api import intstr
from kube.api.meta import Tree
from kube.api.types import DaemonSet, Pod


@dataclass(frozen=True)
class Look:
    """A DaemonSet, every node's fit, and its pods by node, at one moment. `digest` names the current revision."""

    ds: DaemonSet
    fits: Mapping[str, Fit]
    pods: Mapping[str, Sequence[Pod]]
    digest: str
    now: datetime

    @property
    def desired(self) -> int:
        return sum(fit.start for fit in self.fits.values())

    def available(self, pod: Pod) -> bool:
        return available(pod, self.ds.spec.minReadySeconds or 0, self.now)

    def new(self, pod: Pod) -> bool:
        return bool((pod.metadata.labels or {}).get(HASH_LABEL) == self.digest)


@dataclass
class Plan:
    create: list[str] = field(default_factory=list)  # nodes
    delete: list[Pod] = field(default_factory=list)
    ended: list[Pod] = field(default_factory=list)  # to delete, too, but not faster than a back-off allows


def surge(ds: DaemonSet, desired: int) -> int:
    rolling = ds.spec.updateStrategy.rollingUpdate if _rolls(ds) else None
    value = rolling.maxSurge if rolling is not None else None
    return intstr.resolve(value, desired, round_up=True) if value is not None else 0


def unavailable(ds: DaemonSet, desired: int) -> int:
    rolling = ds.spec.updateStrategy.rollingUpdate if _rolls(ds) else None
    value = rolling.maxUnavailable if rolling is not None else None
    return intstr.resolve(1 if value is None else value, desired, round_up=True)


def placing(look: Look) -> Plan:
    """Bring one pod to every node that fits, and take them from the others."""
    found = Plan()
    surging = surge(look.ds, look.desired) > 0
    for node, fit in look.fits.items():
        pods = look.pods.get(node, ())
        if fit.start and not pods:
            found.create.append(node)
        elif fit.stay:
            _tidy(look, pods, found, surging=surging)
        else:
            found.delete += [pod for pod in pods if _stands(pod)]
    for node, pods in look.pods.items():  # pods for nodes that are no more; the pod garbage collector has the bound ones
        if node not in look.fits:
            found.delete += [pod for pod in pods if not pod.spec.nodeName and _stands(pod)]
    return found


def rolling(look: Look) -> Plan:
    """The next step of a rolling update; nothing, where the strategy is OnDelete."""
    if not _rolls(look.ds):
        return Plan()
    limit = surge(look.ds, look.desired)
    return _surging(look, limit) if limit else _replacing(look)


def status(look: Look, collisions: int | None) -> Tree:
    current = ready_pods = able = misplaced = updated = 0
    for node, fit in look.fits.items():
        pods = look.pods.get(node, ())
        if not fit.start:
            misplaced += bool(pods)
            continue
        current += bool(pods)
        best = sorted(pods, key=lambda pod: (pod.metadata.deletionTimestamp is not None, not ready(pod)))[:1]
        ready_pods += any(ready(pod) for pod in best)
        able += any(look.available(pod) for pod in best)
        updated += any(look.new(pod) for pod in best)
    tree = {
        "currentNumberScheduled": current,
        "numberMisscheduled": misplaced,
        "desiredNumberScheduled": look.desired,
        "numberReady": ready_pods,
        "updatedNumberScheduled": updated,
        "numberAvailable": able,
        "numberUnavailable": look.desired - able,
        "observedGeneration": look.ds.metadata.generation,
        "collisionCount": collisions,
    }
    always = ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady")
    return without_empty(tree, always=always)


def _tidy(look: Look, pods: Sequence[Pod], found: Plan, *, surging: bool) -> None:
    """Ended pods go, to be replaced; of several the oldest stays (amid a surge: of the old ones and of the new ones)."""
    running = []
    for pod in pods:
        if not _stands(pod):
            continue
        if pod.status.phase in ("Failed", "Succeeded"):
            found.ended.append(pod)
        else:
            running.append(pod)
    running.sort(key=lambda pod: pod.metadata.creationTimestamp)
    groups = [[pod for pod in running if look.new(pod)], [pod for pod in running if not look.new(pod)]] if surging else [running]
    for group in groups:
        found.delete += group[1:]


def _replacing(look: Look) -> Plan:
    down, broken, working = 0, [], []
    for node, fit in look.fits.items():
        if not fit.start:
            continue
        new, old, clear = _one_of_each(look, look.pods.get(node, ()))
        if not clear or (new is None and old is None):
            down += 1
        elif new is not None:
            down += not look.available(new)
        elif not look.available(old):
            broken.append(old)
            down += 1
        else:
            working.append(old)
    room = max(unavailable(look.ds, look.desired) - down, 0)
    return Plan(delete=[pod for pod in broken + working[:room] if pod is not None])


def _surging(look: Look, limit: int) -> Plan:
    surged = 0
    broken: list[str] = []
    working: list[str] = []
    done: list[Pod] = []
    for node, fit in look.fits.items():
        new, old, clear = _one_of_each(look, look.pods.get(node, ()))
        if not clear:
            surged += 1
        elif old is None or not fit.start:
            continue
        elif new is None:
            (working if look.available(old) else broken).append(node)
        else:
            surged += 1
            if look.available(new):
                done.append(old)
    return Plan(create=broken + working[: max(limit - surged, 0)], delete=done)


def _one_of_each(look: Look, pods: Sequence[Pod]) -> tuple[Pod | None, Pod | None, bool]:
    """The standing pod of the new revision and that of an old one; False where there are several of a sort."""
    standing = [pod for pod in pods if _stands(pod)]
    new = [pod for pod in standing if look.new(pod)]
    old = [pod for pod in standing if not look.new(pod)]
    return (new or [None])[0], (old or [None])[0], len(new) <= 1 and len(old) <= 1


def _stands(pod: Pod) -> bool:
    return pod.metadata.deletionTimestamp is None


def _rolls(ds: DaemonSet) -> bool:
    return ds.spec.updateStrategy is not None and ds.spec.updateStrategy.type != "OnDelete"
