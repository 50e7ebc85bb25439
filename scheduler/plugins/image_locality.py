"""ImageLocality: prefer nodes that have the pod's images already, the more so the larger these are.

An image that is on few of the nodes counts for less, lest all pods gather there.
https://kubernetes.io/docs/reference/scheduling/config/#scheduling-plugins · upstream plugins/imagelocality
"""

import numpy as np

from scheduler.framework import MAX_SCORE, Mask, Scores
from scheduler.pod_info import PodInfo
from scheduler.snapshot import Snapshot

LEAST_BYTES = 23 << 20  # together; fewer are pulled in no time
MOST_BYTES_EACH = 1000 << 20


class ImageLocality:
    name = "ImageLocality"

    def score(self, pod: PodInfo, nodes: Snapshot, feasible: Mask) -> Scores | None:
        containers = [*(pod.spec.initContainers or ()), *pod.spec.containers]
        there = [found for one in containers if (found := nodes.images.get(_with_tag(one.image or "")))]
        if not there:
            return None
        size = np.zeros(len(nodes))
        for image in there:
            for name, of in image.items():
                row = nodes.row(name)
                if row is not None:
                    size[row] += of * len(image) // len(nodes)
        most = MOST_BYTES_EACH * len(containers)
        return np.floor(MAX_SCORE * (np.clip(size, LEAST_BYTES, most) - LEAST_BYTES) / (most - LEAST_BYTES))


def _with_tag(image: str) -> str:
    """As nodes list it: without a tag or digest it is the latest one."""
    return image if ":" in image.rpartition("/")[2] or "@" in image else f"{image}:latest"
