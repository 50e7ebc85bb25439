"""Binding: puts a pod on a node; the old form of pods/binding (v1).

https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/binding-v1/
"""

from kube.api.resource import Resource
from kube.api.types import Binding

RESOURCE = Resource(
    view=Binding,
    group="",
    version="v1",
    kind="Binding",
    plural="bindings",
    verbs=("create",),
    has_generation=False,
)
