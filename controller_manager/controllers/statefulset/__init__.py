"""StatefulSet controller: numbered pods, each with its name and its claims, whatever happens to it.

`identity` knows what follows from a pod's number, `claims` keeps its storage, `plan` decides. Revisions of the template are
ControllerRevisions (`controller_manager.history`); a pod's label controller-revision-hash is the name of the one that it is of.
https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/ · pkg/controller/statefulset
"""

from collections.abc import Sequence
from typing import Any

from controller_manager.adoption import Adopter, claim, selector_of
from controller_manager.controller import Context, Controller
from controller_manager.controllers.statefulset.claims import Claims
from controller_manager.controllers.statefulset.identity import (
    identity_labels,
    lacks_identity,
    ordinal_of,
    ordinals,
    pod_for,
    revision_of,
)
from controller_manager.controllers.statefulset.plan import Look, Plan, plan, status
from controller_manager.history import History, current, hash_of
from controller_manager.pod_state import seconds_until_available
from controller_manager.slow_start import slow_start
from controller_manager.status_patch import status_patch
from kube.api.meta import Key, key_of
from kube.api.status import AlreadyExists, ApiError, NotFound
from kube.api.types import ControllerRevision, PersistentVolumeClaim, Pod, StatefulSet
from kube.client.rest import STRATEGIC, Unreachable

REVISION_LIMIT = 10
Revisions = dict[str, ControllerRevision]  # by name


class StatefulSetController(Controller[Key]):
    name = "statefulset-controller"
    reconciles = StatefulSet
    owns: tuple[type[Any], ...] = (Pod, ControllerRevision)
    adopts = True
    reads = (PersistentVolumeClaim,)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._claims = Claims(self.client, self.recorder, lambda: self.cache(PersistentVolumeClaim))

    @property
    def workers(self) -> int:
        return self.config.concurrent_statefulset_syncs

    async def reconcile(self, key: Key) -> float | None:
        sts = self.cache(StatefulSet).get(key)
        if sts is None or self.behind(sts):
            return None
        settled = self.expectations.satisfied(sts.metadata.uid)
        history = History(self.client, sts)
        revisions = await history.claimed(self.candidates(ControllerRevision, sts))
        newest = await self._newest(sts, history, revisions)
        by_name = {one.metadata.name: one for one in (*revisions, newest)}
        candidates = [pod for pod in self.candidates(Pod, sts) if ordinal_of(sts, pod.metadata.name) is not None]
        pods = await Adopter(self.client, sts).settle(claim(sts, selector_of(sts), candidates))
        before = sts.status.currentRevision if sts.status.currentRevision in by_name else newest.metadata.name
        look = Look(sts, pods, before or "", newest.metadata.name or "", self.clock.now())
        failure = await self._carry_out(look, plan(look), by_name) if settled else None
        await self.write_status(sts, status_patch(sts.status, status(look, sts.status.collisionCount)))
        if failure is not None:
            raise failure
        if settled:
            await self._prune(look, history, revisions)
        return seconds_until_available(pods, sts.spec.minReadySeconds or 0, look.now)

    async def _newest(self, sts: StatefulSet, history: History, revisions: list[ControllerRevision]) -> ControllerRevision:
        collisions = sts.status.collisionCount
        try:
            return await history.ensure(current(sts, revisions), collisions)
        except AlreadyExists:
            await self.write_status(sts, {"collisionCount": (collisions or 0) + 1})
            raise

    async def _prune(self, look: Look, history: History, revisions: list[ControllerRevision]) -> None:
        limit = look.sts.spec.revisionHistoryLimit
        names = {look.current, look.update, *(revision_of(pod) for pod in look.pods)}
        in_use = {hash_of(one) for one in revisions if one.metadata.name in names}
        await history.prune(revisions, in_use, REVISION_LIMIT if limit is None else limit)

    # --- doing -------------------------------------------------------------------------------------------------------

    async def _carry_out(self, look: Look, planned: Plan, revisions: Revisions) -> ApiError | Unreachable | None:
        """The first failure."""
        sts = look.sts
        if sts.metadata.deletionTimestamp is not None:
            return None
        try:
            await self._keep_up(sts, look.pods)
            for pod in planned.ended:
                self._tell_of_ended(sts, pod)
            for pod in (*planned.ended, *planned.delete):
                await self._delete(sts, pod)
        except (ApiError, Unreachable) as error:
            return error

        async def create(wanted: tuple[int, str]) -> None:
            await self._create(sts, wanted[0], revisions[wanted[1]])

        _, failure = await slow_start(planned.create, create)
        return failure

    async def _keep_up(self, sts: StatefulSet, pods: Sequence[Pod]) -> None:
        """What the pods that are there should have by their numbers: labels, claims, owners of claims."""
        await self._claims.keep(sts, pods)
        for pod in pods:
            ordinal = ordinal_of(sts, pod.metadata.name)
            if ordinal is None or pod.metadata.deletionTimestamp is not None:
                continue
            if pod.status.phase == "Pending" and ordinal in ordinals(sts) and self._claims.missing(sts, ordinal):
                await self._claims.ensure(sts, ordinal)
            if lacks_identity(sts, pod):
                metadata = {"labels": identity_labels(pod.metadata.name, ordinal), "uid": pod.metadata.uid}
                await self.client.patch(Pod, key_of(pod), {"metadata": metadata}, type=STRATEGIC)
                self._tell(sts, "update", pod.metadata.name)

    async def _create(self, sts: StatefulSet, ordinal: int, revision: ControllerRevision) -> None:
        tree, uid = pod_for(sts, ordinal, revision), sts.metadata.uid
        name = tree["metadata"]["name"]
        self.expectations.expect_creations(uid, 1)
        try:
            await self._claims.ensure(sts, ordinal)
            await self.client.create(Pod, tree)
        except (ApiError, Unreachable) as error:
            self.expectations.created(uid)
            self._tell(sts, "create", name, error)
            raise
        self._tell(sts, "create", name)

    async def _delete(self, sts: StatefulSet, pod: Pod) -> None:
        uid = sts.metadata.uid
        self.expectations.expect_deletions(uid, (pod.metadata.uid,))
        try:
            await self.client.delete(Pod, key_of(pod), uid=pod.metadata.uid)
        except NotFound:
            self.expectations.deleted(uid, pod.metadata.uid)
        except (ApiError, Unreachable) as error:
            self.expectations.deleted(uid, pod.metadata.uid)
            self._tell(sts, "delete", pod.metadata.name, error)
            raise
        else:
            self._tell(sts, "delete", pod.metadata.name)

    def _tell(self, sts: StatefulSet, verb: str, pod: str, error: Exception | None = None) -> None:
        what = f"{verb} Pod {pod} in StatefulSet {sts.metadata.name}"
        if error is None:
            self.recorder.event(sts, "Normal", f"Successful{verb.title()}", f"{what} successful")
        else:
            self.recorder.event(sts, "Warning", f"Failed{verb.title()}", f"{what} failed error: {error}")

    def _tell_of_ended(self, sts: StatefulSet, pod: Pod) -> None:
        failed = pod.status.phase == "Failed"
        kind, reason = ("Warning", "RecreatingFailedPod") if failed else ("Normal", "RecreatingTerminatedPod")
        verb = "failed" if failed else "terminated"
        text = f"StatefulSet {sts.metadata.namespace}/{sts.metadata.name} is recreating {verb} Pod {pod.metadata.name}"
        self.recorder.event(sts, kind, reason, text)
