"""MutatingWebhookConfiguration: servers that may change objects on their way in (admissionregistration.k8s.io/v1).

https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/
"""

from collections.abc import Iterator

from kube.api.admissionregistration.webhooks import WEBHOOK_COLUMNS, set_webhook_defaults, webhook_errors
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import FieldError
from kube.api.types import MutatingWebhookConfiguration


def set_defaults(tree: Tree) -> None:
    set_webhook_defaults(tree)
    for webhook in tree.get("webhooks") or ():
        webhook.setdefault("reinvocationPolicy", "Never")


def validate(new: MutatingWebhookConfiguration, old: MutatingWebhookConfiguration | None) -> Iterator[FieldError]:
    yield from webhook_errors(new.webhooks)


RESOURCE = Resource(
    view=MutatingWebhookConfiguration,
    group="admissionregistration.k8s.io",
    version="v1",
    kind="MutatingWebhookConfiguration",
    plural="mutatingwebhookconfigurations",
    namespaced=False,
    categories=("api-extensions",),
    unconditional_update=False,
    set_defaults=set_defaults,
    validate=validate,
    columns=WEBHOOK_COLUMNS,
)
