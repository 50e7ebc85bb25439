"""Deployment controller: replaces pods of one template by pods of the next, by way of ReplicaSets.

Each turn does one step and leaves the rest to the turn that the step's own events bring: `plan` decides, `_carry_out` does.
Sets are scaled with the resourceVersion that was looked at, so that a step never builds on a stale cache.
`revision` knows which set is of which template, `rolling` has the sizes, `progress` the status.
https://kubernetes.io/docs/concepts/workloads/controllers/deployment/ · pkg/controller/deployment
"""

from dataclasses import dataclass, field
from datetime import datetime

from controller_manager.adoption import Adopter, claim, selector_of
from controller_manager.conditions import Conditions, find, trees, with_condition
from controller_manager.controller import Controller, Watch
from controller_manager.controllers.deployment import progress, revision, rolling
from controller_manager.controllers.deployment.revision import Sets
from controller_manager.pod_state import terminal
from controller_manager.status_patch import status_patch
from kube.api.meta import Key, Tree, controlled_by, controller_of, key_of
from kube.api.status import AlreadyExists, ApiError
from kube.api.types import Deployment, Pod, ReplicaSet
from kube.api.views import tree_of, view


@dataclass(frozen=True)
class Plan:
    """One step."""

    create: Tree | None = None
    sizes: dict[str, int] = field(default_factory=dict)  # replicas by the name of the set
    annotations: dict[str, str] = field(default_factory=dict)  # that the new set lacks
    min_ready_seconds: int | None = None  # that the new set lacks
    delete: list[ReplicaSet] = field(default_factory=list)
    revision: str = ""  # that the deployment lacks
    found: Tree | None = None  # a Progressing condition that this step is the reason for


class DeploymentController(Controller[Key]):
    name = "deployment-controller"
    reconciles = Deployment
    owns = (ReplicaSet,)
    adopts = True
    reads = (Pod,)

    @property
    def workers(self) -> int:
        return self.config.concurrent_deployment_syncs

    def extra(self) -> tuple[Watch, ...]:
        return (Watch(Pod, self._waiting_for),)

    async def reconcile(self, key: Key) -> float | None:
        deployment = self.cache(Deployment).get(key)
        if deployment is None or self.behind(deployment):
            return None
        selector = selector_of(deployment)
        if selector.empty:
            message = "This deployment is selecting all pods. A non-empty selector is required."
            self.recorder.event(deployment, "Warning", "SelectingAll", message)
            return None
        claimed = claim(deployment, selector, self.candidates(ReplicaSet, deployment))
        sets = revision.sort_out(deployment, await Adopter(self.client, deployment).settle(claimed))
        now = self.clock.now()
        conditions = progress.pause(deployment, trees(deployment.status.conditions), now)
        count = progress.counts
        if deployment.metadata.deletionTimestamp is None:
            planned = plan(deployment, sets, self._old_pods_run(sets), conditions, now)
            if not deployment.spec.paused and not rolling.was_scaled(deployment, sets):
                count = progress.rollout
            sets = await self._carry_out(deployment, sets, planned)
            if planned.found is not None:
                conditions = with_condition(conditions, planned.found)
        wanted = count(deployment, sets, conditions, now)
        await self.write_status(deployment, status_patch(deployment.status, wanted))
        return progress.seconds_until_deadline(deployment, wanted, now)

    async def _carry_out(self, deployment: Deployment, sets: Sets, planned: Plan) -> Sets:
        """The sets as they are afterwards."""
        if planned.create is not None:
            return Sets(await self._create(deployment, planned.create), sets.old)
        old = [await self._change(deployment, one, planned.sizes.get(one.metadata.name), {}, None) for one in sets.old]
        new = sets.new
        if new is not None:
            size = planned.sizes.get(new.metadata.name)
            new = await self._change(deployment, new, size, planned.annotations, planned.min_ready_seconds)
        if planned.revision:
            # Beside the status: an annotation there asks for nothing new, and the generation stays.
            told = {"metadata": {"annotations": {revision.REVISION: planned.revision}}}
            await self.client.patch(Deployment, key_of(deployment), told, subresource="status")
        for one in planned.delete:
            await self.client.delete(ReplicaSet, key_of(one), uid=one.metadata.uid)
        return Sets(new, old)

    async def _create(self, deployment: Deployment, tree: Tree) -> ReplicaSet:
        name = tree["metadata"]["name"]
        try:
            made = view(ReplicaSet, await self.client.create(ReplicaSet, tree))
        except AlreadyExists:
            return await self._same_or_collision(deployment, tree)
        except ApiError as error:
            message = f'Failed to create new replica set "{name}": {error}'
            self.recorder.event(deployment, "Warning", "ReplicaSetCreateError", message)
            known = trees(deployment.status.conditions)
            failed = progress.progressing("ReplicaSetCreateError", message, self.clock.now(), "False")
            await self.write_status(deployment, {"conditions": with_condition(known, failed)})
            raise
        if made.spec.replicas:
            self._tell_scaled(deployment, name, 0, made.spec.replicas)
        return made

    async def _same_or_collision(self, deployment: Deployment, tree: Tree) -> ReplicaSet:
        """The set of that name, where it is ours and of this template; else another name is tried next."""
        there = await self.client.get(ReplicaSet, tree["metadata"]["namespace"], tree["metadata"]["name"])
        ours = controlled_by(there.metadata, deployment.metadata.uid)
        if ours and revision.sort_out(deployment, [there]).new is not None:
            return there
        collisions = (deployment.status.collisionCount or 0) + 1
        await self.write_status(deployment, {"collisionCount": collisions})
        raise AlreadyExists(f'replicasets.apps "{there.metadata.name}" already exists and is of another template')

    async def _change(
        self, deployment: Deployment, rs: ReplicaSet, size: int | None, annotations: dict[str, str], seconds: int | None
    ) -> ReplicaSet:
        """Bring a set to a size and to annotations; nothing is sent where it has them."""
        spec: Tree = {} if seconds is None else {"minReadySeconds": seconds}
        if size is not None:
            annotations = {**annotations, **revision.size_annotations(deployment, rolling.most(deployment))}
            if size != rs.spec.replicas:
                spec["replicas"] = size
        missing = annotations.items() - (rs.metadata.annotations or {}).items()
        if not spec and not missing:
            return rs
        metadata = {"resourceVersion": rs.metadata.resourceVersion, "annotations": dict(missing)}
        changed = await self.client.patch(ReplicaSet, key_of(rs), {"metadata": metadata, "spec": spec})
        if "replicas" in spec:
            self._tell_scaled(deployment, rs.metadata.name, rs.spec.replicas, size)
        return view(ReplicaSet, changed)

    def _tell_scaled(self, deployment: Deployment, name: str, before: int, after: int) -> None:
        direction = "up" if after > before else "down"
        message = f"Scaled {direction} replica set {name} from {before} to {after}"
        self.recorder.event(deployment, "Normal", "ScalingReplicaSet", message)

    def _old_pods_run(self, sets: Sets) -> bool:
        """Whether anything of an old template may still run, terminating pods included."""
        if any(one.status.replicas for one in sets.old):
            return True
        return any(not terminal(pod) for one in sets.old for pod in self.cache(Pod).owned_by(one.metadata.uid))

    def _waiting_for(self, pod: Pod) -> list[Key]:
        """A Recreate deployment waits for its old pods to go."""
        owner = controller_of(pod.metadata)
        rs = self.cache(ReplicaSet).get(Key(pod.metadata.namespace, owner.name)) if owner is not None else None
        owner = controller_of(rs.metadata) if rs is not None else None
        key = Key(pod.metadata.namespace, owner.name) if owner is not None else None
        deployment = self.cache(Deployment).get(key) if key is not None else None
        return [key] if deployment is not None and deployment.spec.strategy.type == "Recreate" else []


