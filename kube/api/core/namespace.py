"""Namespace: a room for names; it goes when everything in it is gone (v1).

https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/
"""

from kube.api.resource import Resource
from kube.api.types import Namespace

RESOURCE = Resource(
    view=Namespace,
    group="",
    version="v1",
    kind="Namespace",
    plural="namespaces",
    namespaced=False,
    short_names=("ns",),
    verbs=("create", "delete", "get", "list", "patch", "update", "watch"),
    subresources=("finalize", "status"),
    has_generation=False,
)
