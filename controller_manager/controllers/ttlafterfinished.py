"""TTL after finished: deletes jobs that ended spec.ttlSecondsAfterFinished ago, and their pods before them.

https://kubernetes.io/docs/concepts/workloads/controllers/ttlafterfinished/
"""

from datetime import datetime

from controller_manager.controller import Controller
from kube.api.meta import Key
from kube.api.status import NotFound
from kube.api.types import Job


class TTLAfterFinishedController(Controller[Key]):
    name = "ttl-after-finished-controller"
    reconciles = Job

    @property
    def workers(self) -> int:
        return self.config.concurrent_ttl_after_finished_syncs

    async def reconcile(self, key: Key) -> float | None:
        job = self.cache(Job).get(key)
        left = seconds_left(job, self.clock.now()) if job is not None else None
        if left is None or left > 0:
            return left
        try:
            fresh = await self.client.get(Job, *key)  # the time may have been made longer meanwhile
            left = seconds_left(fresh, self.clock.now())
            if left is None or left > 0:
                return left
            await self.client.delete(Job, key, uid=fresh.metadata.uid, propagation="Foreground")
        except NotFound:
            return None
        return None


def seconds_left(job: Job, now: datetime) -> float | None:
    """Until the job may go; None for one that has no such time, has not ended, or is going."""
    ended = next((one for one in job.status.conditions or () if one.type in ("Complete", "Failed") and one.status == "True"), None)
    if job.spec.ttlSecondsAfterFinished is None or ended is None or job.metadata.deletionTimestamp is not None:
        return None
    since = job.status.completionTime or ended.lastTransitionTime
    return float(job.spec.ttlSecondsAfterFinished - (now - since).total_seconds())
