"""VolumeZone: a volume that is labelled with a zone or region is used in that zone or region alone.

A volume of several zones lists them, with two underscores between; a node without such labels is in no zone, and takes any.
https://kubernetes.io/docs/reference/labels-annotations-taints/#topologykubernetesiozone
"""

import numpy as np

from scheduler.framework import Mask
from scheduler.pod_info import PodInfo
from scheduler.snapshot import Snapshot
from scheduler.storage import uses

NEW, OLD = "topology.kubernetes.io/", "failure-domain.beta.kubernetes.io/"
LABELS = tuple(f"{prefix}{word}" for prefix in (NEW, OLD) for word in ("zone", "region"))


class VolumeZone:
    name = "VolumeZone"
    mendable = False

    def filter(self, pod: PodInfo, nodes: Snapshot) -> Mask | None:
        demands = _demands(pod, nodes)
        if not demands:
            return None
        return np.fromiter((_meets(info.labels, demands) for info in nodes.infos), np.bool_, len(nodes))

    def reason(self, pod: PodInfo, nodes: Snapshot, index: int) -> tuple[str, ...]:
        return ("node(s) had no available volume zone",)


def _demands(pod: PodInfo, nodes: Snapshot) -> list[tuple[str, frozenset[str]]]:
    storage, found = nodes.storage, []
    for use in uses(pod):
        claim = storage.claims.get(use.claim)
        volume = storage.volume_of(claim) if claim is not None else None
        labels = (volume.metadata.labels or {}) if volume is not None else {}
        found += [(name, frozenset(labels[name].split("__"))) for name in LABELS if name in labels]
    return found


def _meets(labels: dict[str, str], demands: list[tuple[str, frozenset[str]]]) -> bool:
    if not any(name in labels for name in LABELS):
        return True
    return all((labels.get(name) or labels.get(_other(name))) in allowed for name, allowed in demands)


def _other(name: str) -> str:
    return name.replace(NEW, OLD) if name.startswith(NEW) else name.replace(OLD, NEW)
