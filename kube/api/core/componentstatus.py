"""ComponentStatus: how a part of the control plane answers its health check (deprecated; read only) (v1).

https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/component-status-v1/
"""

from kube.api.resource import Resource
from kube.api.types import ComponentStatus

RESOURCE = Resource(
    view=ComponentStatus,
    group="",
    version="v1",
    kind="ComponentStatus",
    plural="componentstatuses",
    namespaced=False,
    short_names=("cs",),
    verbs=("get", "list"),
    has_generation=False,
)
