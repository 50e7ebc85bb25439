"""CSIDriver: what a storage driver can do (storage.k8s.io/v1).

https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/csi-driver-v1/
"""

from kube.api.resource import Resource
from kube.api.types import CSIDriver

RESOURCE = Resource(
    view=CSIDriver,
    group="storage.k8s.io",
    version="v1",
    kind="CSIDriver",
    plural="csidrivers",
    namespaced=False,
    has_generation=False,
    unconditional_update=False,
)
