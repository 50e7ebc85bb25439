"""StatefulSet: numbered pods with stable names and storage (apps/v1).

https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/
"""

from kube.api.resource import Resource
from kube.api.types import StatefulSet

RESOURCE = Resource(
    view=StatefulSet,
    group="apps",
    version="v1",
    kind="StatefulSet",
    plural="statefulsets",
    short_names=("sts",),
    categories=("all",),
    subresources=("scale", "status"),
)
