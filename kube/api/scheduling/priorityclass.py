"""PriorityClass: how much a pod matters when room is short (scheduling.k8s.io/v1).

https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/
"""

from kube.api.resource import Resource
from kube.api.types import PriorityClass

RESOURCE = Resource(
    view=PriorityClass,
    group="scheduling.k8s.io",
    version="v1",
    kind="PriorityClass",
    plural="priorityclasses",
    namespaced=False,
    short_names=("pc",),
)
