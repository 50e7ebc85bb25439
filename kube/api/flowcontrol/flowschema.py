"""FlowSchema: which requests go to which priority level (flowcontrol.apiserver.k8s.io/v1).

https://kubernetes.io/docs/concepts/cluster-administration/flow-control/
"""

from kube.api.resource import Resource
from kube.api.types import FlowSchema

RESOURCE = Resource(
    view=FlowSchema,
    group="flowcontrol.apiserver.k8s.io",
    version="v1",
    kind="FlowSchema",
    plural="flowschemas",
    namespaced=False,
    subresources=("status",),
)
