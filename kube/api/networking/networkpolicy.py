"""NetworkPolicy: which traffic pods let in and out (networking.k8s.io/v1).

https://kubernetes.io/docs/concepts/services-networking/network-policies/
"""

from kube.api.resource import Resource
from kube.api.types import NetworkPolicy

RESOURCE = Resource(
    view=NetworkPolicy,
    group="networking.k8s.io",
    version="v1",
    kind="NetworkPolicy",
    plural="networkpolicies",
    short_names=("netpol",),
)
