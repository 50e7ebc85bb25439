"""HorizontalPodAutoscaler: sets the size of a workload by what its pods use (autoscaling/v1).

https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/
"""

from kube.api.resource import Resource
from kube.api.types import HorizontalPodAutoscalerV1

RESOURCE = Resource(
    view=HorizontalPodAutoscalerV1,
    group="autoscaling",
    version="v1",
    kind="HorizontalPodAutoscaler",
    plural="horizontalpodautoscalers",
    short_names=("hpa",),
    categories=("all",),
    subresources=("status",),
    has_generation=False,
)
