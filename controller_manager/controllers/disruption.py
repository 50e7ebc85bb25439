"""Disruption controller: how many of a budget's pods may be evicted just now, written into its status.

Healthy pods beyond what the budget demands may go. What it demands in per cent, or as maxUnavailable, is measured by what the
pods' controllers want to have. Pods that the API server already agreed to evict are counted out until they are gone, for two
minutes at most.
https://kubernetes.io/docs/concepts/workloads/pods/disruptions/ (KEP-85) · kubernetes pkg/controller/disruption
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from controller_manager.conditions import condition, trees, with_condition
from controller_manager.controller import Controller, Watch
from controller_manager.pod_state import ready
from kube.api import intstr, labels
from kube.api.meta import Key, Tree, controller_of, key_of
from kube.api.types import (
    Deployment,
    Pod,
    PodDisruptionBudget,
    ReplicaSet,
    ReplicationController,
    StatefulSet,
)
from kube.api.views import timestamp, tree_of

DELETION = timedelta(minutes=2)  # until a pod that was to be evicted and is still there counts again
KINDS: dict[str, type[Any]] = {
    "ReplicationController": ReplicationController, "ReplicaSet": ReplicaSet, "StatefulSet": StatefulSet, "Deployment": Deployment,
}  # fmt: skip


class UnknownScale(Exception):
    """Nobody says how many pods there should be."""


class Counts(NamedTuple):
    expected: int
    desired: int
    healthy: int

    @property
    def allowed(self) -> int:
        return max(self.healthy - self.desired, 0) if self.expected > 0 else 0


class DisruptionController(Controller[Key]):
    name = "disruption-controller"
    component = "controllermanager"
    reconciles = PodDisruptionBudget
    reads = tuple(KINDS.values())

    def extra(self) -> tuple[Watch, ...]:
        return (Watch(Pod, self._budgets_of), *(Watch(kind, self._budgets_around) for kind in KINDS.values()))

    def _budgets_of(self, pod: Pod) -> list[Key]:
        budgets = self.cache(PodDisruptionBudget).list(pod.metadata.namespace or "")
        return [key_of(one) for one in budgets if _selector(one).matches(pod.metadata.labels)]

    def _budgets_around(self, workload: Any) -> list[Key]:
        """A workload was scaled, perhaps."""
        return [key_of(one) for one in self.cache(PodDisruptionBudget).list(workload.metadata.namespace or "")]

    async def reconcile(self, key: Key) -> float | None:
        budget = self.cache(PodDisruptionBudget).get(key)
        if budget is None or self.behind(budget):
            return None
        now = self.clock.now()
        pods = self.cache(Pod).select(key.namespace, _selector(budget))
        going = still_going(budget, pods, now)
        try:
            counts = count(budget, pods, going, self._scale)
        except UnknownScale as error:
            text = f"Failed to calculate the number of expected pods: {error}"
            self.recorder.event(budget, "Warning", "CalculateExpectedPodCountFailed", text)
            await self.write_status(budget, _changes(budget, failed(budget, str(error), now)))
            return None
        await self.write_status(budget, _changes(budget, status_of(budget, counts, going, now)))
        ends = [_moment(when) + DELETION - now for when in going.values()]
        return max(min(ends).total_seconds(), 0.1) if ends else None

    def _scale(self, pod: Pod) -> tuple[str, int]:
        """Who keeps the pod's number, and which it is. Raises UnknownScale."""
        namespace, name = pod.metadata.namespace or "", pod.metadata.name
        reference = controller_of(pod.metadata)
        if reference is None:
            raise UnknownScale(f'found no controller ref for pod "{name}"')
        found = self._workload(namespace, reference)
        above = controller_of(found.metadata) if isinstance(found, ReplicaSet) else None
        if above is not None and above.kind == "Deployment":
            found = self._workload(namespace, above) or found
        if found is None:
            raise UnknownScale(f'found no controllers for pod "{name}"')
        replicas = found.spec.replicas if found.spec is not None else None
        return found.metadata.uid or "", 1 if replicas is None else replicas

    def _workload(self, namespace: str, reference: Any) -> Any:
        kind = KINDS.get(reference.kind)
        found = self.cache(kind).get(Key(namespace, reference.name)) if kind is not None else None
        return found if found is not None and found.metadata.uid == reference.uid else None


