"""MutatingWebhookConfiguration: servers that may change objects on their way in (admissionregistration.k8s.io/v1).

https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/
"""

from kube.api.resource import Resource
from kube.api.types import MutatingWebhookConfiguration

RESOURCE = Resource(
    view=MutatingWebhookConfiguration,
    group="admissionregistration.k8s.io",
    version="v1",
    kind="MutatingWebhookConfiguration",
    plural="mutatingwebhookconfigurations",
    namespaced=False,
    categories=("api-extensions",),
    unconditional_update=False,
)
