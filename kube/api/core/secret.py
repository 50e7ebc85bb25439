"""Secret: settings that few may read: passwords, keys, tokens (v1).

https://kubernetes.io/docs/concepts/configuration/secret/
"""

from kube.api.resource import Resource
from kube.api.types import Secret

RESOURCE = Resource(
    view=Secret,
    group="",
    version="v1",
    kind="Secret",
    plural="secrets",
    has_generation=False,
)
