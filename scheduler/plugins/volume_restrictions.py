"""VolumeRestrictions: a claim that one pod alone may use (ReadWriteOncePod) keeps every other pod waiting.

https://kubernetes.io/docs/concepts/storage/persistent-volumes/#access-modes (KEP-2485)
"""

import numpy as np

from kube.api.meta import Key
from scheduler.framework import Mask
from scheduler.pod_info import PodInfo
from scheduler.snapshot import Snapshot
from scheduler.storage import uses

ALONE = "ReadWriteOncePod"


class VolumeRestrictions:
    name = "VolumeRestrictions"
    mendable = True

    def filter(self, pod: PodInfo, nodes: Snapshot) -> Mask | None:
        alone = _claims_alone(pod, nodes)
        if not alone:
            return None
        taken = any(use.claim in alone for info in nodes.infos for other in info.pods.values() for use in uses(other))
        return np.full(len(nodes), not taken)

    def reason(self, pod: PodInfo, nodes: Snapshot, index: int) -> tuple[str, ...]:
        return ("node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode",)


def _claims_alone(pod: PodInfo, nodes: Snapshot) -> set[Key]:
    found = ((use.claim, nodes.storage.claims.get(use.claim)) for use in uses(pod))
    return {key for key, claim in found if claim is not None and ALONE in (claim.spec.accessModes or ())}
