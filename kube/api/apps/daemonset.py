"""DaemonSet: one pod on each node that fits (apps/v1).

https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/
"""

from kube.api.resource import Resource
from kube.api.types import DaemonSet

RESOURCE = Resource(
    view=DaemonSet,
    group="apps",
    version="v1",
    kind="DaemonSet",
    plural="daemonsets",
    short_names=("ds",),
    categories=("all",),
    subresources=("status",),
)
