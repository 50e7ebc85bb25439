"""HorizontalPodAutoscaler: sets the size of a workload by what its pods use (autoscaling/v2).

https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/
"""

from kube.api.resource import Resource
from kube.api.types import HorizontalPodAutoscaler

RESOURCE = Resource(
    view=HorizontalPodAutoscaler,
    group="autoscaling",
    version="v2",
    kind="HorizontalPodAutoscaler",
    plural="horizontalpodautoscalers",
    short_names=("hpa",),
    categories=("all",),
    subresources=("status",),
    has_generation=False,
)
