"""CustomResourceDefinition: a kind of the users' own (apiextensions.k8s.io/v1).

https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/custom-resources/
"""

from kube.api.resource import Resource
from kube.api.types import CustomResourceDefinition

RESOURCE = Resource(
    view=CustomResourceDefinition,
    group="apiextensions.k8s.io",
    version="v1",
    kind="CustomResourceDefinition",
    plural="customresourcedefinitions",
    namespaced=False,
    short_names=("crd", "crds"),
    categories=("api-extensions",),
    subresources=("status",),
    unconditional_update=False,
)
