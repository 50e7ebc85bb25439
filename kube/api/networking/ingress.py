"""Ingress: HTTP routes from outside to Services (networking.k8s.io/v1).

https://kubernetes.io/docs/concepts/services-networking/ingress/
"""

from kube.api.resource import Resource
from kube.api.types import Ingress

RESOURCE = Resource(
    view=Ingress,
    group="networking.k8s.io",
    version="v1",
    kind="Ingress",
    plural="ingresses",
    short_names=("ing",),
    subresources=("status",),
)
