"""IngressClass: which controller serves an Ingress (networking.k8s.io/v1).

https://kubernetes.io/docs/concepts/services-networking/ingress/#ingress-class
"""

from kube.api.resource import Resource
from kube.api.types import IngressClass

RESOURCE = Resource(
    view=IngressClass,
    group="networking.k8s.io",
    version="v1",
    kind="IngressClass",
    plural="ingressclasses",
    namespaced=False,
)
