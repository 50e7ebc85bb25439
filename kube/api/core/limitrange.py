"""LimitRange: bounds and defaults of what one pod, container or claim of a namespace may ask for (v1).

https://kubernetes.io/docs/concepts/policy/limit-range/
"""

from kube.api.resource import Resource
from kube.api.types import LimitRange

RESOURCE = Resource(
    view=LimitRange,
    group="",
    version="v1",
    kind="LimitRange",
    plural="limitranges",
    short_names=("limits",),
    has_generation=False,
    create_on_update=True,
)
