"""EndpointSlice: some of the addresses behind a Service, with their readiness (discovery.k8s.io/v1).

https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/
"""

from kube.api.resource import Resource
from kube.api.types import EndpointSlice

RESOURCE = Resource(
    view=EndpointSlice,
    group="discovery.k8s.io",
    version="v1",
    kind="EndpointSlice",
    plural="endpointslices",
)
