"""ResourceQuota: the most that a namespace may use in all (v1).

https://kubernetes.io/docs/concepts/policy/resource-quotas/
"""

from kube.api.resource import Resource
from kube.api.types import ResourceQuota

RESOURCE = Resource(
    view=ResourceQuota,
    group="",
    version="v1",
    kind="ResourceQuota",
    plural="resourcequotas",
    short_names=("quota",),
    subresources=("status",),
    has_generation=False,
)
