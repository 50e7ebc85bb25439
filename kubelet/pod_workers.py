"""Pod workers: which pods this node runs: one worker a uid, from the first word of a pod until nothing of it is left.

Pods come from sources (the API server, files); until each has spoken once, nothing is taken for an orphan. Containers and
files of pods that no source names are orphans: their pods ended while no kubelet ran, and are ended here.
"""

import asyncio
from collections.abc import Mapping

from kube.api.meta import Key, Tree, key_of
from kube.api.types import Pod
from kube.api.views import view
from kube.component.logging import get_logger
from kubelet.admission import Admission
from kubelet.lifecycle import Lifecycle, Tools
from kubelet.pod_files import pods_on_disk
from kubelet.pod_state import Observed, grace_seconds
from kubelet.pod_worker import PodWorker, Report
from kubelet.probes.prober import Prober
from kubelet.resize import allocated_before, differs, held_by
from kubelet.runtime.runtime import PodIdentity, RuntimeContainer
from kubelet.status import FINAL, rejected

log = get_logger("kubelet.pod_workers")

RESTART_SECONDS = 5.0
ORPHAN_GRACE_SECONDS = 1  # upstream's, for pods that nobody knows any more


class PodWorkers:
    def __init__(self, tools: Tools, prober: Prober, admission: Admission, report: Report) -> None:
        self._tools = tools
        self._prober = prober
        self._admission = admission
        self._report = report
        self._workers: dict[str, PodWorker] = {}
        self._waiting: dict[Key, Pod] = {}  # pods whose name is still taken by one that is ending
        self._gone: set[str] = set()  # uids whose work is done here, and which their source still tells of
        self._untold: set[str] = set()  # uids that still have a worker, and which no source tells of any more
        self._deferred: dict[str, Pod] = {}  # pods that want what they cannot have yet, by uid
        self._tasks: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Run the workers, and wake them when something of their pod ends, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            while True:
                uid = await self._tools.runtime.changes.get()
                for worker in [self._workers.get(uid)] if uid else list(self._workers.values()):
                    if worker is not None:
                        worker.wake()

    def set(self, pod: Pod) -> None:
        """A pod to run, or its newer form."""
        worker = self._workers.get(pod.metadata.uid)
        if pod.metadata.uid in self._gone:
            return
        if worker is not None and worker.leaving and pod.metadata.deletionTimestamp is None:
            self._waiting[key_of(pod)] = pod  # a static pod whose file went and came back
        elif worker is not None:
            self._update(worker, pod)
        elif self._namesake(pod) is not None:
            self._waiting[key_of(pod)] = pod
        else:
            self._begin(pod)

    def _update(self, worker: PodWorker, pod: Pod) -> None:
        """A pod that wants more or less than it has gets it where it fits, and else keeps what it has."""
        if differs(pod, worker.pod) and pod.metadata.deletionTimestamp is None:
            others = [one for one in self.pods() if one.metadata.uid != pod.metadata.uid]
            worker.pending_resize = self._admission.refuse_resize(pod, others)
            if worker.pending_resize is not None:
                self._deferred[pod.metadata.uid] = pod
                worker.update(held_by(pod, worker.pod))
                return
        else:
            worker.pending_resize = None
        self._deferred.pop(pod.metadata.uid, None)
        worker.update(pod)

    def remove(self, uid: str) -> None:
        """The pod is gone from its source: end what runs of it."""
        for key in [key for key, pod in self._waiting.items() if pod.metadata.uid == uid]:
            del self._waiting[key]
        self._gone.discard(uid)
        worker = self._workers.get(uid)
        if worker is not None:
            self._untold.add(uid)
            worker.leave(grace_seconds(worker.pod))

    def get(self, uid: str) -> PodWorker | None:
        return self._workers.get(uid)

    def pods(self) -> list[Pod]:
        return [worker.pod for worker in self._workers.values()]

    def looks(self) -> list[Observed]:
        """What each worker saw last."""
        return [worker.seen for worker in self._workers.values()]

    def wake_all(self) -> None:
        for worker in self._workers.values():
            worker.wake()

    def objects_changed(self, uid: str) -> None:
        worker = self._workers.get(uid)
        if worker is not None:
            worker.objects_changed()

    def _namesake(self, pod: Pod) -> PodWorker | None:
        """Another pod under the same name, which has to be gone first (a static pod whose file was changed)."""
        return next((one for one in self._workers.values() if key_of(one.pod) == key_of(pod)), None)

    def _begin(self, pod: Pod) -> None:
        if pod.metadata.deletionTimestamp is None and pod.status.phase not in FINAL:
            refusal = self._admission.refuse(pod, self.pods()) or self._tools.devices.claim(pod)
            if refusal is not None:
                self._tools.events.event(pod, "Warning", refusal.reason, refusal.message)
                self._report(pod, rejected(refusal.reason, refusal.message, self._tools.clock.now()), False)
                return
        elsewhere = pod.status.phase in FINAL and not pod.status.containerStatuses
        if elsewhere and pod.metadata.deletionTimestamp is None:
            return  # it was refused, and never ran: nothing is to be done or told
        before = allocated_before(pod) if pod.status.startTime is not None else pod
        worker = PodWorker(before, Lifecycle(pod, self._tools), self._prober, self._report)
        if pod.status.phase in FINAL:
            worker.end(grace_seconds(pod), reason=pod.status.reason or "", message=pod.status.message or "")
        if pod.metadata.deletionTimestamp is not None:
            worker.update(pod)
        self._workers[pod.metadata.uid] = worker
        assert self._tasks is not None, "PodWorkers.run is running before pods come"
        self._tasks.create_task(self._run(worker), name=f"pod {key_of(pod)}")
        if differs(pod, before):
            self._update(worker, pod)

    async def _run(self, worker: PodWorker) -> None:
        """A worker that fails by a bug is replaced, like a kubelet that was restarted, and no other pod suffers."""
        uid, key = worker.pod.metadata.uid, key_of(worker.pod)
        while True:
            try:
                await worker.run()
                break
            except Exception:  # the top of a pod's loop
                log.exception("pod worker failed, beginning anew", pod=key)
            await self._tools.clock.sleep(RESTART_SECONDS)
            worker = self._workers[uid] = worker.successor(Lifecycle(worker.pod, self._tools))
        del self._workers[uid]
        if worker.pod.metadata.deletionTimestamp is not None and uid not in self._untold:
            self._gone.add(uid)
        self._untold.discard(uid)
        log.info("pod is gone", pod=key, uid=uid)
        self._deferred.pop(uid, None)
        for pod in list(self._deferred.values()):  # there may be room for it now
            self.set(pod)
        successor = self._waiting.pop(key, None)
        if successor is not None:
            self.set(successor)

    def running(self) -> dict[str, list[RuntimeContainer]]:
        """Each pod's running containers and sandbox, by its uid, as its worker saw them last: the engine tells what changes, and to
        ask it for hundreds of containers takes a second of a processor.
        """
        found: dict[str, list[RuntimeContainer]] = {}
        for uid, worker in self._workers.items():
            seen = (worker.seen.sandbox, *worker.seen.containers)
            found[uid] = [one for one in seen if one is not None and one.running]
        return {uid: records for uid, records in found.items() if records}

    async def end_orphans(self) -> None:
        """End the pods that the engine knows, or that have files here, and no source names. Called once all sources have spoken."""
        orphans: dict[str, list[RuntimeContainer]] = {}
        for record in await self._tools.runtime.containers():
            if record.pod.uid not in self._workers:
                orphans.setdefault(record.pod.uid, []).append(record)
        for records in orphans.values():
            pod = _pod_of(records)
            log.info("ending a pod that no source names", pod=key_of(pod), uid=pod.metadata.uid)
            self._begin_orphan(pod)
        for uid in await asyncio.to_thread(pods_on_disk, self._tools.node.root):
            if uid not in self._workers:
                log.info("cleaning up after a pod that is gone", uid=uid)
                self._begin_orphan(_orphan(PodIdentity("", "", uid), {}))

    def _begin_orphan(self, pod: Pod) -> None:
        worker = PodWorker(pod, Lifecycle(pod, self._tools), self._prober, _nobody)
        worker.leave(ORPHAN_GRACE_SECONDS)
        self._workers[pod.metadata.uid] = worker
        assert self._tasks is not None, "PodWorkers.run is running before pods come"
        self._tasks.create_task(self._run(worker), name=f"orphan {key_of(pod)}")


def _nobody(pod: Pod, status: Tree, gone: bool) -> None:
    """The report of a pod that the API server does not know."""


def _pod_of(records: list[RuntimeContainer]) -> Pod:
    """As much of a pod as its containers' labels tell."""
    return _orphan(records[0].pod, {one.name: one.image for one in records if not one.is_sandbox})


def _orphan(identity: PodIdentity, images: Mapping[str, str]) -> Pod:
    tree: Tree = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"namespace": identity.namespace, "name": identity.name, "uid": identity.uid},
        "spec": {"containers": [{"name": name, "image": image} for name, image in (images or {"none": "none"}).items()]},
    }
    return view(Pod, tree)
