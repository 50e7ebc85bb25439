"""VolumeAttachment: a volume is to be, or is, attached to a node (storage.k8s.io/v1).

https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/volume-attachment-v1/
"""

from kube.api.resource import Resource
from kube.api.types import VolumeAttachment

RESOURCE = Resource(
    view=VolumeAttachment,
    group="storage.k8s.io",
    version="v1",
    kind="VolumeAttachment",
    plural="volumeattachments",
    namespaced=False,
    subresources=("status",),
    has_generation=False,
    unconditional_update=False,
)
