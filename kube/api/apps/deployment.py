"""Deployment: rolls identical pods from one template to the next, by way of ReplicaSets (apps/v1).

https://kubernetes.io/docs/concepts/workloads/controllers/deployment/
"""

from kube.api.resource import Resource
from kube.api.types import Deployment

RESOURCE = Resource(
    view=Deployment,
    group="apps",
    version="v1",
    kind="Deployment",
    plural="deployments",
    short_names=("deploy",),
    categories=("all",),
    subresources=("scale", "status"),
)
