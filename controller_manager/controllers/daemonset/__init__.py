"""DaemonSet controller: one pod on every node that fits.

`placement` knows which nodes fit and what the pod looks like, `plan` what to create and delete. Revisions of the template are
ControllerRevisions (`controller_manager.history`); a pod's label controller-revision-hash tells which one it is of.
https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/ · pkg/controller/daemon/daemon_controller.go
"""

from collections import defaultdict
from typing import Any

from controller_manager.adoption import Adopter, claim, selector_of
from controller_manager.controller import Context, Controller, Watch
from controller_manager.controllers.daemonset.placement import fit, node_of, pod_for
from controller_manager.controllers.daemonset.plan import Look, Plan, placing, rolling, status
from controller_manager.history import HASH_LABEL, History, current, hash_of
from controller_manager.pod_control import PodControl
from controller_manager.pod_state import seconds_until_available
from controller_manager.status_patch import status_patch
from kube.api.meta import Key, key_of
from kube.api.status import AlreadyExists
from kube.api.types import ControllerRevision, DaemonSet, Node, Pod

FIRST_BACKOFF_SECONDS, LONGEST_BACKOFF_SECONDS = 1.0, 900.0
REVISION_LIMIT = 10


class DaemonSetController(Controller[Key]):
    name = "daemonset-controller"
    reconciles = DaemonSet
    owns: tuple[type[Any], ...] = (Pod, ControllerRevision)
    adopts = True
    reads = (Node,)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._pods = PodControl(self.client, self.recorder, self.expectations)
        self._backoff = Backoff()

    @property
    def workers(self) -> int:
        return self.config.concurrent_daemonset_syncs

    def extra(self) -> tuple[Watch, ...]:
        return (Watch(Node, lambda _: [key_of(ds) for ds in self.cache(DaemonSet).list()]),)

    async def reconcile(self, key: Key) -> float | None:
        ds = self.cache(DaemonSet).get(key)
        if ds is None or self.behind(ds) or ds.metadata.deletionTimestamp is not None:
            return None
        if selector_of(ds).empty:
            message = "This daemon set is selecting all pods. A non-empty selector is required."
            self.recorder.event(ds, "Warning", "SelectingAll", message)
            return None
        settled = self.expectations.satisfied(ds.metadata.uid)
        history = History(self.client, ds)
        revisions = await history.claimed(self.candidates(ControllerRevision, ds))
        digest = await self._digest(ds, history, revisions)
        pods = await Adopter(self.client, ds).settle(claim(ds, selector_of(ds), self.candidates(Pod, ds)))
        look = self._look(ds, pods, digest)
        failure, wait = (None, None) if not settled else await self._carry_out(look)
        if settled and failure is None:
            limit = ds.spec.revisionHistoryLimit if ds.spec.revisionHistoryLimit is not None else REVISION_LIMIT
            in_use = {(pod.metadata.labels or {}).get(HASH_LABEL, "") for pod in pods} | {digest}
            await history.prune(revisions, in_use, limit)
        await self.write_status(ds, status_patch(ds.status, status(look, ds.status.collisionCount)))
        if failure is not None:
            raise failure
        later = seconds_until_available(pods, ds.spec.minReadySeconds or 0, look.now)
        return min((one for one in (wait, later) if one is not None), default=None)

    async def _digest(self, ds: DaemonSet, history: History, revisions: list[ControllerRevision]) -> str:
        collisions = ds.status.collisionCount
        try:
            return hash_of(await history.ensure(current(ds, revisions), collisions))
        except AlreadyExists:
            await self.write_status(ds, {"collisionCount": (collisions or 0) + 1})
            raise

    def _look(self, ds: DaemonSet, pods: list[Pod], digest: str) -> Look:
        by_node: dict[str, list[Pod]] = defaultdict(list)
        for pod in pods:
            by_node[node_of(pod)].append(pod)
        fits = {node.metadata.name: fit(ds, node) for node in self.cache(Node)}
        return Look(ds, fits, by_node, digest, self.clock.now())

    async def _carry_out(self, look: Look) -> tuple[Exception | None, float | None]:
        """Place; and once all are placed, go on with an update. The first failure, and how long an ended pod must wait."""
        ds = look.ds
        planned = placing(look)
        ended, wait = self._due(look, planned)
        planned.delete += ended
        if not planned.create and not planned.delete:
            planned = rolling(look)
        failure: Exception | None = None
        if planned.delete:
            failure = await self._pods.delete(ds, planned.delete)
        if planned.create and failure is None:
            failure = await self._pods.create(ds, [pod_for(ds, node, look.digest) for node in planned.create])
        return failure, wait

    def _due(self, look: Look, planned: Plan) -> tuple[list[Pod], float | None]:
        """The ended pods whose back-off is over, with their events; and how long the next of the others must wait."""
        due, waits = [], []
        for pod in planned.ended:
            node, verb = node_of(pod), pod.status.phase.lower()
            wait = self._backoff.wait(look.ds.metadata.uid, node, self.clock.monotonic())
            if wait > 0:
                waits.append(wait)
                continue
            kind, reason = ("Warning", "FailedDaemonPod") if verb == "failed" else ("Normal", "SucceededDaemonPod")
            what = "will try to kill it" if verb == "failed" else "will try to delete it"
            message = f"Found {verb} daemon pod {pod.metadata.namespace}/{pod.metadata.name} on node {node}, {what}"
            self.recorder.event(look.ds, kind, reason, message)
            due.append(pod)
        return due, min(waits, default=None)


class Backoff:
    """How long an ended pod stays before its successor is started; by DaemonSet and node, doubling from 1 s to 15 min."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], tuple[float, float]] = {}  # when it was granted, and the pause after that

    def wait(self, uid: str, node: str, now: float) -> float:
        """Seconds to wait; 0 grants it, and makes the next pause longer. A pause of twice the longest forgets all."""
        granted, pause = self._last.get((uid, node), (now - 2 * LONGEST_BACKOFF_SECONDS, 0.0))
        left = granted + pause - now
        if left > 0:
            return left
        calm = now - granted >= 2 * LONGEST_BACKOFF_SECONDS
        self._last[uid, node] = (now, FIRST_BACKOFF_SECONDS if calm else min(pause * 2, LONGEST_BACKOFF_SECONDS))
        return 0.0
