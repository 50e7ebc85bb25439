"""StorageClass: how to make volumes on demand (storage.k8s.io/v1).

https://kubernetes.io/docs/concepts/storage/storage-classes/
"""

from kube.api.resource import Resource
from kube.api.types import StorageClass

RESOURCE = Resource(
    view=StorageClass,
    group="storage.k8s.io",
    version="v1",
    kind="StorageClass",
    plural="storageclasses",
    namespaced=False,
    short_names=("sc",),
    has_generation=False,
)
