"""IPAddress: an address that a Service holds; two cannot hold one (networking.k8s.io/v1).

https://kubernetes.io/docs/reference/kubernetes-api/networking-resources/ip-address-v1/
"""

from kube.api.resource import Resource
from kube.api.types import IPAddress

RESOURCE = Resource(
    view=IPAddress,
    group="networking.k8s.io",
    version="v1",
    kind="IPAddress",
    plural="ipaddresses",
    namespaced=False,
    short_names=("ip",),
    has_generation=False,
)
