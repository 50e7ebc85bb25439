"""ServiceCIDR: a range from which Services get their addresses (networking.k8s.io/v1).

https://kubernetes.io/docs/reference/kubernetes-api/networking-resources/service-cidr-v1/
"""

from kube.api.resource import Resource
from kube.api.types import ServiceCIDR

RESOURCE = Resource(
    view=ServiceCIDR,
    group="networking.k8s.io",
    version="v1",
    kind="ServiceCIDR",
    plural="servicecidrs",
    namespaced=False,
    subresources=("status",),
    has_generation=False,
)