def _selector(budget: PodDisruptionBudget) -> labels.Selector:
    return labels.from_label_selector(budget.spec.selector)


def count(budget: PodDisruptionBudget, pods: list[Pod], going: Tree, scale: Any) -> Counts:
    """What is, and what must be. Raises UnknownScale where the workloads must be asked and are not there."""
    spec = budget.spec
    if spec.maxUnavailable is not None:
        expected = sum(dict(map(scale, pods)).values())
        desired = max(expected - intstr.resolve(spec.maxUnavailable, expected, round_up=True), 0)
    elif isinstance(spec.minAvailable, str):
        expected = sum(dict(map(scale, pods)).values())
        desired = intstr.resolve(spec.minAvailable, expected, round_up=True)
    else:
        expected, desired = len(pods), spec.minAvailable if spec.minAvailable is not None else 1
    healthy = [pod for pod in pods if not pod.metadata.deletionTimestamp and pod.metadata.name not in going and ready(pod)]
    return Counts(expected, desired, len(healthy))


def still_going(budget: PodDisruptionBudget, pods: Iterable[Pod], now: datetime) -> Tree:
    """The pods that were agreed to be evicted and are not gone: name -> when. Pure."""
    told = (budget.status.disruptedPods if budget.status is not None else None) or {}
    there = {pod.metadata.name for pod in pods if not pod.metadata.deletionTimestamp}
    return {name: when for name, when in told.items() if name in there and _moment(when) + DELETION > now}


def status_of(budget: PodDisruptionBudget, counts: Counts, going: Tree, now: datetime) -> Tree:
    """Pure."""
    enough = counts.allowed > 0
    return {
        "observedGeneration": budget.metadata.generation,
        "expectedPods": counts.expected,
        "desiredHealthy": counts.desired,
        "currentHealthy": counts.healthy,
        "disruptionsAllowed": counts.allowed,
        "disruptedPods": {name: _text(when) for name, when in going.items()},
        "conditions": _conditions(budget, enough, "SufficientPods" if enough else "InsufficientPods", "", now),
    }


def failed(budget: PodDisruptionBudget, why: str, now: datetime) -> Tree:
    """No disruption is allowed while nobody knows. Pure."""
    conditions = _conditions(budget, False, "SyncFailed", why, now)
    return {"disruptionsAllowed": 0, "observedGeneration": budget.metadata.generation, "conditions": conditions}


def _conditions(budget: PodDisruptionBudget, true: bool, reason: str, message: str, now: datetime) -> list[Tree]:
    fresh = condition("DisruptionAllowed", "True" if true else "False", reason, message, now)
    fresh["observedGeneration"] = budget.metadata.generation
    return with_condition(trees(budget.status.conditions if budget.status is not None else None), fresh)


def _changes(budget: PodDisruptionBudget, wanted: Tree) -> Tree:
    """A merge patch from the status that is to the one wanted; empty where they are the same."""
    have = tree_of(budget.status) if budget.status is not None else {}
    patch = {name: value for name, value in wanted.items() if have.get(name, _EMPTY.get(name)) != value}
    if "disruptedPods" in patch:
        patch["disruptedPods"] = {**dict.fromkeys(have.get("disruptedPods") or {}), **wanted["disruptedPods"]}
    return patch


_EMPTY: Tree = {"disruptedPods": {}}


def _moment(value: object) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))


def _text(value: object) -> str:
    return timestamp(value) if isinstance(value, datetime) else str(value)
