"""CSIStorageCapacity: how much a storage class has left in some part of the cluster (storage.k8s.io/v1).

https://kubernetes.io/docs/concepts/storage/storage-capacity/
"""

from kube.api.resource import Resource
from kube.api.types import CSIStorageCapacity

RESOURCE = Resource(
    view=CSIStorageCapacity,
    group="storage.k8s.io",
    version="v1",
    kind="CSIStorageCapacity",
    plural="csistoragecapacities",
    has_generation=False,
    unconditional_update=False,
)
