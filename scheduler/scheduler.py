"""Scheduler: watches pods and nodes, decides, binds.

One loop takes pods from the queue, one at a time, and decides at once from the snapshot; the binding goes out in the
background, many at a time, while the pod already counts as placed (*assumed*). An assumption ends when the pod is seen
bound, or when the binding fails; the pod is then tried again. So a decision never waits for the network.
https://kubernetes.io/docs/concepts/scheduling-eviction/kube-scheduler/
"""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from kube.api.meta import Key, Tree, key_of
from kube.api.status import ApiError, Conflict, NotFound
from kube.api.types import (
    CSINode,
    Namespace,
    Node,
    PersistentVolume,
    PersistentVolumeClaim,
    Pod,
    PodDisruptionBudget,
    StorageClass,
)
from kube.api.views import timestamp
from kube.client.event_series import SeriesRecorder
from kube.client.informer import Informers
from kube.client.rest import STRATEGIC, Client, Unreachable
from kube.component.logging import get_logger
from scheduler import metrics
from scheduler.cycle import NO_CLAIMS, Decision, decide
from scheduler.evictor import Evictor
from scheduler.framework import Profile
from scheduler.nominations import Nominations
from scheduler.plugins import OF_PLACED_PODS, OF_VOLUMES
from scheduler.pod_info import PodInfo
from scheduler.preemption import make_room
from scheduler.queue import PLACES, QueuedPod, SchedulingQueue
from scheduler.siblings import KINDS as OF_SIBLINGS
from scheduler.siblings import siblings_of
from scheduler.snapshot import Snapshot
from scheduler.storage import Choice, storage_of
from scheduler.volume_binder import VolumeBinder, VolumesNotBound

log = get_logger(__name__)

BINDINGS_AT_ONCE = 32
OF_STORAGE = (PersistentVolumeClaim, PersistentVolume, StorageClass, CSINode)


class Desk:
    """What pods of one schedulerName are served by."""

    def __init__(self, client: Client, recorder: SeriesRecorder, profile: Profile) -> None:
        self.name = profile.name
        self.profile = profile
        self.recorder = recorder
        self.evictor = Evictor(client, recorder, profile.name)


