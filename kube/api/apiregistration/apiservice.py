"""APIService: a group and version that another server serves (apiregistration.k8s.io/v1).

https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/apiserver-aggregation/
"""

from kube.api.resource import Resource
from kube.api.types import APIService

RESOURCE = Resource(
    view=APIService,
    group="apiregistration.k8s.io",
    version="v1",
    kind="APIService",
    plural="apiservices",
    namespaced=False,
    categories=("api-extensions",),
    subresources=("status",),
    has_generation=False,
    unconditional_update=False,
)