def plan(deployment: Deployment, sets: Sets, old_pods_run: bool, conditions: Conditions, now: datetime) -> Plan:
    """The next step."""
    if deployment.spec.paused:
        return Plan(sizes=rolling.scaling_step(deployment, sets), delete=revision.superfluous(deployment, sets))
    if rolling.was_scaled(deployment, sets):
        return Plan(sizes=rolling.scaling_step(deployment, sets))
    if deployment.spec.strategy.type == "Recreate":
        shrink = rolling.recreate_step(deployment, sets)
        if shrink or old_pods_run:
            return Plan(sizes=shrink)
    size = rolling.new_set_size(deployment, sets)
    if sets.new is None:
        return _creation(deployment, sets, size, now)
    name = sets.new.metadata.name
    sizes = rolling.rolling_step(deployment, sets)
    have = sets.new.metadata.annotations or {}
    annotations = revision.new_set_annotations(deployment, sets)
    number = annotations.get(revision.REVISION, "")
    seconds = deployment.spec.minReadySeconds or 0
    deadline = deployment.spec.progressDeadlineSeconds is not None
    found = progress.progressing(progress.FOUND_NEW, f'Found new replica set "{name}"', now)
    done = not sizes and progress.complete(deployment, tree_of(deployment.status))
    return Plan(
        sizes=sizes,
        annotations={key: value for key, value in annotations.items() if have.get(key) != value},
        min_ready_seconds=seconds if seconds != (sets.new.spec.minReadySeconds or 0) else None,
        delete=revision.superfluous(deployment, sets) if done else [],
        revision=number if number != (deployment.metadata.annotations or {}).get(revision.REVISION) else "",
        found=found if deadline and find(conditions, "Progressing") is None else None,
    )


def _creation(deployment: Deployment, sets: Sets, size: int, now: datetime) -> Plan:
    tree = revision.new_replica_set(deployment, sets, size, rolling.most(deployment))
    message = f'Created new replica set "{tree["metadata"]["name"]}"'
    found = progress.progressing(progress.NEW_CREATED, message, now)
    return Plan(create=tree, found=found if deployment.spec.progressDeadlineSeconds is not None else None)
