"""ControllerRevision: one immutable state of a StatefulSet or DaemonSet, to roll back to (apps/v1).

https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/controller-revision-v1/
"""

from kube.api.resource import Resource
from kube.api.types import ControllerRevision

RESOURCE = Resource(
    view=ControllerRevision,
    group="apps",
    version="v1",
    kind="ControllerRevision",
    plural="controllerrevisions",
    has_generation=False,
)
