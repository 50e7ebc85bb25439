"""Event: something that happened to an object, told once and counted (v1).

https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/
"""

from kube.api.resource import Resource
from kube.api.types import Event

RESOURCE = Resource(
    view=Event,
    group="",
    version="v1",
    kind="Event",
    plural="events",
    short_names=("ev",),
    has_generation=False,
    create_on_update=True,
)