class Scheduler:
    def __init__(self, client: Client, informers: Informers, desks: Iterable[Desk]) -> None:
        self._client = client
        self._desks = {one.name: one for one in desks}
        self._pods = informers.of(Pod)
        self._nodes = informers.of(Node)
        self._budgets = informers.of(PodDisruptionBudget)
        self._queue = SchedulingQueue()
        for place in PLACES:
            metrics.PENDING.labels(place).set_function(partial(self._queue.count, place))
        self._storage = storage_of(informers)
        self._volumes = VolumeBinder(client, self._storage, informers.of(PersistentVolumeClaim))
        self._snapshot = Snapshot(self._storage, siblings_of(informers))
        self._nominations = Nominations(self._snapshot)
        self._assumed: set[str] = set()  # uids of pods that are being bound
        self._work = asyncio.Event()
        self._binders = asyncio.Semaphore(BINDINGS_AT_ONCE)
        self._tie = 0
        self._pods.on_change(self._pod_changed)
        self._nodes.on_change(self._node_changed)
        informers.of(Namespace).on_change(self._namespace_changed)
        for kind in OF_STORAGE:
            informers.of(kind).on_change(lambda old, new: self._storage_changed())
        self._followed = [informers.of(kind) for kind in (Node, Pod, PodDisruptionBudget, Namespace, *OF_STORAGE, *OF_SIBLINGS)]

    async def run(self) -> None:
        """Schedule until cancelled. The informers must be running."""
        for informer in self._followed:
            await informer.synced.wait()
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._work.clear()
                item = self._queue.pop(time.monotonic())
                if item is None:
                    await self._wait_for_work()
                    continue
                await self._binders.acquire()
                decision = self._decide(item)
                tasks.create_task(self._finish(item, decision, self._reserve(item.pod, decision)))

    def _decide(self, item: QueuedPod) -> Decision:
        """Decide and, for a pod that fits, count it as placed. No await: the next decision must see this one."""
        started = time.perf_counter()
        self._tie += 1
        pod = PodInfo(item.pod)
        decision = self._decision(pod)
        uid = pod.uid
        if decision.node is not None:
            self._assumed.add(uid)
            self._nominations.remove(uid)
            self._snapshot.set_pod(pod, decision.node)
        elif decision.room is not None and decision.room.node is not None:
            self._nominations.set(pod, decision.room.node)
        elif decision.room is None or not decision.room.keeps_nomination:
            self._nominations.remove(uid)
        metrics.ALGORITHM_SECONDS.observe(time.perf_counter() - started)
        return decision

    def _decision(self, pod: PodInfo) -> Decision:
        nominated, profile = self._nominations.node_of(pod.uid), self._desk(pod.pod).profile
        with self._nominations.counted_for(pod):
            decision = decide(pod, self._snapshot, profile, self._tie, nominated)
            if decision.node is not None or not decision.by_nodes:
                return decision
            if not profile.preempts:
                return replace(decision, message=f"{decision.message} {NO_CLAIMS}")
            metrics.PREEMPTIONS.inc()
            room = make_room(pod, nominated, self._snapshot, profile.filters, self._budgets.cache.list(), self._tie)
        message = f"{decision.message} {NO_CLAIMS}, preemption: {room.message}" if room.message else decision.message
        return replace(decision, message=message, room=room)

    def _reserve(self, pod: Pod, decision: Decision) -> Choice | None:
        """The volumes that come with the decision count as taken. No await since the decision."""
        wanted = self._storage.wanted(pod)
        node = self._nodes.cache.get(Key("", decision.node)) if decision.node is not None else None
        choice = self._storage.choice(wanted, node) if node is not None and wanted.waiting else None
        if choice is not None:
            self._storage.assume(choice)
        return choice

    async def _finish(self, item: QueuedPod, decision: Decision, choice: Choice | None) -> None:
        try:
            if decision.node is None:
                await self._report(item, decision)
            elif choice is None or await self._volumes_bound(item, decision.node, choice):
                await self._bind(item, decision.node)
        except (ApiError, Unreachable) as error:
            log.warning("pod not scheduled, will be tried again", pod=item.key, error=error)
            self._queue.failed(item, time.monotonic(), again=True)
            self._attempted("error", item)
        finally:
            self._binders.release()
            self._work.set()

    async def _bind(self, item: QueuedPod, node: str) -> None:
        pod, uid = item.pod, item.pod.metadata.uid
        binding: Tree = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": pod.metadata.name, "namespace": pod.metadata.namespace, "uid": uid},
            "target": {"apiVersion": "v1", "kind": "Node", "name": node},
        }
        try:
            await self._client.create_subresource(Pod, item.key, "binding", binding)
        except (ApiError, Unreachable) as error:
            self._not_placed(item, node)
            if isinstance(error, NotFound | Conflict):
                self._gone_or_bound(item)
                return
            raise
        self._queue.done(item)
        self._desk(pod).recorder.event(pod, "Normal", "Scheduled", "Binding", f"Successfully assigned {item.key} to {node}")
        self._attempted("scheduled", item)
        metrics.scheduled(item.attempts, time.monotonic() - item.added)
        log.info("pod bound", pod=item.key, node=node)

    def _not_placed(self, item: QueuedPod, node: str) -> None:
        uid = item.pod.metadata.uid
        self._assumed.discard(uid)
        if self._snapshot.node_of(uid) == node and not self._bound(item.key):
            self._snapshot.remove_pod(uid)

    async def _volumes_bound(self, item: QueuedPod, node: str, choice: Choice) -> bool:
        """Whether the pod's claims are bound now. It may take minutes: others' bindings do not wait for it."""
        self._binders.release()
        try:
            await self._volumes.bind(choice)
            return True
        except (ApiError, Unreachable, VolumesNotBound) as error:
            self._not_placed(item, node)
            message = f'running PreBind plugin "VolumeBinding": binding volumes: {error}'
            self._desk(item.pod).recorder.event(item.pod, "Warning", "FailedScheduling", "Scheduling", message)
            self._queue.failed(item, time.monotonic(), again=True)
            return False
        finally:
            await self._binders.acquire()

    def _gone_or_bound(self, item: QueuedPod) -> None:
        """Deleted, or bound by somebody else: the informer will tell; nothing is left to do here."""
        current = self._pods.cache.get(item.key)
        if current is not None and current.metadata.uid == item.pod.metadata.uid and not current.spec.nodeName:
            self._queue.failed(item, time.monotonic(), again=True)
        else:
            self._queue.done(item)

    async def _report(self, item: QueuedPod, decision: Decision) -> None:
        """Tell why the pod has no node: an event, and the condition PodScheduled=False; and make room for it, if it may."""
        self._queue.failed(item, time.monotonic(), refused_by=decision.refused_by)
        desk = self._desk(item.pod)
        self._attempted("unschedulable", item)
        desk.recorder.event(item.pod, "Warning", "FailedScheduling", "Scheduling", decision.message)
        status: Tree = {}
        condition = unscheduled_condition(item.pod, decision.message, datetime.now(UTC))
        if condition is not None:
            status["conditions"] = condition
        if self._nominations.node_of(item.pod.metadata.uid) != item.pod.status.nominatedNodeName:
            status["nominatedNodeName"] = self._nominations.node_of(item.pod.metadata.uid)
        if status:
            try:
                await self._client.patch(Pod, item.key, {"status": status}, subresource="status", type=STRATEGIC)
            except NotFound:
                self._queue.done(item)
                return
        if decision.room is not None and decision.room.node is not None:
            for other in self._nominations.less_important(PodInfo(item.pod), decision.room.node):
                self._nominations.remove(other.metadata.uid)
                await desk.evictor.withdraw(other)
            metrics.VICTIMS.observe(len(decision.room.victims))
            await desk.evictor.make(decision.room, item.pod)

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        now = time.monotonic()
        pod = new or old
        uid = pod.metadata.uid
        if old is not None and new is not None and old.metadata.uid != new.metadata.uid:
            self._pod_changed(old, None)  # a new pod under an old name: the old one is gone
        if new is None or new.status.phase in ("Succeeded", "Failed") or ends_without_node(new):
            self._assumed.discard(uid)
            freed = self._snapshot.node_of(uid) is not None
            self._snapshot.remove_pod(uid)
            freed = self._nominations.remove(uid) or freed
            self._queue.remove(key_of(pod))
            if freed:
                self._queue.move_all(now)
        elif new.spec.nodeName:
            self._assumed.discard(uid)
            self._nominations.remove(uid)
            self._snapshot.set_pod(PodInfo(new), new.spec.nodeName)
            self._queue.remove(key_of(new))
            if old is None or not old.spec.nodeName or old.metadata.labels != new.metadata.labels:
                self._queue.move_all(now, refused_by=OF_PLACED_PODS)
        elif new.spec.schedulerName in self._desks and uid not in self._assumed:
            if old is None and new.status.nominatedNodeName:
                self._nominations.set(PodInfo(new), new.status.nominatedNodeName)
            self._queue.set(new, now)
        self._work.set()

    def _node_changed(self, old: Node | None, new: Node | None) -> None:
        if new is None:
            self._snapshot.remove_node(old.metadata.name)
            if self._queue.move_all(time.monotonic(), refused_by=OF_PLACED_PODS):  # the emptiest domain may have gone with it
                self._work.set()
            return
        self._snapshot.set_node(new)
        if old is None or may_help(old, new):
            self._queue.move_all(time.monotonic())
            self._work.set()

    def _namespace_changed(self, old: Namespace | None, new: Namespace | None) -> None:
        name = (new or old).metadata.name
        self._snapshot.set_namespace(name, (new.metadata.labels or {}) if new is not None else None)
        if self._queue.move_all(time.monotonic(), refused_by=OF_PLACED_PODS):
            self._work.set()

    def _storage_changed(self) -> None:
        if self._queue.move_all(time.monotonic(), refused_by=OF_VOLUMES):
            self._work.set()

    @staticmethod
    def _attempted(result: str, item: QueuedPod) -> None:
        metrics.attempted(result, item.pod.spec.schedulerName, time.monotonic() - item.tried_since)

    def _desk(self, pod: Pod) -> Desk:
        return self._desks[pod.spec.schedulerName]

    def _bound(self, key: Key) -> bool:
        pod = self._pods.cache.get(key)
        return pod is not None and bool(pod.spec.nodeName)

    async def _wait_for_work(self) -> None:
        """Until an event comes or the next back-off ends."""
        wake_at = self._queue.wake_at()
        try:
            async with asyncio.timeout(None if wake_at is None else max(0.0, wake_at - time.monotonic())):
                await self._work.wait()
        except TimeoutError:
            pass


def ends_without_node(pod: Pod) -> bool:
    """Being deleted before it was bound: the server refuses to bind it, so it is not tried."""
    return pod.metadata.deletionTimestamp is not None and not pod.spec.nodeName


def may_help(old: Node, new: Node) -> bool:
    """Whether a change of a node can make a pod fit that did not: a heartbeat cannot."""
    return old.spec != new.spec or old.metadata.labels != new.metadata.labels or old.status.allocatable != new.status.allocatable


def unscheduled_condition(pod: Pod, message: str, now: datetime) -> list[Tree] | None:
    """The condition to patch in, or None if the pod says so already."""
    current = next((one for one in pod.status.conditions or () if one.type == "PodScheduled"), None)
    if current is not None and current.status == "False" and current.message == message:
        return None
    condition: Tree = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": message,
        "lastProbeTime": None,
        "lastTransitionTime": timestamp(now),
    }
    if current is not None and current.status == "False" and current.lastTransitionTime is not None:
        condition["lastTransitionTime"] = timestamp(current.lastTransitionTime)
    if pod.metadata.generation is not None:
        condition["observedGeneration"] = pod.metadata.generation
    return [condition]
