"""Node: a machine that runs pods (v1).

https://kubernetes.io/docs/concepts/architecture/nodes/
"""

from kube.api.resource import Resource
from kube.api.types import Node

RESOURCE = Resource(
    view=Node,
    group="",
    version="v1",
    kind="Node",
    plural="nodes",
    namespaced=False,
    short_names=("no",),
    subresources=("proxy", "status"),
    has_generation=False,
)
