"""Service: one stable address for a changing set of pods (v1).

https://kubernetes.io/docs/concepts/services-networking/service/
"""

from kube.api.resource import Resource
from kube.api.types import Service

RESOURCE = Resource(
    view=Service,
    group="",
    version="v1",
    kind="Service",
    plural="services",
    short_names=("svc",),
    categories=("all",),
    subresources=("proxy", "status"),
    has_generation=False,
    create_on_update=True,
)
