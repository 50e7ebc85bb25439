"""ReplicaSet controller: as many live pods as spec.replicas asks for; the same code serves ReplicationControllers.

Only active pods count: not ended, not being deleted. Matching orphans are adopted, pods that no longer match are let go. Of too
many pods the least useful go first: not scheduled, not running, not ready, cheap to delete, crowded on their node, young.
https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/ · pkg/controller/replicaset/replica_set.go
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from controller_manager.adoption import Adopter, claim, selector_of
from controller_manager.conditions import condition, trees, with_condition, without
from controller_manager.controller import Context, Controller
from controller_manager.pod_control import BURST, PodControl, pod_from_template
from controller_manager.pod_state import active, available, ready, ready_since, restarts, seconds_until_available, terminating
from controller_manager.status_patch import status_patch, without_empty
from kube.api.meta import Key, Tree, controller_of
from kube.api.types import Pod, ReplicaSet, ReplicationController

DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


@dataclass(frozen=True)
class Plan:
    create: int
    delete: list[Pod]


class ReplicaSetController(Controller[Key]):
    name = "replicaset-controller"
    reconciles: type[Any] = ReplicaSet
    owns = (Pod,)
    adopts = True
    counts_terminating = True  # KEP-3973; the older kind has no field for it

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._pods = PodControl(self.client, self.recorder, self.expectations)

    @property
    def workers(self) -> int:
        return self.config.concurrent_replicaset_syncs

    async def reconcile(self, key: Key) -> float | None:
        rs: Any = self.cache(self.reconciles).get(key)
        if rs is None or self.behind(rs):
            return None
        settled = self.expectations.satisfied(rs.metadata.uid)
        selector = selector_of(rs)
        candidates = [pod for pod in self.candidates(Pod, rs) if active(pod)]
        pods = await Adopter(self.client, rs).settle(claim(rs, selector, candidates))
        failure, reason = None, ""
        if settled and rs.metadata.deletionTimestamp is None:
            planned = plan(rs, pods, self._related(rs), self.clock.now())
            reason = "FailedCreate" if planned.create else "FailedDelete"
            failure = await self._carry_out(rs, planned)
        now = self.clock.now()
        wanted = status(rs, pods, now, (reason, str(failure)) if failure is not None else None)
        if self.counts_terminating:
            owned = self.cache(Pod).owned_by(rs.metadata.uid)
            wanted["terminatingReplicas"] = sum(terminating(pod) and selector.matches(pod.metadata.labels) for pod in owned)
        await self.write_status(rs, status_patch(rs.status, wanted))
        if failure is not None:
            raise failure
        return seconds_until_available(pods, rs.spec.minReadySeconds or 0, now)

    async def _carry_out(self, rs: Any, planned: Plan) -> Any:
        if planned.create:
            return await self._pods.create(rs, [pod_from_template(rs, rs.spec.template) for _ in range(planned.create)])
        return await self._pods.delete(rs, planned.delete)

    def _related(self, rs: Any) -> list[Pod]:
        """The pods of all sets that have the same owner: those that a deployment counts as one crowd."""
        owner = controller_of(rs.metadata)
        siblings = self.cache(self.reconciles).owned_by(owner.uid) if owner is not None else [rs]
        return [pod for sibling in siblings for pod in self.cache(Pod).owned_by(sibling.metadata.uid)]


class ReplicationControllerController(ReplicaSetController):
    name = "replicationcontroller-controller"
    component = "replication-controller"
    reconciles = ReplicationController
    counts_terminating = False

    @property
    def workers(self) -> int:
        return self.config.concurrent_rc_syncs


def plan(rs: Any, pods: Sequence[Pod], related: Iterable[Pod], now: datetime) -> Plan:
    """How many pods to create, or which ones to delete. `pods` are the active ones; `related` tells how crowded a node is."""
    surplus = len(pods) - _replicas(rs)
    if surplus <= 0:
        return Plan(min(-surplus, BURST), [])
    return Plan(0, in_order_of_deletion(pods, related, now)[: min(surplus, BURST)])


def status(rs: Any, pods: Sequence[Pod], now: datetime, failure: tuple[str, str] | None) -> Tree:
    """The status for these active pods; `failure` is (reason, message) of what could not be done."""
    seconds = rs.spec.minReadySeconds or 0
    template = rs.spec.template.metadata if rs.spec.template is not None else None
    wanted = dict(template.labels or {}) if template is not None else {}
    conditions = trees(rs.status.conditions)
    if failure is not None:
        conditions = with_condition(conditions, condition("ReplicaFailure", "True", failure[0], failure[1], now))
    else:
        conditions = without(conditions, "ReplicaFailure")
    counts = {
        "replicas": len(pods),
        "fullyLabeledReplicas": sum(wanted.items() <= (pod.metadata.labels or {}).items() for pod in pods),
        "readyReplicas": sum(map(ready, pods)),
        "availableReplicas": sum(available(pod, seconds, now) for pod in pods),
        "observedGeneration": rs.metadata.generation or 0,
        "conditions": conditions,
    }
    return without_empty(counts, always=("replicas",))


def in_order_of_deletion(pods: Iterable[Pod], related: Iterable[Pod], now: datetime) -> list[Pod]:
    """The least useful first (ActivePodsWithRanks)."""
    crowd = Counter(pod.spec.nodeName for pod in related if active(pod))

    def usefulness(pod: Pod) -> tuple[Any, ...]:
        since = ready_since(pod)
        return (
            bool(pod.spec.nodeName),
            _PHASES.get(pod.status.phase or "", 1),
            ready(pod),
            _deletion_cost(pod),
            -crowd[pod.spec.nodeName],
            _age_class(since, now) if ready(pod) else 0,
            -restarts(pod),
            _age_class(pod.metadata.creationTimestamp, now),
            pod.metadata.uid,
        )

    return sorted(pods, key=usefulness)


def _age_class(moment: datetime | None, now: datetime) -> int:
    """Ages by powers of two of nanoseconds (KEP-2185): within a class the choice is as good as random. Unknown is young."""
    if moment is None:
        return -2
    nanoseconds = (now - moment).total_seconds() * 1e9
    return math.floor(math.log2(nanoseconds)) if nanoseconds >= 1 else -1


def _deletion_cost(pod: Pod) -> int:
    text = (pod.metadata.annotations or {}).get(DELETION_COST, "0")
    try:
        return int(text)
    except ValueError:
        return 0  # upstream: an invalid cost counts as none


def _replicas(rs: Any) -> int:
    return rs.spec.replicas if rs.spec.replicas is not None else 1
