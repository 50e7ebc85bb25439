"""ValidatingWebhookConfiguration: servers that may refuse objects on their way in (admissionregistration.k8s.io/v1).

https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/
"""

from collections.abc import Iterator

from kube.api.admissionregistration.webhooks import WEBHOOK_COLUMNS, set_webhook_defaults, webhook_errors
from kube.api.resource import Resource
from kube.api.status import FieldError
from kube.api.types import ValidatingWebhookConfiguration


def validate(new: ValidatingWebhookConfiguration, old: ValidatingWebhookConfiguration | None) -> Iterator[FieldError]:
    yield from webhook_errors(new.webhooks)


RESOURCE = Resource(
    view=ValidatingWebhookConfiguration,
    group="admissionregistration.k8s.io",
    version="v1",
    kind="ValidatingWebhookConfiguration",
    plural="validatingwebhookconfigurations",
    namespaced=False,
    categories=("api-extensions",),
    unconditional_update=False,
    set_defaults=set_webhook_defaults,
    validate=validate,
    columns=WEBHOOK_COLUMNS,
)
