"""ReplicaSet: keeps a stated number of identical pods running (apps/v1).

https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/
"""

from kube.api.resource import Resource
from kube.api.types import ReplicaSet

RESOURCE = Resource(
    view=ReplicaSet,
    group="apps",
    version="v1",
    kind="ReplicaSet",
    plural="replicasets",
    short_names=("rs",),
    categories=("all",),
    subresources=("scale", "status"),
)
