"""Endpoints: the addresses behind a Service, all in one object; EndpointSlices are what proxies read (v1).

https://kubernetes.io/docs/concepts/services-networking/service/#endpoints
"""

from kube.api.resource import Resource
from kube.api.types import Endpoints

RESOURCE = Resource(
    view=Endpoints,
    group="",
    version="v1",
    kind="Endpoints",
    plural="endpoints",
    short_names=("ep",),
    has_generation=False,
    create_on_update=True,
)
