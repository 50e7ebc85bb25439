"""ReplicationController: keeps a stated number of identical pods running; what ReplicaSets replaced (v1).

https://kubernetes.io/docs/concepts/workloads/controllers/replicationcontroller/
"""

from kube.api.resource import Resource
from kube.api.types import ReplicationController

RESOURCE = Resource(
    view=ReplicationController,
    group="",
    version="v1",
    kind="ReplicationController",
    plural="replicationcontrollers",
    short_names=("rc",),
    categories=("all",),
    subresources=("scale", "status"),
)
