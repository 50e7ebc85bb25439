"""ValidatingWebhookConfiguration: servers that may refuse objects on their way in (admissionregistration.k8s.io/v1).

https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/
"""

from kube.api.resource import Resource
from kube.api.types import ValidatingWebhookConfiguration

RESOURCE = Resource(
    view=ValidatingWebhookConfiguration,
    group="admissionregistration.k8s.io",
    version="v1",
    kind="ValidatingWebhookConfiguration",
    plural="validatingwebhookconfigurations",
    namespaced=False,
    categories=("api-extensions",),
    unconditional_update=False,
)
