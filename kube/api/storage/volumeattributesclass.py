"""VolumeAttributesClass: settings of a volume that can be changed while it is used (storage.k8s.io/v1).

https://kubernetes.io/docs/concepts/storage/volume-attributes-classes/
"""

from kube.api.resource import Resource
from kube.api.types import VolumeAttributesClass

RESOURCE = Resource(
    view=VolumeAttributesClass,
    group="storage.k8s.io",
    version="v1",
    kind="VolumeAttributesClass",
    plural="volumeattributesclasses",
    namespaced=False,
    short_names=("vac",),
    has_generation=False,
)
