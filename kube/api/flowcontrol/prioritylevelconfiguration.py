"""PriorityLevelConfiguration: how many requests of a level are served at once (flowcontrol.apiserver.k8s.io/v1).

https://kubernetes.io/docs/concepts/cluster-administration/flow-control/
"""

from kube.api.resource import Resource
from kube.api.types import PriorityLevelConfiguration

RESOURCE = Resource(
    view=PriorityLevelConfiguration,
    group="flowcontrol.apiserver.k8s.io",
    version="v1",
    kind="PriorityLevelConfiguration",
    plural="prioritylevelconfigurations",
    namespaced=False,
    subresources=("status",),
)
