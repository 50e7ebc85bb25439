"""PersistentVolume: a piece of storage that outlives pods (v1).

https://kubernetes.io/docs/concepts/storage/persistent-volumes/
"""

from kube.api.resource import Resource
from kube.api.types import PersistentVolume

RESOURCE = Resource(
    view=PersistentVolume,
    group="",
    version="v1",
    kind="PersistentVolume",
    plural="persistentvolumes",
    namespaced=False,
    short_names=("pv",),
    subresources=("status",),
    has_generation=False,
)
