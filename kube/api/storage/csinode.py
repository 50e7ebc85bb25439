"""CSINode: the storage drivers of a node (storage.k8s.io/v1).

https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/csi-node-v1/
"""

from kube.api.resource import Resource
from kube.api.types import CSINode

RESOURCE = Resource(
    view=CSINode,
    group="storage.k8s.io",
    version="v1",
    kind="CSINode",
    plural="csinodes",
    namespaced=False,
    has_generation=False,
    unconditional_update=False,
)
