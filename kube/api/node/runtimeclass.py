"""RuntimeClass: a way of running containers that a pod can choose (node.k8s.io/v1).

https://kubernetes.io/docs/concepts/containers/runtime-class/
"""

from kube.api.resource import Resource
from kube.api.types import RuntimeClass

RESOURCE = Resource(
    view=RuntimeClass,
    group="node.k8s.io",
    version="v1",
    kind="RuntimeClass",
    plural="runtimeclasses",
    namespaced=False,
    has_generation=False,
    unconditional_update=False,
)
