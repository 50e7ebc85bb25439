"""PersistentVolumeClaim: a request for storage, bound to one PersistentVolume (v1).

https://kubernetes.io/docs/concepts/storage/persistent-volumes/#persistentvolumeclaims
"""

from kube.api.resource import Resource
from kube.api.types import PersistentVolumeClaim

RESOURCE = Resource(
    view=PersistentVolumeClaim,
    group="",
    version="v1",
    kind="PersistentVolumeClaim",
    plural="persistentvolumeclaims",
    short_names=("pvc",),
    subresources=("status",),
    has_generation=False,
)
