"""ConfigMap: settings that pods read, as text or bytes (v1).

https://kubernetes.io/docs/concepts/configuration/configmap/
"""

from kube.api.resource import Resource
from kube.api.types import ConfigMap

RESOURCE = Resource(
    view=ConfigMap,
    group="",
    version="v1",
    kind="ConfigMap",
    plural="configmaps",
    short_names=("cm",),
    has_generation=False,
)
