"""Trigger times: since when a Service's endpoints should have been what its slices say now, noted on each slice that is written.

It is the time of the pod's change (its condition Ready) that came first since the last look, or for a new Service its creation.
Proxies measure with it how long a change takes until they have carried it out.
https://github.com/kubernetes/community/blob/master/sig-scalability/slos/network_programming_latency.md ·
staging/src/k8s.io/endpointslice/trigger_time_tracker.go
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from controller_manager.pod_state import condition
from controller_manager.slices import Changes
from kube.api.meta import Key, Tree, key_of
from kube.api.types import Pod, Service
from kube.api.views import timestamp

ANNOTATION = "endpoints.kubernetes.io/last-change-trigger-time"


class _Seen(NamedTuple):
    service: datetime
    pods: dict[str, datetime]


class TriggerTimes:
    """Remembers what each Service's pods were at the last look."""

    def __init__(self) -> None:
        self._seen: dict[Key, _Seen] = {}

    def of(self, service: Service, pods: Iterable[Pod]) -> datetime | None:
        """What made the endpoints change since the last time that was asked; None: nothing that has a time."""
        times = {pod.metadata.name: moment for pod in pods if (moment := _changed_at(pod)) is not None}
        before = self._seen.get(key_of(service))
        now = self._seen[key_of(service)] = _Seen(service.metadata.creationTimestamp, times)
        if before is None or now.service > before.service:
            return now.service
        fresh = [moment for name, moment in times.items() if name not in before.pods or moment > before.pods[name]]
        return min(fresh, default=None)

    def forget(self, service: Key) -> None:
        self._seen.pop(service, None)


def _changed_at(pod: Pod) -> datetime | None:
    found = condition(pod, "Ready")
    return found.lastTransitionTime if found is not None else None


def noted(changes: Changes, moment: datetime | None) -> Changes:
    """The changes with the time at each slice that is made or changed; without one, an older time goes."""
    stamp = timestamp(moment) if moment is not None else None
    for tree in changes.create:
        tree["metadata"] = _annotated(tree["metadata"], stamp)
    for one, patch in changes.update:
        if stamp is not None or ANNOTATION in (one.metadata.annotations or {}):
            patch["metadata"] = {**patch["metadata"], "annotations": {ANNOTATION: stamp}}
    return changes


def _annotated(metadata: Tree, stamp: str | None) -> Tree:
    return {**metadata, "annotations": {**metadata.get("annotations", {}), ANNOTATION: stamp}} if stamp is not None else metadata
